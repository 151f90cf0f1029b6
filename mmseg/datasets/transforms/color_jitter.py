"""Colour jitter, grey images and slight blur of training images (torchvision's formulas on bytes)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mmseg.datasets.transforms.base import Results, Transform
from mmseg.registry import TRANSFORMS

STEPS = ('brightness', 'contrast', 'saturation', 'hue')


@dataclass(frozen=True)
class ColorFactors:
    """What is done to an image.

    Attributes:
        order: numbers of the steps in ``STEPS``.
        brightness, contrast, saturation: factors; 1 = as it is.
        hue: shift, in turns of the colour circle; 0 = as it is.
        grey: take the colour away.
        sigma: of the 3x3 blur, in pixels; 0 = none.
    """

    order: tuple[int, ...] = (0, 1, 2, 3)
    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0
    grey: bool = False
    sigma: float = 0.0


def jitter(image: np.ndarray, factors: ColorFactors) -> np.ndarray:
    """Change a (H, W, 3) BGR uint8 image; each step rounds to bytes."""
    steps: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
        lambda x: _blend(x, factors.brightness, 0),
        lambda x: _blend(x, factors.contrast, round(float(_grey(x).mean()))),
        lambda x: cv2.addWeighted(x, factors.saturation, _as_colour(_grey(x)), 1 - factors.saturation, 0),
        lambda x: _shift_hue(x, factors.hue),
    )
    idle = (factors.brightness == 1, factors.contrast == 1, factors.saturation == 1, factors.hue == 0)
    for number in factors.order:
        if not idle[number]:
            image = steps[number](image)
    if factors.grey:
        image = _as_colour(_grey(image))
    if factors.sigma > 0:
        image = cv2.GaussianBlur(image, (3, 3), factors.sigma)
    return image


def _grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)


def _as_colour(grey: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)


def _blend(image: np.ndarray, factor: float, level: int) -> np.ndarray:
    table = np.arange(256) * factor + level * (1 - factor)
    return cv2.LUT(image, table.clip(0, 255).round().astype(np.uint8))


def _shift_hue(image: np.ndarray, turns: float) -> np.ndarray:
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV_FULL)
    hsv[..., 0] += np.uint8(int(turns * 255) % 256)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR_FULL)


@TRANSFORMS.register_module()
class ColorJitter(Transform):
    """Jitter, then sometimes grey, then blur (ProCA's augmentation of source images; PBAL's strong view).

    Args:
        brightness, contrast, saturation: s; the factor is drawn from 1 - s .. 1 + s.
        hue: h; the shift is drawn from -h .. h turns.
        grey_prob: chance that an image loses its colour.
        blur_sigma: range of the width of a 3x3 Gaussian blur, in pixels; None = none.
        order: of ``brightness``, ``contrast``, ``saturation`` and ``hue``; None = drawn.

    Raises:
        ValueError: for an order that lacks one of them, or a strength that makes no sense.
    """

    random = True

    def __init__(
        self,
        brightness: float = 0.5,
        contrast: float = 0.5,
        saturation: float = 0.5,
        hue: float = 0.2,
        grey_prob: float = 0.2,
        blur_sigma: Sequence[float] | None = (0.1, 2.0),
        order: Sequence[str] | None = None,
    ):
        strengths = {'brightness': brightness, 'contrast': contrast, 'saturation': saturation}
        for name, value in strengths.items():
            if not 0 <= value <= 1:
                raise ValueError(f'ColorJitter: {name} must lie in 0..1, got {value}')
        if not 0 <= hue <= 0.5 or not 0 <= grey_prob <= 1:
            raise ValueError(f'ColorJitter: hue must lie in 0..0.5 and grey_prob in 0..1, got {hue} and {grey_prob}')
        if order is not None and sorted(order) != sorted(STEPS):
            raise ValueError(f'ColorJitter: order must have each of {", ".join(STEPS)} once, got {order}')
        self.order = None if order is None else tuple(STEPS.index(step) for step in order)
        self.strengths = strengths
        self.hue = hue
        self.grey_prob = grey_prob
        self.blur_sigma = blur_sigma

    def draw(self, generator: np.random.Generator) -> ColorFactors:
        """Draw the factors; all numbers are drawn whether they are used or not."""
        order = tuple(int(number) for number in generator.permutation(4))
        factors = {name: float(generator.uniform(1 - s, 1 + s)) for name, s in self.strengths.items()}
        hue, grey = float(generator.uniform(-self.hue, self.hue)), generator.random() < self.grey_prob
        sigma = float(generator.uniform(*self.blur_sigma)) if self.blur_sigma is not None else 0.0
        return ColorFactors(self.order or order, **factors, hue=hue, grey=bool(grey), sigma=sigma)

    def __call__(self, results: Results) -> Results:
        results['img'] = jitter(results['img'], results['draws']('color_jitter', self.draw))
        return results
