"""Relative depth beside an image (CDDA)."""

from __future__ import annotations

import cv2
import numpy as np

from mmseg.datasets.image_io import read_depth
from mmseg.datasets.transforms.base import Results, Transform
from mmseg.registry import TRANSFORMS


def tone_curve() -> np.ndarray:
    """(256,) uint8: inverse depth g -> depth D = floor(255 exp(-6 g / 256)), 0 = near, 255 = far.

    Inverse depth crowds far things into a few grey levels; the curve spreads them over many bins.
    """
    return np.floor(255 * np.exp(-6 * np.arange(256) / 256)).astype(np.uint8)


_CURVE = tone_curve()


@TRANSFORMS.register_module()
class LoadDepth(Transform):
    """Read ``depth_path`` as ``depth`` (h, w) float32 in 0..255, after the tone curve: larger = farther.

    It belongs before ``Resize``, which brings maps of any size to the image's, bilinearly. Cropping and flipping follow
    the image, padding is 255. ``PackTrainInputs`` cuts off the decimals.

    Raises:
        ValueError: the dataset has no folder of depth maps, or a file is none (16 bits, colours, broken).
    """

    def __call__(self, results: Results) -> Results:
        path = results.get('depth_path')
        if path is None:
            raise ValueError(
                "LoadDepth: give the dataset its folder of depth maps, e.g. data_prefix.depth_path='depth_any'"
            )
        results['depth'] = cv2.LUT(read_depth(path), _CURVE).astype(np.float32)
        return results
