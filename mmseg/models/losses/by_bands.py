"""Cross entropy at the size of the labels without a map of that size for every class.

At 1024x1024 the scores of 19 classes and two images fill 160 MB, their logarithms and the gradients of both as much
again. What remains here is a band of rows, and the gradient at the network's own, smaller size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from mmseg.models.losses.cross_entropy import CrossEntropyLoss
from mmseg.models.resize import bands, resize_band

BandLoss = Callable[[Tensor, slice], tuple[Tensor, Tensor]]


def cross_entropy_by_bands(
    loss: CrossEntropyLoss,
    logits: Tensor,
    labels: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    align_corners: bool,
    limit: int,
) -> tuple[Tensor, Tensor]:
    """Loss and accuracy of resized logits, to rounding those of all rows at once.

    Args:
        loss: with reduction ``mean`` or ``sum``.
        logits: (B, C, h, w), at least float32.
        labels: (B, H, W) int64.
        weight: (B, H, W) factor on each pixel's loss.
        ignore_index: label that costs nothing.
        align_corners: rule of resizing.
        limit: numbers (images x classes x pixels) that a band may hold.

    Returns:
        The loss, with a gradient, and the per cent of pixels whose best class is the label.
    """
    size = labels.shape[1:]

    def of_band(part: Tensor, band: slice) -> tuple[Tensor, Tensor]:
        scores = resize_band(part, size, band, align_corners)
        weights = None if weight is None else weight[:, band]
        value = loss(scores, labels[:, band], weights, ignore_index, reduction_override='sum')
        return value, (scores.detach().max(dim=1).indices == labels[:, band]).sum()

    total, hits = _SumOfBands.apply(logits, of_band, bands(size, logits.shape[:2].numel(), limit))
    return total / loss.divisor(labels, ignore_index), 100 * hits.to(logits.dtype) / labels.numel()


class _SumOfBands(torch.autograd.Function):
    """The sum of the bands' losses; each band's gradient is made while the band is there, and only their sum kept."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, of_band: BandLoss, rows: Sequence[slice]) -> tuple[Tensor, Tensor]:
        leaf = logits.detach().requires_grad_()
        total = logits.new_zeros(())
        hits = torch.zeros((), dtype=torch.int64, device=logits.device)
        for band in rows:
            with torch.enable_grad():
                value, correct = of_band(leaf, band)
                value.backward()
            total += value.detach()
            hits += correct
        ctx.save_for_backward(leaf.grad)
        ctx.mark_non_differentiable(hits)
        return total, hits

    @staticmethod
    def backward(ctx: Any, grad_total: Tensor, _grad_hits: Any) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * grad_total, None, None
