"""Rectified pseudo-labels: fixed soft labels, weighted anew at every step by the distances to class prototypes.

Reference: ProDA (Zhang et al., CVPR 2021), sections 3.1 and 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mmseg.models.resize import resize
from mmseg.structures import IGNORE


class WeakView(NamedTuple):
    """How a training crop came out of its whole image.

    Attributes:
        size: height and width that the whole image was resized to.
        box: y1, y2, x1, x2 of the crop in that.
        flip: mirrored afterwards.
    """

    size: tuple[int, int]
    box: tuple[int, int, int, int]
    flip: bool


def views_of(meta: Sequence[Mapping[str, Any]]) -> list[WeakView]:
    """The views that the loader took.

    Raises:
        ValueError: it did not crop, or the whole image was not kept.
    """
    views = []
    for sample in meta:
        if 'crop_box' not in sample or 'crop_from' not in sample:
            raise ValueError(
                'ProDA follows crops of whole images: the target pipeline needs KeepWholeImage, then Resize and '
                'RandomCrop'
            )
        if 'sync_box' in sample:
            raise ValueError('ProDA cannot follow sync_crop_size: use RandomCrop in the pipelines')
        views.append(WeakView(tuple(sample['crop_from']), tuple(sample['crop_box']), bool(sample['flip'])))
    return views


def replay(maps: Tensor, views: Sequence[WeakView], stride: int, align_corners: bool) -> Tensor:
    """Maps of whole images, taken to the training crops.

    Args:
        maps: (B, A, h, w) of the whole images.
        views: one per image.
        stride: pixels of the crop per position of the result; where crops begin and their sizes are divided by it,
            rounded down.
        align_corners: rule of resizing.

    Returns:
        (B, A, crop height // stride, crop width // stride).

    Raises:
        ValueError: a crop is larger than its image.
    """
    crops = []
    for one, view in zip(maps, views, strict=True):
        small = resize(one[None], [length // stride for length in view.size], align_corners)[0]
        y1, x1 = view.box[0] // stride, view.box[2] // stride
        # Wherever the crop begins, it has the same size.
        y2, x2 = y1 + (view.box[1] - view.box[0]) // stride, x1 + (view.box[3] - view.box[2]) // stride
        if y2 > small.shape[1] or x2 > small.shape[2]:
            raise ValueError(
                f'ProDA follows crops inside their images, but one of {view.box[1] - view.box[0]}x'
                f'{view.box[3] - view.box[2]} (height x width) was taken of {view.size[0]}x{view.size[1]}: resize the '
                'target images to more, or crop less'
            )
        crop = small[:, y1:y2, x1:x2]
        crops.append(crop.flip(2) if view.flip else crop)
    return torch.stack(crops)


def rectified_labels(soft: Tensor, weights: Tensor, threshold: float = 0.0) -> Tensor:
    """Labels (B, H, W) of soft labels times class weights, 255 where the rectified probability is below the threshold.

    Args:
        soft: (B, C, H, W) probabilities.
        weights: (B, C, H, W), of :func:`prototype_weights`.
        threshold: of the likeliest class's share of all; 0 = keep all.
    """
    rectified = soft.to(weights.dtype) * weights
    highest, labels = rectified.max(dim=1)
    share = highest / rectified.sum(dim=1).clamp(min=torch.finfo(rectified.dtype).tiny)
    return labels.masked_fill(share < threshold, IGNORE)
