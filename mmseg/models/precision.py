"""Number formats inside networks and losses."""

import torch
from torch import Tensor

HALF = (torch.float16, torch.bfloat16)


def at_least_float32(tensor: Tensor) -> Tensor:
    """Raise 16-bit floats to float32; float32 and float64 stay what they are."""
    return tensor.float() if tensor.dtype in HALF else tensor
