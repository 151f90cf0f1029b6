"""Crops of the bank for depth guidance, one by one: drawn from the source domain, written, counted."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from mmseg.datasets import UDADataset
from mmseg.datasets.image_io import read_depth, read_label, write_png
from mmseg.models.uda.components.depth_bank import class_depth_histogram

FOLDERS = ('images', 'labels', 'depth')
Crop = dict[str, np.ndarray]


def crop_files(folder: Path, number: int) -> dict[str, Path]:
    """Where the three pictures of a crop belong."""
    return {name: folder / name / f'{number}.png' for name in FOLDERS}


def draw_crop(pairs: UDADataset, number: int, padding: Sequence[int]) -> Crop:
    """The source crop of training sample ``number``: image (H, W, 3) BGR, label and depth (H, W), all uint8.

    Args:
        pairs: its source loads depth.
        number: of the sample, >= 0.
        padding: BGR colour beyond the image's content.
    """
    sample = pairs.source_half(number)
    image = sample['image'].permute(1, 2, 0).numpy().copy()
    height, width = sample['meta']['img_shape']
    image[height:] = image[:, width:] = padding
    return {'images': image, 'labels': sample['label'].numpy(), 'depth': sample['depth'].numpy()}


def mean_colour(preprocessor: Mapping[str, Any]) -> tuple[int, ...]:
    """The network's mean as a BGR colour: padding that becomes (almost) zero once it is normalised."""
    mean = [round(value) for value in preprocessor.get('mean', (123.675, 116.28, 103.53))]
    return tuple(reversed(mean)) if preprocessor.get('bgr_to_rgb', True) else tuple(mean)


def count_crop(label: np.ndarray, depth: np.ndarray, num_classes: int) -> np.ndarray:
    """Pixels of each class at each depth: (C, 256) int32."""
    # Copies, as arrays of Pillow are read-only.
    counts = class_depth_histogram(torch.tensor(label)[None], torch.tensor(depth)[None], num_classes)
    return counts[0].int().numpy()


class BankCrops(Dataset):
    """Item k makes crop k, unless its files are there, and gives its counts; or says what was wrong with it.

    Args:
        folder: of the bank.
        num_classes: C.
        pairs: what crops are drawn from; None = only count those that are there.
        padding: BGR colour beyond an image's content.
        crop_size: (height, width) that all crops must have; None = not checked.
    """

    def __init__(
        self,
        folder: Path,
        num_classes: int,
        pairs: UDADataset | None = None,
        padding: Sequence[int] = (0, 0, 0),
        crop_size: tuple[int, int] | None = None,
    ) -> None:
        self.folder = folder
        self.num_classes = num_classes
        self.pairs = pairs
        self.padding = padding
        self.crop_size = crop_size

    def __getitem__(self, number: int) -> np.ndarray | str:
        try:
            return self.counts(number)
        except (ValueError, OSError) as error:
            return str(error)

    def counts(self, number: int) -> np.ndarray:
        """(C, 256) int32.

        Raises:
            FileNotFoundError: a file is missing.
            ValueError: a file is broken, or crops have different sizes.
        """
        files = crop_files(self.folder, number)
        if self.pairs is None or is_there(files):
            label, depth = read_label(str(files['labels'])), read_depth(str(files['depth']))
            if label.shape != depth.shape:
                raise ValueError(f'{files["depth"]} has {depth.shape} pixels, {files["labels"]} {label.shape}')
        else:
            crop = draw_crop(self.pairs, number, self.padding)
            label, depth = crop['labels'], crop['depth']
            for name, file in files.items():
                write_png(str(file), crop[name])
        if self.crop_size is not None and label.shape != self.crop_size:
            raise ValueError(
                f'crop {number} has {label.shape} pixels, others {self.crop_size}: put Pad into the pipeline'
            )
        return count_crop(label, depth, self.num_classes)


def is_there(files: Mapping[str, Path]) -> bool:
    """Whether all pictures of a crop have been written (each is whole or not there)."""
    try:
        return all(os.path.getsize(file) for file in files.values())
    except FileNotFoundError:
        return False


def encoded_size(crop: Crop) -> int:
    """Bytes of a crop's three files."""
    return sum(len(cv2.imencode('.png', picture)[1]) for picture in crop.values())
