"""The bank of source crops on disk: pictures, labels, and how many pixels of each class lie at each depth.

``run_seg.py`` makes it; the original's files (CDDA, `preprocessed/...`) are read as they are.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from mmseg.models.uda.components.depth_bank_files import MAKE, check_present, check_whole, read_crop

BINS = 256  # depth is a byte after the tone curve, larger = farther
COUNTS_PATTERN = '*_distribution.pth'
DESCRIPTION = 'bank.json'


@torch.no_grad()
def class_depth_histogram(labels: Tensor, depth: Tensor, num_classes: int, bins: int = BINS) -> Tensor:
    """How many pixels of each class lie at each depth, image by image.

    Reads nothing back from the device, as ``bincount`` would there.

    Args:
        labels: (B, H, W) integers; what is none of the classes (255 = ignore) is not counted.
        depth: (B, H, W) 0 to ``bins`` - 1, uint8, or float and then rounded down.
        num_classes: C.
        bins: K.

    Returns:
        (B, C, K) int64.

    Raises:
        ValueError: if labels and depth do not have the same pixels.
    """
    if labels.shape != depth.shape:
        raise ValueError(f'depth of {tuple(depth.shape)} for labels of {tuple(labels.shape)}')
    batch, device = labels.shape[0], labels.device
    first = torch.arange(batch, device=device)[:, None, None] * num_classes
    labels = labels.long()
    row = torch.where((labels >= 0) & (labels < num_classes), labels + first, batch * num_classes)
    places = (row * bins + depth.long()).flatten()
    counts = torch.zeros((batch * num_classes + 1) * bins, dtype=torch.int64, device=device)
    counts.scatter_add_(0, places, torch.ones_like(places))
    return counts[:-bins].view(batch, num_classes, bins)


class BankPaths(NamedTuple):
    """Where the parts of a bank lie.

    Attributes:
        counts: file with (N, C, 256) counts.
        images: folder of the crops, 0.png to (N - 1).png.
        labels: folder of their label maps, of the same names.
        description: JSON file of what the bank is; None for banks of the original.
    """

    counts: Path
    images: Path
    labels: Path
    description: Path | None = None


def bank_paths(
    bank: str | Path | None = None,
    counts: str | Path | None = None,
    images: str | Path | None = None,
    labels: str | Path | None = None,
    key: str = 'uda.depth_guidance',
) -> BankPaths:
    """Where the parts lie: in the folder ``bank``, but for those that are named one by one.

    Raises:
        ValueError: if too little is named, or the folder has several files of counts.
        FileNotFoundError: if the folder or its counts are not there.
    """
    if bank is None:
        if counts is None or images is None or labels is None:
            raise ValueError(f'{key}: name the bank of source crops: bank=FOLDER, or counts, images and labels')
        return BankPaths(Path(counts), Path(images), Path(labels))
    folder = Path(bank)
    if not folder.is_dir() and None in (counts, images, labels):
        raise FileNotFoundError(f'{key}.bank: no folder {folder}; {MAKE} {folder}')
    description = folder / DESCRIPTION
    own = counts is None and description.is_file()
    return BankPaths(
        counts=Path(counts) if counts is not None else _counts_file(folder, key),
        images=Path(images) if images is not None else folder / 'images',
        labels=Path(labels) if labels is not None else folder / 'labels',
        description=description if own else None,
    )


def read_counts(file: Path) -> Tensor:
    """The counts of a bank, (N, C, 256) int32; files hold floats, as the original's do.

    Raises:
        FileNotFoundError: if the file is not there.
        ValueError: if it holds something else.
    """
    if not file.is_file():
        raise FileNotFoundError(f'no file of counts {file}; {MAKE} {file.parent}')
    try:
        counts = torch.load(file, map_location='cpu', weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f'{file}: not a tensor of counts ({str(error).splitlines()[0][:80]})') from None
    shape = tuple(counts.shape) if isinstance(counts, Tensor) else type(counts).__name__
    if not isinstance(counts, Tensor) or counts.ndim != 3 or counts.shape[2] != BINS or 0 in counts.shape:
        raise ValueError(f'{file}: counts are a tensor of crops x classes x {BINS} depths, this is {shape}')
    whole = counts.to(torch.int32)
    if not torch.equal(whole.to(counts.dtype), counts) or whole.min() < 0:
        raise ValueError(f'{file}: counts are whole numbers from 0, these are not')
    return whole


class DepthBank:
    """A bank whose crops are read one by one.

    Args:
        paths: where its parts lie.
    """

    def __init__(self, paths: BankPaths) -> None:
        self.paths = paths

    def check(self, num_classes: int) -> Tensor:
        """The counts of a bank that is whole and fits the network.

        Args:
            num_classes: C of the network.

        Returns:
            (N, C, 256) int32.

        Raises:
            FileNotFoundError: a part or a crop is missing.
            ValueError: parts do not fit each other or the network, or a crop is broken.
        """
        counts = read_counts(self.paths.counts)
        if counts.shape[1] != num_classes:
            raise ValueError(f'{self.paths.counts}: counts of {counts.shape[1]} classes, the network has {num_classes}')
        folders = (self.paths.images, self.paths.labels)
        for folder in folders:
            check_present(folder, len(counts))
        size = self.crop_size
        for folder in folders:
            check_whole(folder, len(counts), size)
        if self.paths.description is not None:
            found = {'num': len(counts), 'num_classes': num_classes, 'bins': BINS, 'curve': 'exp6'}
            _check_description(self.paths.description, {**found, 'crop_size': list(size)})
        return counts

    @property
    def crop_size(self) -> tuple[int, int]:
        """Height and width of the first crop."""
        height, width = self.read(0)[1].shape
        return height, width

    def read(self, number: int) -> tuple[Tensor, Tensor]:
        """One crop: (3, H, W) uint8 BGR as loaders give it, and its labels (H, W) uint8.

        Raises:
            FileNotFoundError: a picture is missing.
            ValueError: a picture is broken, or the two do not fit each other.
        """
        image_file, label_file = self.paths.images / f'{number}.png', self.paths.labels / f'{number}.png'
        image, label = read_crop(image_file, cv2.IMREAD_COLOR), read_crop(label_file, cv2.IMREAD_UNCHANGED)
        if label.ndim != 2 or label.dtype != np.uint8:
            raise ValueError(f'{label_file}: labels are one channel of bytes, this is {label.shape} {label.dtype}')
        if image.shape[:2] != label.shape:
            raise ValueError(f'{label_file}: labels of {label.shape}, the picture has {image.shape[:2]} pixels')
        return torch.from_numpy(image).permute(2, 0, 1), torch.from_numpy(label)


def _counts_file(folder: Path, key: str) -> Path:
    description = folder / DESCRIPTION
    if description.is_file() and 'counts' in (stated := described(description)):
        file = folder / stated['counts']
        if not file.is_file():
            raise FileNotFoundError(
                f'{key}.bank: {description} names {file.name}, which is not there; repeat the run_seg.py command that '
                'made the bank'
            )
        return file
    files = sorted(folder.glob(COUNTS_PATTERN))
    if not files:
        raise FileNotFoundError(
            f'{key}.bank: {folder} has no {COUNTS_PATTERN}; repeat the run_seg.py command if it was interrupted, or '
            'count the crops that are there with python run_seg.py --config CONFIG --dataset_name gta|synthia '
            f'--source_preprocessed_path {folder} --not_get_images'
        )
    if len(files) > 1:
        names = ', '.join(file.name for file in files)
        raise ValueError(
            f'{key}.bank: {folder} has {len(files)} files of counts ({names}): choose one with counts=FILE'
        )
    return files[0]


def described(file: Path) -> dict[str, Any]:
    """What a bank's description says.

    Raises:
        ValueError: it is not JSON, or no object.
    """
    try:
        stated = json.loads(file.read_text())
    except ValueError as error:
        raise ValueError(f'{file}: not JSON ({error})') from None
    if not isinstance(stated, dict):
        raise ValueError(f'{file}: expected names and values, this is a {type(stated).__name__}')
    return stated


def _check_description(file: Path, found: dict[str, Any]) -> None:
    stated = described(file)
    for name, value in found.items():
        if name in stated and stated[name] != value:
            raise ValueError(f'{file}: says {name} {stated[name]}, but the bank has {value}')
