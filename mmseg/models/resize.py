"""Resizing of maps, the one way the networks do it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

BAND = 2**22  # numbers (images x classes x pixels) that a band of rows may hold: 16 MB in float32


def resize(x: Tensor, size: Sequence[int], align_corners: bool = False) -> Tensor:
    """Resize a map (B, C, h, w) to ``size`` = (H, W); a map of that size is returned as it is."""
    if tuple(x.shape[2:]) == tuple(size):
        return x
    return F.interpolate(x, size=tuple(size), mode='bilinear', align_corners=align_corners)


def bands(size: Sequence[int], numbers_per_pixel: int, limit: int) -> list[slice]:
    """Rows of a map of ``size`` = (h, w) in groups of at most ``limit`` numbers, one row at least."""
    rows = max(1, limit // (numbers_per_pixel * size[1]))
    return [slice(top, min(top + rows, size[0])) for top in range(0, size[0], rows)]


def resize_band(x: Tensor, size: Sequence[int], band: slice, align_corners: bool) -> Tensor:
    """Some rows of what :func:`resize` gives.

    Bit for bit for all rows, and where the height grows 2, 4, 8, ... times without ``align_corners``, as that of most
    networks' logits; otherwise to rounding (also in tiny maps, which PyTorch resizes by another kernel).

    Args:
        x: (B, C, h, w), at least float32.
        size: height and width that the whole is resized to.
        band: which rows of the result.
        align_corners: rule of resizing.

    Returns:
        (B, C, rows, size[1]).
    """
    if tuple(x.shape[2:]) == tuple(size):
        return x[:, :, band]
    if (band.start, band.stop) == (0, size[0]):
        return resize(x, size, align_corners)
    source, height = x.shape[2], size[0]
    times = height // source
    if not align_corners and times * source == height and times & (times - 1) == 0:
        return _exact_band(x, size, band, times)
    rows = torch.arange(band.start, band.stop, device=x.device, dtype=x.dtype)
    if align_corners:
        place = rows * ((source - 1) / max(height - 1, 1))
    else:
        place = ((rows + 0.5) * (source / height) - 0.5).clamp(min=0)
    above = place.floor().long().clamp(max=source - 1)
    below = (above + 1).clamp(max=source - 1)
    share = (place - above)[:, None]
    mixed = torch.lerp(x[:, :, above], x[:, :, below], share)
    return F.interpolate(mixed, size=(len(rows), size[1]), mode='bilinear', align_corners=align_corners)


def _exact_band(x: Tensor, size: Sequence[int], band: slice, times: int) -> Tensor:
    """The band of a map that grows ``times`` in height, of its own source rows and one more on each side.

    Places and shares of rows are multiples of a power of two, so that they are the same numbers in a part of the map.
    """
    first = max(band.start // times - 1, 0)
    last = min(-(-band.stop // times) + 1, x.shape[2])
    part = resize(x[:, :, first:last], ((last - first) * times, size[1]))
    return part[:, :, band.start - first * times : band.stop - first * times]


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
