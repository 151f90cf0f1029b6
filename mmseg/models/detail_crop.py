"""HRDA's geometry: random detail crops, their place on coarser grids, images at several scales."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class DetailView(NamedTuple):
    """Which parts of the images a batch of detail images shows.

    Attributes:
        image_size: height and width of the whole, in pixels of the detail.
        size: height and width of one detail image, or of a window where their logits are merged already.
        crop_box: (4,) int64 y1, y2, x1, x2, if they are crops, one box for the whole batch.
    """

    image_size: tuple[int, int]
    size: tuple[int, int]
    crop_box: Tensor | None = None


def draw_offset(length: int, crop: int, divisible: int, generator: torch.Generator | None = None) -> int:
    """Draw where a crop starts along one axis, a multiple of ``divisible``.

    With ``divisible`` above 1 the last multiple that would fit is never drawn, as in the published trainings.

    Raises:
        ValueError: if the crop is longer than the image.
    """
    if crop > length:
        raise ValueError(f'hr_crop_size {crop} exceeds the training images of {length} pixels: train on larger crops')
    choices = max((length - crop + 1) // divisible, 1)
    return divisible * int(torch.randint(choices, (1,), generator=generator))


def crop(x: Tensor, box: Tensor, size: Sequence[int]) -> Tensor:
    """The part of (..., H, W) that starts at ``box`` = y1, y2, x1, x2.

    The box stays a tensor and the size is fixed, so that a compiled network serves all boxes.

    Args:
        x: image, label map or weight.
        box: (4,) int64 on the device of ``x``.
        size: height and width of the box.
    """
    rows = box[0] + torch.arange(size[0], device=x.device)
    columns = box[2] + torch.arange(size[1], device=x.device)
    return x.index_select(-2, rows).index_select(-1, columns)


def scale_box(box: Tensor, cell: float) -> Tensor:
    """A box in pixels as one in cells of ``cell`` pixels: divided and truncated."""
    return torch.div(box.double(), cell, rounding_mode='trunc').long()


def box_mask(box: Tensor, size: Sequence[int]) -> Tensor:
    """(h, w) bool, True inside ``box`` (4,) on a grid of ``size``."""
    rows = torch.arange(size[0], device=box.device)[:, None]
    columns = torch.arange(size[1], device=box.device)
    return (rows >= box[0]) & (rows < box[1]) & (columns >= box[2]) & (columns < box[3])


def paste(x: Tensor, box: Tensor, size: Sequence[int]) -> Tensor:
    """``x`` (B, C, h, w) on a (B, C, H, W) canvas of zeros, its upper left corner where ``box`` starts."""
    rows = box[0] + torch.arange(x.shape[2], device=x.device)
    columns = box[2] + torch.arange(x.shape[3], device=x.device)
    canvas = x.new_zeros(*x.shape[:2], *size)
    return canvas.index_copy(2, rows, x.new_zeros(*x.shape[:2], x.shape[2], size[1]).index_copy(3, columns, x))


def rescale(x: Tensor, factor: float) -> Tensor:
    """Bilinear resizing of (B, C, h, w) by a factor; sizes are rounded down."""
    return x if factor == 1 else F.interpolate(x, scale_factor=factor, mode='bilinear', align_corners=False)


def size_divisor(scales: Sequence[float], stride: int) -> int:
    """For sides of images that are multiples of this, logits of all scales cover the same area.

    Args:
        scales: of the branches.
        stride: pixels of a branch's image per logit.
    """
    return math.lcm(*((Fraction(scale).limit_denominator(1000) / stride).denominator for scale in scales))


def fitting_side(side: int, scales: Sequence[float], stride: int) -> int:
    """The smallest side from ``side`` on for which logits of both scales cover the same area.

    Args:
        side: of images, in pixels.
        scales: of context and detail.
        stride: pixels of a branch's image per logit.
    """
    while not _fits(side, scales, stride):
        side += 1
    return side


def _fits(side: int, scales: Sequence[float], stride: int) -> bool:
    context, detail = (math.floor(side * scale) for scale in scales)
    return same_area(-(-context // stride), detail, scales[1] / scales[0], stride)


def same_area(context_logits: int, detail_pixels: int, ratio: float, stride: int) -> bool:
    """Whether a side of the context's logits, enlarged by ``ratio`` and rounded down, is that of the detail's."""
    return math.floor(context_logits * ratio) * stride == detail_pixels


def output_stride(pixels: int, logits: int) -> int:
    """Pixels per logit, from the side of an image and that of its logits.

    Encoders round up where the side is no multiple of their stride, so a power of two that explains both sides is
    preferred to the plain quotient (a transformer's 14).
    """
    power = 2 ** math.ceil(math.log2(pixels / logits))
    return power if -(-pixels // power) == logits else pixels // logits
