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
    # On a CPU max() finds the class several times faster than argmax().
    return 100 * (logits.max(dim=1).indices == labels).to(logits.dtype).mean()
