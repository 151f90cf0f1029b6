"""Predictions at the original size, a band of rows at a time.

At 1024x2048 the scores of 19 classes fill 160 MB, at 24 million pixels 1.8 GB, and resizing, softmax and averaging each
make another such map. The network's own output is smaller, so it is enlarged band by band wherever it can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from mmseg.models.resize import BAND, bands, resize_band


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
