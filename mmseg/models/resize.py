"""Resizing of maps, the one way the networks do it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def resize(x: Tensor, size: Sequence[int], align_corners: bool = False) -> Tensor:
    """Resize a map (B, C, h, w) to ``size`` = (H, W); a map of that size is returned as it is."""
    if tuple(x.shape[2:]) == tuple(size):
        return x
    return F.interpolate(x, size=tuple(size), mode='bilinear', align_corners=align_corners)


def resize_labels(labels: Tensor, size: Sequence[int]) -> Tensor:
    """Pick labels (B, H, W) for a grid ``size`` = (h, w): row i is row floor(i H / h), columns alike.

    That is PyTorch's ``nearest``, in whole numbers.
    """
    if tuple(labels.shape[1:]) == tuple(size):
        return labels
    rows, columns = (
        torch.arange(small, device=labels.device) * full // small
        for small, full in zip(size, labels.shape[1:], strict=True)
    )
    return labels[:, rows[:, None], columns]
