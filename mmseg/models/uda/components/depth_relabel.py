"""What a similar source crop changes in the pseudo-labels: their weights, and the classes that they lack (CDDA)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from mmseg.models.precision import at_least_float32, without_autocast
from mmseg.models.resize import resize
from mmseg.models.uda.components.depth_similarity import DepthMatch

REGIONS = ('class', 'first_row')
ALMOST_ONE = 0.99999  # of the original, which finds the entries of the one-hot labels by their value 1
UNTOUCHED, CONFIDENT = -1.0, 2.0  # what is to happen to a class, where it is no new weight from 0 to 1


class SoftLabels(NamedTuple):
    """Probabilities of classes that the pseudo-labels of an image lack; n pairs of image and class.

    Attributes:
        images: n numbers of images in the batch.
        classes: n class numbers.
        values: (n, H, W) float, probability of the class at each pixel; 0 where the crop has it not at that depth.
    """

    images: list[int]
    classes: list[int]
    values: Tensor


def reweight(
    weight: Tensor,
    labels: Tensor,
    confident: Tensor,
    similarity: Tensor,
    chosen: Tensor,
    high: float = 0.75,
    low: float = 0.1,
    ignore_classes: Sequence[int] = (),
    region: str = 'class',
) -> Tensor:
    """Weights of the pixels of each class by how similar the class is to that of the matched crop.

    Above ``high`` confident pixels weigh 1 and others what they did; below ``low`` all weigh 0; in between all weigh
    (similarity - low) / (high - low).

    Args:
        weight: (B, H, W) before.
        labels: (B, H, W) int64 pseudo-labels.
        confident: (B, H, W) bool.
        similarity: (B, C) from 0.
        chosen: (B,) bool, images that are changed at all.
        high: see above.
        low: see above.
        ignore_classes: classes whose pixels stay as they are (for SYNTHIA those that it lacks).
        region: ``class``: pixels of the class. ``first_row``: what the published training did: the classes of an
            image's first row of pixels stand for the columns below them where a class is above ``high``, and else for
            the rows of the same numbers; where both meet, the larger class number wins.

    Raises:
        ValueError: ``first_row`` with images that are not square.
    """
    new = ((similarity - low) / (high - low)).masked_fill(similarity < low, 0)
    plan = new.masked_fill(similarity > high, CONFIDENT).masked_fill(~chosen[:, None], UNTOUCHED)
    ignored = torch.tensor([index in ignore_classes for index in range(plan.shape[1])])
    plan = plan.masked_fill(ignored.to(plan.device, non_blocking=True), UNTOUCHED).to(weight.dtype)
    plan = torch.cat([plan, plan.new_full((len(plan), 1), UNTOUCHED)], dim=1)  # the last for pixels of no class
    if region == 'first_row':
        return _reweight_first_row(weight, labels, confident, plan)
    ours = _look_up(plan, labels)
    changed = torch.where(ours > 1, torch.where(confident, 1, weight), ours)
    return torch.where(ours < 0, weight, changed)


def _look_up(plan: Tensor, labels: Tensor) -> Tensor:
    """Entry of a table (B, C + 1) for each label (B, ...)."""
    batch, entries = plan.shape
    known = (labels >= 0) & (labels < entries - 1)
    rows = torch.arange(batch, device=plan.device).view(batch, *[1] * (labels.ndim - 1)) * entries
    places = (torch.where(known, labels, entries - 1) + rows).int()
    return plan.flatten().index_select(0, places.flatten()).view_as(labels)


def _reweight_first_row(weight: Tensor, labels: Tensor, confident: Tensor, plan: Tensor) -> Tensor:
    if weight.shape[1] != weight.shape[2]:
        raise ValueError(
            f"depth_guidance: weight_region='first_row' needs square crops, not {tuple(weight.shape[1:])}; use 'class'"
        )
    row = labels[:, 0]
    ours = _look_up(plan, row)
    by_row = ((ours >= 0) & (ours <= 1))[:, :, None].expand_as(weight)
    by_column = (ours > 1)[:, None, :] & confident
    later = row[:, None, :] > row[:, :, None]
    changed = torch.where(by_row, ours[:, :, None], weight)
    return torch.where(by_column & (~by_row | later), 1, changed)


def class_shares(match: DepthMatch, chosen: Tensor) -> Tensor:
    """Share of each class among the matched crop's pixels at a depth, for classes that only the crop has.

    Args:
        match: the crops.
        chosen: (B,) bool, images that are changed at all.

    Returns:
        (B, C, K), 0 for all other classes and for depths that the crop lacks.
    """
    shares = match.counts / match.counts.sum(dim=1, keepdim=True).clamp(min=1)
    shares = shares.masked_fill(shares >= 1, ALMOST_ONE)
    return shares * (match.missing & chosen[:, None])[..., None]


def soft_labels(shares: Tensor, depth: Tensor, pairs: Sequence[tuple[int, int]]) -> SoftLabels:
    """Soft labels of some classes by the depth of each pixel.

    Args:
        shares: (B, C, K) of :func:`class_shares`.
        depth: (B, H, W) 0 to K - 1; floats are rounded down.
        pairs: image and class of each.
    """
    images, classes = [image for image, _ in pairs], [index for _, index in pairs]
    levels = depth.flatten(1).int()
    planes = [shares[image, index].index_select(0, levels[image]) for image, index in pairs]
    values = torch.stack(planes) if planes else shares.new_zeros(0)
    return SoftLabels(images, classes, values.view(len(pairs), *depth.shape[1:]))


def hard_share(soft: SoftLabels, batch: int) -> Tensor:
    """(B, H, W) what soft labels leave for the pseudo-label of each pixel, so that all sum to 1."""
    left = soft.values.new_ones(batch, *soft.values.shape[1:])
    for image, values in zip(soft.images, soft.values, strict=True):
        left[image] -= values
    return left


def guidance_loss(logits: Tensor, labels: Tensor, soft: SoftLabels, weight: Tensor) -> Tensor:
    """Cross-entropy with pseudo-labels where soft labels take a share, without labels of every class and pixel.

    Args:
        logits: (B, C, h, w), resized to the labels' size.
        labels: (B, H, W) int64 pseudo-labels; other values than classes add nothing but their soft labels.
        soft: of missing classes.
        weight: (B, H, W) of each pixel.

    Returns:
        the mean over all pixels, a scalar.
    """
    with without_autocast(logits.device):
        scores = resize(at_least_float32(logits), labels.shape[1:])
        total = scores.logsumexp(dim=1)  # - log p(c) = total - score of c
        known = (labels >= 0) & (labels < scores.shape[1])
        of_label = scores.gather(1, labels.masked_fill(~known, 0)[:, None])[:, 0]
        share = (hard_share(soft, len(labels)) * known).to(scores.dtype)
        parts = list((share * (total - of_label)).unbind())
        for image, index, values in zip(*soft, strict=True):
            parts[image] = parts[image] + values.to(scores.dtype) * (total[image] - scores[image, index])
        return (torch.stack(parts) * weight).mean()
