"""Making the bank of source crops that CDDA's depth guidance compares target images with.

The bank's crops are the source crops of the training itself, in its order: sample k of the training is crop k. So rare
classes are as frequent, and a crop may show the same image as another.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from mmseg.datasets.image_io import read_label
from mmseg.datasets.parallel import start_worker
from mmseg.engine.depth_bank_crops import FOLDERS, BankCrops, crop_files, draw_crop, encoded_size, is_there
from mmseg.engine.depth_bank_description import check_folder, write_description
from mmseg.engine.depth_bank_source import Bank
from mmseg.evaluation.progress import track
from mmseg.models.uda.components.depth_bank import BINS, DESCRIPTION, described

SHOWN = 5
# Crops whose size is measured for the estimate.
MEASURED = 4


def crops_to_count(folder: Path, published: int | None) -> int:
    """How many crops of a folder are a bank: those of ``bank.json``, else all, but no more than were published.

    Args:
        folder: of the bank.
        published: number of the published bank, whose folder has two crops more; None = there is none.

    Raises:
        ValueError: ``bank.json`` cannot be read, or gives no number.
    """
    description = folder / DESCRIPTION
    num = described(description).get('num') if description.is_file() else None
    if num is None:
        there = len(list((folder / 'labels').glob('*.png')))
        return there if published is None else min(published, there)
    if not isinstance(num, int) or num < 1:
        raise ValueError(f'{description}: num {num!r}, expected a number of crops; give it with --num_crops N')
    return num


def build(bank: Bank, workers: int, count: bool = True) -> bool:
    """Make what is missing of a bank.

    Args:
        bank: what to make.
        workers: processes that make crops; the result is the same for any number.
        count: write the file of counts too, and then what the bank is.

    Returns:
        False if everything was there already.

    Raises:
        ValueError: the folder holds crops of other settings, the disk is too small, or crops could not be made. What
            ``bank.json`` says of counts that are there stays.
    """
    check_folder(bank)
    numbers = range(bank.num)
    missing = [number for number in numbers if not is_there(crop_files(bank.folder, number))] if bank.pairs else []
    if bank.pairs and not missing and (not count or bank.counts_file.is_file()):
        if count and not _is_described(bank):
            write_description(bank, _size_of_first(bank))
        return False
    for name in FOLDERS:
        os.makedirs(bank.folder / name, exist_ok=True)
    crop_size = _announce(bank, missing, count) if missing else _size_of_first(bank)
    _begin_description(bank)
    counts = _make(bank, crop_size, numbers if count else missing, workers)
    if count:
        _save(bank.counts_file, torch.from_numpy(counts).float())
        write_description(bank, crop_size)
    return True


def _begin_description(bank: Bank) -> None:
    """How the crops are drawn, before the first is. Training reads counts by the description, so they come later."""
    path = bank.folder / DESCRIPTION
    if bank.pairs is not None and not path.is_file():
        unfinished = path.with_suffix('.tmp')
        unfinished.write_text(json.dumps({'settings': bank.settings}, indent=1))
        os.replace(unfinished, path)


def _is_described(bank: Bank) -> bool:
    """Whether ``bank.json`` speaks of this bank, not of one with more or fewer crops or another name."""
    stated = described(bank.folder / DESCRIPTION)
    return stated.get('num') == bank.num and stated.get('counts') == bank.counts_file.name


def _announce(bank: Bank, missing: list[int], count: bool) -> tuple[int, int]:
    """Say how much there is to do and how large it gets; (height, width) of the crops.

    Raises:
        ValueError: the disk has too little room.
    """
    assert bank.pairs is not None
    crops = [draw_crop(bank.pairs, number, bank.padding) for number in missing[:MEASURED]]
    each = sum(map(encoded_size, crops)) / len(crops)
    height, width = crops[0]['labels'].shape
    counts = bank.num * len(bank.classes) * BINS * 4 if count else 0
    needed, free = each * len(missing) + counts, shutil.disk_usage(bank.folder).free
    there = f' ({bank.num - len(missing):,} are there)' if len(missing) < bank.num else ''
    print(
        f'{len(missing):,} crops of {width}x{height} to make{there}: about {_size(each * len(missing))}, '
        f'{_size(each)} each; counts: {_size(counts)}; free in {bank.folder}: {_size(free)}',
        flush=True,
    )
    if needed > free:
        raise ValueError(f'{bank.folder}: the bank needs about {_size(needed)}, but {_size(free)} are free')
    return height, width


def _size(size: float) -> str:
    """Bytes for people."""
    for unit in ('B', 'kB', 'MB'):
        if size < 1000:
            return f'{size:.3g} {unit}'
        size /= 1000
    return f'{size:.1f} GB'


def _size_of_first(bank: Bank) -> tuple[int, int]:
    height, width = read_label(str(crop_files(bank.folder, 0)['labels'])).shape
    return height, width


def _make(bank: Bank, crop_size: tuple[int, int], numbers: Sequence[int], workers: int) -> np.ndarray:
    """Make crops and count them: (N, C, 256) int32."""
    crops = BankCrops(bank.folder, len(bank.classes), bank.pairs, bank.padding, crop_size)
    loader = DataLoader(
        crops,
        batch_size=None,
        sampler=numbers,
        num_workers=workers,
        collate_fn=_as_it_is,
        worker_init_fn=start_worker,
    )
    counts = np.zeros((bank.num, len(bank.classes), BINS), np.int32)
    broken: dict[str, int] = {}
    for number, made in zip(numbers, track(loader, len(numbers), 'source crops'), strict=True):
        if isinstance(made, str):
            broken[made] = broken.get(made, 0) + 1
        else:
            counts[number] = made
    if broken:
        shown = '; '.join(list(broken)[:SHOWN]) + ('; ...' if len(broken) > SHOWN else '')
        raise ValueError(
            f'{sum(broken.values())} of {bank.num} crops could not be made: {shown}. '
            'Put it right and run again: what is done is kept'
        )
    return counts


def _as_it_is(item: Any) -> Any:
    return item


def _save(path: Path, tensor: torch.Tensor) -> None:
    unfinished = path.with_suffix('.tmp')
    torch.save(tensor, unfinished)
    os.replace(unfinished, path)
