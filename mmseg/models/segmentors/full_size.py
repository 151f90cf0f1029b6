"""Predictions at the original size, a band of rows at a time.

At 1024x2048 the scores of 19 classes fill 160 MB, at 24 million pixels 1.8 GB, and resizing, softmax and averaging each
make another such map. The network's own output is smaller, so it is enlarged band by band wherever it can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmseg.models.resize import resize

BAND = 2**22  # numbers (classes x pixels) that a band may hold: 16 MB in float32


def bands(size: Sequence[int], numbers_per_pixel: int, limit: int) -> list[slice]:
    """Rows of a map of ``size`` = (h, w) in groups of at most ``limit`` numbers, one row at least."""
    rows = max(1, limit // (numbers_per_pixel * size[1]))
    return [slice(top, min(top + rows, size[0])) for top in range(0, size[0], rows)]


def resize_band(x: Tensor, size: Sequence[int], band: slice, align_corners: bool) -> Tensor:
    """Some rows of what :func:`mmseg.models.resize.resize` gives.

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


def label_maps(
    network: Any,
    predictions: Iterable[Tensor],
    count: int,
    size: Sequence[int],
    together: bool,
    limit: int | None = None,
) -> Tensor:
    """The likeliest class of each pixel by the mean of several predictions.

    Args:
        network: the segmentor; its ``to_probabilities``, ``to_label_maps`` and ``align_corners`` are used.
        predictions: logits (B, C, h, w) of any sizes, made as they are asked for.
        count: how many.
        size: height and width of the result.
        together: hold all predictions instead of their sum at full size: less memory where they are small.
        limit: numbers that a band may hold; None = ``BAND``.

    Returns:
        (B, 1, H, W) of ``to_label_maps``.
    """
    limit = BAND if limit is None else limit
    parts: Iterable[Tensor]
    if together or count == 1:
        parts = _mean_by_bands(network, list(predictions), size, limit)
    else:
        parts = _running_mean(network, predictions, count, size, limit)
    return torch.cat([network.to_label_maps(part) for part in parts], dim=2)


def _mean_by_bands(network: Any, predictions: list[Tensor], size: Sequence[int], limit: int) -> Iterable[Tensor]:
    for band in bands(size, predictions[0].shape[:2].numel(), limit):
        parts = (resize_band(logits, size, band, network.align_corners) for logits in predictions)
        if len(predictions) == 1:
            # The largest score is the largest probability.
            yield from parts
        else:
            yield sum(network.to_probabilities(part) for part in parts) / len(predictions)


def _running_mean(
    network: Any, predictions: Iterable[Tensor], count: int, size: Sequence[int], limit: int
) -> Iterable[Tensor]:
    total: Tensor | None = None
    for logits in predictions:
        if total is None:
            total = logits.new_zeros(*logits.shape[:2], *size)
            rows = bands(size, logits.shape[:2].numel(), limit)
        for band in rows:
            total[:, :, band] += network.to_probabilities(resize_band(logits, size, band, network.align_corners))
        # The next prediction is made while this name would still hold the last.
        del logits
    for band in rows:
        yield total[:, :, band] / count
