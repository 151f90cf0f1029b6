"""Photometric distortion of images (SSD's, as mmsegmentation applies it)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mmseg.datasets.transforms.base import Results, Transform
from mmseg.registry import TRANSFORMS


@dataclass(frozen=True)
class PhotometricFactors:
    """What a distortion does; None = that step is left out.

    Attributes:
        brightness: added to all channels.
        contrast: factor on all channels.
        contrast_last: contrast comes after saturation and hue instead of before.
        saturation: factor on HSV's saturation.
        hue: steps of 2 degrees added to HSV's hue.
    """

    brightness: float | None = None
    contrast: float | None = None
    contrast_last: bool = False
    saturation: float | None = None
    hue: int | None = None


def _linear_table(factor: float = 1.0, offset: float = 0.0) -> np.ndarray:
    """(256,) uint8: clip(v * factor + offset) to 0..255, decimals cut off."""
    values = np.arange(256, dtype=np.float32) * np.float32(factor) + np.float32(offset)
    return values.clip(0, 255).astype(np.uint8)


def _change_hsv(image: np.ndarray, channel: int, table: np.ndarray) -> np.ndarray:
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    hsv[..., channel] = cv2.LUT(hsv[..., channel], table)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)


def distort(image: np.ndarray, factors: PhotometricFactors) -> np.ndarray:
    """Distort a (H, W, 3) BGR uint8 image; every step rounds down to uint8."""
    contrast = None if factors.contrast is None else _linear_table(factor=factors.contrast)
    if factors.brightness is not None:
        image = cv2.LUT(image, _linear_table(offset=factors.brightness))
    if contrast is not None and not factors.contrast_last:
        image = cv2.LUT(image, contrast)
    if factors.saturation is not None:
        image = _change_hsv(image, 1, _linear_table(factor=factors.saturation))
    if factors.hue is not None:  # OpenCV's 8-bit hue counts 0..179
        image = _change_hsv(image, 0, ((np.arange(256) + factors.hue) % 180).astype(np.uint8))
    if contrast is not None and factors.contrast_last:
        image = cv2.LUT(image, contrast)
    return image


@TRANSFORMS.register_module()
class PhotoMetricDistortion(Transform):
    """Brightness, contrast (before or after the colours), saturation and hue, each with probability 1/2.

    Args:
        brightness_delta: largest amount added.
        contrast_range: range of the contrast factor.
        saturation_range: range of the saturation factor.
        hue_delta: largest change of OpenCV's hue (2 degrees each), the positive end excluded.
    """

    random = True

    def __init__(
        self,
        brightness_delta: float = 32,
        contrast_range: tuple[float, float] = (0.5, 1.5),
        saturation_range: tuple[float, float] = (0.5, 1.5),
        hue_delta: int = 18,
    ):
        self.brightness_delta = brightness_delta
        self.contrast_range = contrast_range
        self.saturation_range = saturation_range
        self.hue_delta = hue_delta

    def draw(self, generator: np.random.Generator) -> PhotometricFactors:
        """Draw the factors, in the originals' order (contrast at its place)."""

        def uniform(low: float, high: float) -> float | None:
            return float(generator.uniform(low, high)) if generator.integers(2) else None

        brightness = uniform(-self.brightness_delta, self.brightness_delta)
        contrast_last = not generator.integers(2)
        contrast = None if contrast_last else uniform(*self.contrast_range)
        saturation = uniform(*self.saturation_range)
        hue = int(generator.integers(-self.hue_delta, self.hue_delta)) if generator.integers(2) else None
        if contrast_last:
            contrast = uniform(*self.contrast_range)
        return PhotometricFactors(brightness, contrast, contrast_last, saturation, hue)

    def __call__(self, results: Results) -> Results:
        results['img'] = distort(results['img'], results['draws']('photometric', self.draw))
        return results
