"""Whether a dataset's depth maps are there and of the right kind, before anything is computed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mmseg.datasets.image_io import read_depth, read_image

if TYPE_CHECKING:
    from mmseg.datasets.base_dataset import BaseSegDataset

DEPTH_OF = ('own', 'another')
_PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'
# 8-bit PNG of one channel, 8-bit PNG of several, anything else.
_GREY, _COLOUR, _OTHER = 'grey', 'colour', 'other'
# Colour files are fine if their channels are equal, which only reading tells: so many are read.
_FILES_READ = 3
# Width over height of an image and of its depth map may differ by this factor: sizes are whole numbers.
_SHAPE_TOLERANCE = 1.05


def exchanged(names: Sequence[str], depth_of: str) -> list[str]:
    """Depth maps in the order of the images, each image with its ``own`` or with that of ``another``.

    Raises:
        ValueError: ``depth_of`` is neither, or there is no other image.
    """
    if depth_of not in DEPTH_OF:
        raise ValueError(f'depth_of is one of {", ".join(DEPTH_OF)}, got {depth_of!r}')
    if depth_of == 'own':
        return list(names)
    if len(names) < 2:
        raise ValueError("depth_of='another' needs at least two images")
    # Neighbours on a ring in random order: frames of a drive that follow each other have nearly the same depth.
    ring = np.random.default_rng(0).permutation(len(names))
    other = np.empty_like(ring)
    other[ring] = np.roll(ring, 1)
    return [names[index] for index in other]


def check_depth_maps(dataset: BaseSegDataset) -> None:
    """Every image must have a depth map: 8 bits, grey, of the image's shape. Reads headers, and few files whole.

    Raises:
        FileNotFoundError: no folder, or images without depth map.
        ValueError: no folder is named, or files of another kind.
    """
    name, folder = type(dataset).__name__, dataset.depth_dir
    if folder is None:
        raise ValueError(
            f"{name}: the pipeline loads depth maps (LoadDepth) but data_prefix.depth_path is not set, e.g. 'depth_any'"
        )
    advice = 'to make depth maps: python tools/generate_depth.py (docs/cdda.md)'
    if not os.path.isdir(folder):
        raise FileNotFoundError(f'{name}: folder of depth maps {folder} does not exist; {advice}')
    paths = [os.path.join(folder, depth) for depth in dataset.depth_names]
    missing = [index for index, path in enumerate(paths) if not os.path.isfile(path)]
    if missing:
        first = missing[0]
        raise FileNotFoundError(
            f'{name}: {len(missing)} of {len(dataset)} images have no depth map, e.g. {dataset.img_names[first]} in '
            f'{dataset.img_dir} (looked for {dataset.depth_names[first]} in {folder}); {advice}'
        )
    odd = sorted((path for path in paths if _kind(path) != _GREY), key=lambda path: _kind(path) == _COLOUR)
    for path in odd[:_FILES_READ]:
        _explain(path, len(odd), len(paths))
    _check_shape(paths[0], os.path.join(dataset.img_dir, dataset.img_names[0]))


def _kind(path: str) -> str:
    """What a file's first bytes promise."""
    with open(path, 'rb') as file:
        header = file.read(26)
    if len(header) < 26 or not header.startswith(_PNG_SIGNATURE) or header[24] != 8:
        return _OTHER
    return _GREY if header[25] == 0 else _COLOUR


def _explain(path: str, count: int, total: int) -> None:
    """Raise what is wrong with a file; colour files whose channels are equal are fine."""
    try:
        read_depth(path)
    except ValueError as error:
        others = f' ({count} of {total} depth maps are no 8-bit grey PNG)' if count > 1 else ''
        raise ValueError(f'{error}{others}') from None


def _check_shape(path: str, image_path: str) -> None:
    height, width = read_depth(path).shape
    try:
        image_height, image_width = read_image(image_path).shape[:2]  # upright: a header gives the size before turning
    except (OSError, ValueError):
        return  # the loader says what is wrong with an image
    factor = width * image_height / (height * image_width)
    if max(factor, 1 / factor) > _SHAPE_TOLERANCE:
        raise ValueError(
            f'depth map {path} is {width}x{height} pixels, its image {image_path} {image_width}x{image_height}: '
            'they must show the same part of the scene'
        )
