"""Pixel accuracy of a prediction."""

from __future__ import annotations

from torch import Tensor


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Per cent of all pixels whose best class is the label; ignored pixels count as wrong.

    Args:
        logits: (B, C, H, W) class scores.
        labels: (B, H, W) int64.

    Returns:
        Scalar tensor, on the device of ``logits``.
    """
    return 100 * (logits.argmax(dim=1) == labels).to(logits.dtype).mean()
