"""Number formats of a run: ``fp32``, ``tf32`` or ``bf16``."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

MODES = ('fp32', 'tf32', 'bf16')


class Precision:
    """The number format in which the networks' passes run; weights and optimizers are always float32.

    Args:
        mode: ``fp32`` (TF32 off, as the published runs on the GPUs of their time), ``tf32`` (matrix products and
            convolutions on tensor cores with 10-bit mantissa) or ``bf16`` (autocast).

    Raises:
        ValueError: for another mode.
    """

    def __init__(self, mode: str = 'fp32') -> None:
        if mode not in MODES:
            raise ValueError(f'precision={mode!r} is not one of {", ".join(MODES)}')
        self.mode = mode

    def autocast(self, device: torch.device | str) -> AbstractContextManager:
        """The context in which passes run on ``device``."""
        if self.mode != 'bf16':
            return nullcontext()
        return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)

    def apply_global_flags(self) -> None:
        """Switches TF32 for this process."""
        tf32 = self.mode != 'fp32'
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32

    def __repr__(self) -> str:
        return f'Precision({self.mode!r})'
