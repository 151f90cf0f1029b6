"""What the network sees of an image at test time: its scales and its mirrored versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from mmseg.models.resize import resize
from mmseg.models.segmentors.inference_options import InferenceOptions

FLIP_AXES = {'horizontal': -1, 'vertical': -2}


class View(NamedTuple):
    """Images (B, 3, H, W) of one scale, and how they are to be mirrored for the network."""

    images: Tensor
    flip: str | None

    def shown(self) -> Tensor:
        """The images as the network sees them."""
        return mirrored(self.images, self.flip)


def test_time_views(scales: Sequence[Tensor], options: InferenceOptions) -> list[View]:
    """All views of images that are given at one or several scales."""
    if options.scales is not None:
        scales = [_rescaled(images, ratio) for ratio in options.scales for images in scales]
    flips = [None, 'horizontal'] if options.flip_tta else [None]
    return [View(images, flip) for images in scales for flip in flips]


def mirrored(x: Tensor, direction: str | None) -> Tensor:
    """:func:`mirror`, or ``x`` itself for None."""
    return x if direction is None else mirror(x, direction)


def mirror(x: Tensor, direction: str) -> Tensor:
    """Mirror the last two axes: ``horizontal`` swaps left and right, ``vertical`` top and bottom.

    Raises:
        ValueError: for another direction.
    """
    if direction not in FLIP_AXES:
        raise ValueError(f'unknown flip direction {direction!r}; known: {", ".join(FLIP_AXES)}')
    return x.flip(FLIP_AXES[direction])


def _rescaled(images: Tensor, ratio: float) -> Tensor:
    return resize(images, [int(side * ratio) for side in images.shape[2:]], align_corners=True)
