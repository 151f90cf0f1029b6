"""Label maps as colours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Palette = Sequence[Sequence[int]]

_JPEG = {'format': 'JPEG', 'quality': 92}
PICTURE_FORMATS = {'.png': {'format': 'PNG'}, '.jpg': _JPEG, '.jpeg': _JPEG}


def colorize(label: np.ndarray, palette: Palette) -> np.ndarray:
    """Colours of a label map.

    Args:
        label: (H, W) class ids.
        palette: RGB of each class.

    Returns:
        (H, W, 3) uint8 RGB; ids without a colour (such as 255 = ignore) are black.
    """
    return _table(palette)[np.asarray(label).astype(np.uint8)]


def save_palette_png(label: np.ndarray, palette: Palette, path: str | os.PathLike[str]) -> None:
    """Write a label map as a PNG that holds the class ids and shows their colours."""
    save_png(palette_image(label, palette), path)


def palette_image(label: np.ndarray, palette: Palette) -> Image.Image:
    """A label map as an image that holds the class ids and shows their colours."""
    image = Image.fromarray(np.asarray(label).astype(np.uint8)).convert('P')
    image.putpalette(_table(palette).flatten().tolist())
    return image


def save_png(image: np.ndarray | Image.Image, path: str | os.PathLike[str]) -> None:
    """Write a PNG, folders included, so that no half-written file is ever seen under ``path``.

    Args:
        image: (H, W) or RGB (H, W, 3) uint8 array, or a Pillow image.
    """
    _save(image, Path(path), format='PNG')


def save_picture(image: np.ndarray, path: str | os.PathLike[str]) -> None:
    """Write an RGB picture (H, W, 3) as what the file's suffix says, ``.png`` or ``.jpg``, as :func:`save_png` does.

    Raises:
        ValueError: for another suffix.
    """
    path = Path(path)
    options = PICTURE_FORMATS.get(path.suffix.lower())
    if options is None:
        raise ValueError(f'{path}: pictures are written as {", ".join(PICTURE_FORMATS)}')
    _save(image, path, **options)


def _save(image: np.ndarray | Image.Image, path: Path, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}')
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(temporary, **options)
    temporary.replace(path)


def _table(palette: Palette) -> np.ndarray:
    table = np.zeros((256, 3), np.uint8)
    table[: len(palette)] = np.asarray(palette, np.uint8)
    return table
