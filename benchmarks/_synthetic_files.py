"""Images and label maps made up, as files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def write_images(folder: Path, size: tuple[int, int], count: int, classes: int) -> None:
    """Blocks of classes and of colours under a little noise, which make files of usual size.

    Args:
        folder: gets ``images`` and ``labels``.
        size: (height, width) in pixels.
        count: how many.
        classes: train ids in the labels; a few rows are 255.
    """
    generator = np.random.default_rng(0)
    height, width = size
    for kind in ('images', 'labels'):
        (folder / kind).mkdir(parents=True)
    for number in range(count):
        coarse = generator.integers(0, 256, (height // 32 + 1, width // 32 + 1, 3), np.uint8)
        image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        image = cv2.add(image, generator.integers(0, 6, image.shape, np.uint8))
        label = cv2.resize(coarse[..., 0] % classes, (width, height), interpolation=cv2.INTER_NEAREST)
        label[:8] = 255
        cv2.imwrite(str(folder / f'images/{number:04d}.png'), image)
        cv2.imwrite(str(folder / f'labels/{number:04d}.png'), label)
