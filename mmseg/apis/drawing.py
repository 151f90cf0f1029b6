"""The pictures that can be made of a prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmseg.visualization.layout import PAPER
from mmseg.visualization.legend import add_legend, all_classes, present_classes
from mmseg.visualization.overlay import overlay
from mmseg.visualization.palette import Palette, colorize

KINDS = ('overlay', 'colour', 'side-by-side')


@dataclass(frozen=True)
class Drawing:
    """How predictions are drawn.

    Attributes:
        classes: names.
        palette: RGB of each class.
        opacity: of the colours over the image, 0 to 1.
        legend: ``auto``, ``right`` or ``bottom``; None for none.
        whole_legend: list every class, not those present: pictures of one size, for videos.
    """

    classes: Sequence[str]
    palette: Palette
    opacity: float = 0.5
    legend: str | None = None
    whole_legend: bool = False

    def draw(self, kind: str, image: np.ndarray, label: np.ndarray) -> np.ndarray:
        """One picture.

        Args:
            kind: ``overlay``: colours over the image; ``colour``: colours alone; ``side-by-side``: the image and its
                overlay.
            image: (H, W, 3) uint8 RGB.
            label: (H, W) class ids.

        Returns:
            (h, w, 3) uint8 RGB; without legend of the image's size, ``side-by-side`` twice as wide and a gap.

        Raises:
            ValueError: unknown kind, or sizes that differ.
        """
        if kind == 'colour':
            picture = colorize(label, self.palette)
        elif kind in KINDS:
            picture = overlay(image, label, self.palette, self.opacity)
        else:
            raise ValueError(f'no such kind of picture: {kind!r}; there are {", ".join(KINDS)}')
        if kind == 'side-by-side':
            gap = np.full((image.shape[0], max(2, image.shape[1] // 128), 3), PAPER, np.uint8)
            picture = np.hstack([image, gap, picture])
        if self.legend is None:
            return picture
        if self.whole_legend:
            return add_legend(picture, all_classes(self.classes, self.palette), self.legend)
        return add_legend(picture, present_classes(label, self.classes, self.palette), self.legend)
