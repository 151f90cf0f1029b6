"""Mask of the pixels whose pseudo-labels can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from mmseg.datasets.transforms.base import Results, Transform
from mmseg.datasets.transforms.resize import resize_map
from mmseg.registry import TRANSFORMS


@lru_cache(maxsize=8)
def margin_mask(margins: tuple[int, ...], canvas: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """Ones with zero margins (top, bottom, left, right) on a canvas (h, w), resized to ``shape``; read-only uint8."""
    top, bottom, left, right = margins
    mask = np.zeros(canvas, np.uint8)
    mask[top : canvas[0] - bottom, left : canvas[1] - right] = 1
    mask = resize_map(mask, shape[::-1])
    mask.setflags(write=False)
    return mask


@TRANSFORMS.register_module()
class PseudoMargins(Transform):
    """Add ``valid`` (H, W) uint8: 0 at the margins, where pseudo-labels are bad (bonnet, rectification border).

    Belongs after ``Resize``; ``UDADataset(pseudo_margins=...)`` puts it there.

    Args:
        margins: (top, bottom, left, right) in pixels of the canvas. DAFormer's successors take (30, 240, 30, 30).
        canvas: (height, width) the margins are meant for; by default the size of the image file.
    """

    def __init__(self, margins: Sequence[int], canvas: tuple[int, int] | None = None):
        if len(margins) != 4 or min(margins) < 0:
            raise ValueError(f'PseudoMargins: margins must be (top, bottom, left, right), got {margins}')
        self.margins = tuple(int(margin) for margin in margins)
        self.canvas = canvas

    def __call__(self, results: Results) -> Results:
        canvas = tuple(self.canvas or results['ori_shape'])
        top, bottom, left, right = self.margins
        if top + bottom >= canvas[0] or left + right >= canvas[1]:
            raise ValueError(f'PseudoMargins: margins {self.margins} leave nothing of {canvas[1]}x{canvas[0]} pixels')
        results['valid'] = margin_mask(self.margins, canvas, results['img'].shape[:2])
        return results
