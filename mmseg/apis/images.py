"""What counts as an image: files, arrays and Pillow images."""

from __future__ import annotations

import os
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageOps

from mmseg.datasets.image_io import read_image

ImageLike: TypeAlias = 'str | os.PathLike[str] | np.ndarray | Image.Image'


def as_bgr(image: ImageLike) -> np.ndarray:
    """An image of any kind as (H, W, 3) BGR uint8, upright by its EXIF entry.

    Args:
        image: path; Pillow image of any mode; or array as OpenCV gives it: (H, W), (H, W, 1), (H, W, 3) BGR or
            (H, W, 4) BGRA, uint8 or uint16. Transparency is dropped, 16 bits are reduced to 8.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is broken, or the array has another form.
        TypeError: something else.
    """
    if isinstance(image, (str, os.PathLike)):
        return read_image(os.fspath(image))
    if isinstance(image, Image.Image):
        return _array_as_bgr(_pillow_as_array(image))
    if isinstance(image, np.ndarray):
        return _array_as_bgr(image)
    raise TypeError(f'{type(image).__name__} is no image: expected a path, an array (H, W, 3) or a Pillow image')


def _array_as_bgr(image: np.ndarray) -> np.ndarray:
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or image.size == 0:
        raise ValueError(
            f'image array of shape {image.shape}: expected (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA'
        )
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.dtype != np.uint8:
        raise ValueError(f'image array of type {image.dtype}: expected uint8 (0 to 255) or uint16')
    if image.shape[2] == 1:
        image = image.repeat(3, axis=2)
    return np.ascontiguousarray(image[..., :3])


def _pillow_as_array(image: Image.Image) -> np.ndarray:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith('I'):
        # Pillow would clip the values of 16-bit files at 255.
        return np.clip(np.asarray(image), 0, 65535).astype(np.uint16)
    if image.mode == 'F':
        raise ValueError('a Pillow image of mode F holds numbers of unknown range: convert it to mode RGB or L first')
    if 'transparency' in image.info:
        image = image.convert('RGBA')
    return np.asarray(image.convert('RGB'))[..., ::-1]
