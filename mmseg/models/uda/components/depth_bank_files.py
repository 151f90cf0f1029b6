"""The crops of a bank as files: whether all are there and whole, before a training starts."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

MAKE = 'make it with python run_seg.py --config CONFIG --dataset_name gta|synthia --source_preprocessed_path'
_AGAIN = 'the same run_seg.py command makes those that are missing'
_PNG_START, _PNG_END = b'\x89PNG\r\n\x1a\n', b'IEND\xaeB`\x82'
_READERS = 16


def check_present(folder: Path, number: int) -> None:
    """The crops 0.png to (number - 1).png of a folder must be there.

    Raises:
        FileNotFoundError: the folder or some crops are missing.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f'no folder of source crops {folder}; {MAKE} {folder.parent}')
    present = set(os.listdir(folder))
    missing = [name for name in _names(number) if name not in present]
    if missing:
        raise FileNotFoundError(
            f'{folder}: {len(missing)} of {number} crops are missing, the first is {missing[0]}; {_AGAIN}'
        )


def check_whole(folder: Path, number: int, size: tuple[int, int]) -> None:
    """All crops must be whole and of one size. Reads their first and last bytes, not the pixels between.

    Raises:
        ValueError: some are no PNG, cut short, or of another size.
    """
    names = _names(number)
    with ThreadPoolExecutor(_READERS) as readers:
        found = readers.map(lambda name: _fault(folder / name, size), names)
        faults = [(name, fault) for name, fault in zip(names, found, strict=True) if fault]
    if faults:
        name, fault = faults[0]
        raise ValueError(f'{folder / name}: {fault}; {len(faults)} of {number} crops are broken: delete them, {_AGAIN}')


def read_crop(file: Path, flags: int) -> np.ndarray:
    """A picture as OpenCV gives it.

    Raises:
        FileNotFoundError: it is missing.
        ValueError: it cannot be read.
    """
    if not file.is_file():
        raise FileNotFoundError(f'no source crop {file}')
    picture = cv2.imread(str(file), flags)
    if picture is None:
        raise ValueError(f'{file}: not a picture that can be read')
    return picture


def _names(number: int) -> list[str]:
    return [f'{index}.png' for index in range(number)]


def _fault(file: Path, size: tuple[int, int]) -> str:
    """What is wrong with a PNG file, by its two ends; empty if nothing is."""
    with open(file, 'rb') as stream:
        start = stream.read(24)
        if len(start) < 24 or not start.startswith(_PNG_START):
            return 'not a PNG file'
        stream.seek(-len(_PNG_END), os.SEEK_END)
        end = stream.read()
    width, height = int.from_bytes(start[16:20], 'big'), int.from_bytes(start[20:24], 'big')
    if (height, width) != size:
        return f'{height}x{width} pixels, the first crop has {size[0]}x{size[1]}'
    return '' if end == _PNG_END else 'cut short'
