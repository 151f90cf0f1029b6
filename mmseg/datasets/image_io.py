"""Reading images, label maps and depth maps, with errors that name the file; writing PNG files."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

_PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'
# Pillow spreads grey PNG samples of so many bits over 0..255: the factor.
_GREY_FACTORS = {2: 85, 4: 17}

# What Pillow raises for broken files, besides OSError ("image file is truncated").
_BROKEN = (OSError, SyntaxError, EOFError, ValueError, struct.error, zlib.error)

# PNG's filters turn areas of one id into differences, which take four times as long to undo as to read the ids.
_FOR_LABELS = [cv2.IMWRITE_PNG_COMPRESSION, 3, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT]
if hasattr(cv2, 'IMWRITE_PNG_FILTER'):
    _FOR_LABELS += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]


def _read_bytes(path: str, what: str) -> np.ndarray:
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f'{what} {path} does not exist') from None
    if not content:
        raise ValueError(f'{what} {path} is an empty file')
    return np.frombuffer(content, np.uint8)


def read_image(path: str) -> np.ndarray:
    """Read any image (grey, palette, RGBA, CMYK, 16-bit, PNG, JPEG, ...) as (H, W, 3) BGR uint8.

    It is upright if the file has an EXIF orientation. Transparency is dropped.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no image, or broken.
    """
    content = _read_bytes(path, 'image')
    try:
        image = cv2.imdecode(content, cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ValueError(f'image {path} cannot be read: OpenCV wants {error.err}') from None
    if image is None or _is_cut_jpeg(path, content):
        raise ValueError(f'image {path} cannot be read: it is broken or not an image')
    return image


def _is_cut_jpeg(path: str, content: np.ndarray) -> bool:
    """Whether a JPEG file ends early: OpenCV 4 fills the rest of the picture with grey and says nothing."""
    if content[:2].tobytes() != b'\xff\xd8' or content[-2:].tobytes() == b'\xff\xd9':
        return False
    # Whole files may have something behind the end mark. Pillow tells them apart.
    try:
        with Image.open(path) as image:
            image.load()
    except _BROKEN:
        return True
    return False


def read_16_bit_colour(path: str) -> np.ndarray:
    """Read a 3-channel PNG in its own bit depth as (H, W, 3), channels in the order blue, green, red.

    Pillow reduces such files to 8 bits without a word, so OpenCV reads them.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no image, broken, or has another number of channels.
    """
    image = cv2.imdecode(_read_bytes(path, 'label map'), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(f'label map {path} cannot be read: it is broken or not an image')
    if image.ndim != 3 or image.shape[2] < 3:
        raise ValueError(
            f'label map {path} has one channel, expected a colour PNG with the class id in its red channel'
        )
    return image[..., :3]


def open_label(path: str) -> tuple[np.ndarray, str]:
    """Read a label file as stored: (H, W) values of grey and palette PNGs, or (H, W, C) colours; and Pillow's mode.

    Grey PNGs of 2 and 4 bits give the values in the file, too.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no image, or broken.
    """
    try:
        with open(path, 'rb') as file:
            factor = _grey_factor(file.read(26))
            file.seek(0)
            with Image.open(file) as image:
                values = np.asarray(image)
                return values if factor == 1 else values // np.uint8(factor), image.mode
    except FileNotFoundError:
        raise FileNotFoundError(f'label map {path} does not exist') from None
    except UnidentifiedImageError:
        raise ValueError(f'label map {path} is not an image') from None
    except _BROKEN as error:
        raise ValueError(f'label map {path} cannot be read: {error}') from None


def _grey_factor(header: bytes) -> int:
    """By how much Pillow multiplies the samples of the file with these first 26 bytes."""
    if len(header) < 26 or not header.startswith(_PNG_SIGNATURE):
        return 1
    bits, colour_type = header[24:26]
    return _GREY_FACTORS.get(bits, 1) if colour_type == 0 else 1


def read_label(path: str) -> np.ndarray:
    """Read a label map with one id per pixel as (H, W) uint8; of palette PNGs the indices.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no image, broken, a colour picture, or holds ids beyond 255.
    """
    label, mode = open_label(path)
    if label.ndim != 2:
        raise ValueError(f'label map {path} is a colour picture (mode {mode}), expected one train id per pixel')
    if label.dtype != np.uint8:
        if label.size and not 0 <= label.min() <= label.max() <= 255:
            raise ValueError(f'label map {path} holds ids from {label.min()} to {label.max()}, expected 0 to 255')
        label = label.astype(np.uint8)
    return label


def read_depth(path: str) -> np.ndarray:
    """Read a map of inverse relative depth, 0 = farthest to 255 = nearest, as (H, W) uint8.

    Colour files are taken if their three channels are equal.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no image, broken, has 16 bits, or shows depth in colours.
    """
    depth = cv2.imdecode(_read_bytes(path, 'depth map'), cv2.IMREAD_UNCHANGED)
    expected = 'expected 8-bit grey inverse depth, 255 = nearest; to make such maps: tools/generate_depth.py'
    if depth is None:
        raise ValueError(f'depth map {path} cannot be read: it is broken or not an image')
    if depth.dtype != np.uint8:
        raise ValueError(f'depth map {path} has {8 * depth.itemsize} bits per pixel, {expected}')
    if depth.ndim == 2:
        return depth
    grey = depth[..., 0]
    # An alpha channel says nothing of depth.
    if any(not np.array_equal(grey, depth[..., channel]) for channel in range(1, min(depth.shape[2], 3))):
        raise ValueError(f'depth map {path} is a colour picture, {expected}')
    return np.ascontiguousarray(grey)


def write_png(path: str, picture: np.ndarray) -> None:
    """Write a (H, W) grey or (H, W, 3) BGR array as a PNG of its bit depth: whole, or not at all."""
    _write_png(path, picture, [])


def write_label(path: str, label: np.ndarray) -> None:
    """Write a (H, W) map of ids as a PNG that decodes fast: whole, or not at all."""
    _write_png(path, label, _FOR_LABELS)


def _write_png(path: str, picture: np.ndarray, options: list[int]) -> None:
    unfinished = f'{path}.{os.getpid()}.tmp'
    Path(unfinished).write_bytes(cv2.imencode('.png', picture, options)[1].tobytes())
    os.replace(unfinished, path)
