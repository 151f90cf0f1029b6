"""Number formats of a run: ``fp32``, ``tf32``, ``bf16`` or ``fp16``; ``auto`` chooses by the device."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from mmseg.engine.loss_scaler import LossScaler

MODES = ('auto', 'fp32', 'tf32', 'bf16', 'fp16')
SIXTEEN_BITS = {'bf16': torch.bfloat16, 'fp16': torch.float16}


class Precision:
    """The number format in which the networks' passes run; weights and optimizers are always float32.

    Args:
        mode: ``fp32`` (TF32 off, as the published runs on the GPUs of their time), ``tf32`` (matrix products and
            convolutions on tensor cores with 10-bit mantissa), ``bf16`` (autocast), ``fp16`` (autocast with scaled
            losses, for GPUs without bfloat16) or ``auto`` (``bf16`` on a GPU that computes in it, else ``fp32``).

    Attributes:
        mode: the format; never ``auto``.
        scaler: of the losses, for ``fp16``; else None.

    Raises:
        ValueError: for another mode.
    """

    def __init__(self, mode: str = 'fp32') -> None:
        if mode not in MODES:
            raise ValueError(f'precision={mode!r} is not one of {", ".join(MODES)}')
        self.mode = automatic_mode() if mode == 'auto' else mode
        self.scaler = LossScaler() if mode == 'fp16' else None

    def autocast(self, device: torch.device | str) -> AbstractContextManager:
        """The context in which passes run on ``device``."""
        if self.mode not in SIXTEEN_BITS:
            return nullcontext()
        return torch.autocast(torch.device(device).type, dtype=SIXTEEN_BITS[self.mode])

    def apply_global_flags(self) -> None:
        """Switches TF32 for this process."""
        tf32 = self.mode != 'fp32'
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32

    def __repr__(self) -> str:
        return f'Precision({self.mode!r})'


def automatic_mode() -> str:
    """The format of ``auto`` on this machine."""
    fast = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return 'bf16' if fast else 'fp32'
