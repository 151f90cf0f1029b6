"""Number formats inside networks and losses."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor

HALF = (torch.float16, torch.bfloat16)


def at_least_float32(tensor: Tensor) -> Tensor:
    """Raise 16-bit floats to float32; float32 and float64 stay what they are."""
    return tensor.float() if tensor.dtype in HALF else tensor


def without_autocast(device: torch.device) -> AbstractContextManager:
    """Switch autocast off, where the device has it: ``meta``, on which networks are only counted, has none."""
    available = torch.amp.is_autocast_available(device.type)
    return torch.autocast(device.type, enabled=False) if available else nullcontext()


@contextmanager
def exact_matmul() -> Iterator[None]:
    """Products of float32 matrices without TF32, whose 10 bits would be lost in sums over many pixels."""
    matmul = torch.backends.cuda.matmul
    before, matmul.allow_tf32 = matmul.allow_tf32, False
    try:
        yield
    finally:
        matmul.allow_tf32 = before
