"""Label maps laid over their images."""

from __future__ import annotations

import cv2
import numpy as np

from mmseg.visualization.palette import Palette, colorize


def overlay(image: np.ndarray, label: np.ndarray, palette: Palette, opacity: float = 0.5) -> np.ndarray:
    """Blend the colours of a label map into its image; pixels without a class show the image alone.

    Args:
        image: (H, W, 3) uint8 RGB.
        label: (H, W) class ids.
        palette: RGB of each class.
        opacity: 0 shows the image, 1 the colours.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: the sizes differ, or the opacity is outside 0..1.
    """
    if image.shape[:2] != label.shape:
        raise ValueError(f'image of {image.shape[:2]} and label map of {label.shape} cannot be laid over each other')
    if not 0 <= opacity <= 1:
        raise ValueError(f'opacity is {opacity}, expected a number from 0 to 1')
    image = np.ascontiguousarray(image)
    blended = cv2.addWeighted(image, 1 - opacity, colorize(label, palette), opacity, 0)
    unlabelled = np.asarray(label) >= len(palette)
    if unlabelled.any():
        blended[unlabelled] = image[unlabelled]
    return blended
