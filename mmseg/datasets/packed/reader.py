"""Samples from a pack in place of image files."""

from __future__ import annotations

import logging
import mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mmengine.logging import print_log

from mmseg.datasets.packed.index import Entry, PackIndex, changed_files, shard_path
from mmseg.datasets.packed.settings import ARRAYS, PackPlan, differences
from mmseg.datasets.transforms.base import Compose, Results, Transform

if TYPE_CHECKING:
    from mmseg.datasets.base_dataset import BaseSegDataset


class LoadPacked(Transform):
    """The first transforms of a pipeline, done before: arrays are views into mapped files, which must not be written.

    Args:
        folder: of the pack.
        entries: of the dataset's files, in their order.
        arrays: which of ``image``, ``label``, ``depth`` samples get.
        stands_for: classes of the transforms that this one replaces.
    """

    def __init__(self, folder: str, entries: list[Entry], arrays: list[str], stands_for: tuple[type, ...]):
        self.folder = folder
        self.arrays = arrays
        self.stands_for = stands_for
        self._shards = np.array([entry.shard for entry in entries], np.int32)
        self._ori_shapes = np.array([entry.ori_shape for entry in entries], np.int32)
        resized = [entry.scale_factor for entry in entries if entry.scale_factor is not None]
        self._factors = np.array(resized, np.float64) if resized else None
        self._starts, self._shapes, self._dtypes = {}, {}, {}
        for kind in arrays:
            found = [entry.arrays[kind] for entry in entries]
            self._starts[kind] = np.array(
                [entry.start + start for entry, (start, _, _) in zip(entries, found, strict=True)], np.int64
            )
            self._shapes[kind] = np.array([shape for _, shape, _ in found], np.int32)
            self._dtypes[kind] = np.dtype(found[0][2])
        self._mapped: dict[int, np.ndarray] = {}

    def __call__(self, results: Results) -> Results:
        index = results['file_index']
        for kind in self.arrays:
            results[ARRAYS[kind]] = self._array(kind, index)
        results['ori_shape'] = tuple(self._ori_shapes[index].tolist())
        results['img_shape'] = results['img'].shape[:2]
        if self._factors is not None:
            results['scale_factor'] = tuple(self._factors[index].tolist())
        return results

    def _array(self, kind: str, index: int) -> np.ndarray:
        shape, dtype = self._shapes[kind][index], self._dtypes[kind]
        start = int(self._starts[kind][index])
        size = int(shape.prod()) * dtype.itemsize
        return self._shard(int(self._shards[index]))[start : start + size].view(dtype).reshape(shape)

    def _shard(self, number: int) -> np.ndarray:
        if number not in self._mapped:
            with shard_path(self.folder, number).open('rb') as file:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._mapped[number] = np.frombuffer(content, np.uint8)
        return self._mapped[number]

    def __getstate__(self) -> dict[str, Any]:
        """Without the mapped files: every process maps its own."""
        return {**self.__dict__, '_mapped': {}}


def read_from_pack(dataset: BaseSegDataset, folder: str) -> Compose:
    """The pipeline of a dataset that reads a pack, after a check that the pack holds what the pipeline would make.

    Raises:
        FileNotFoundError: there is no pack, or it is not finished.
        ValueError: it was made with other settings or from other files, or is cut off.
    """
    plan = PackPlan.of(dataset)
    index = _finished(folder)
    advice = f'pack again (python tools/pack_dataset.py CONFIG --out {Path(folder).parent} --overwrite) or leave it out'
    if found := differences(plan.settings, index.settings):
        raise ValueError(f'packed={folder} does not suit the pipeline of {dataset.name}: {"; ".join(found)}: {advice}')
    lacking = [name for name in dataset.img_names if name not in index.entries]
    if lacking:
        raise ValueError(
            f'packed={folder} lacks {len(lacking)} of {len(dataset)} images of {dataset.img_dir}, e.g. {lacking[0]}: '
            f'{advice}'
        )
    entries = [index.entries[name] for name in dataset.img_names]
    changed, dated = changed_files(
        (entry.files[kind], path)
        for number, entry in enumerate(entries)
        for kind, path in dataset.source_files(number, plan.settings).items()
    )
    if changed:
        raise ValueError(
            f'packed={folder} is stale: {len(changed)} files have changed since, e.g. {changed[0]}: {advice}'
        )
    if dated:
        print_log(
            f'packed={folder}: {dated} files have another date than when they were packed and were compared by content;'
            ' tools/pack_dataset.py, run again, notes the new dates',
            'current',
            logging.WARNING,
        )
    _check_shards(folder, index)
    replaced = dataset.pipeline.transforms[: plan.steps]
    loader = LoadPacked(folder, entries, list(plan.settings), tuple(type(item) for item in replaced))
    return Compose([loader, *dataset.pipeline.transforms[plan.steps :]])


def _finished(folder: str) -> PackIndex:
    index = PackIndex.read(folder)
    if index is not None:
        return index
    command = f'python tools/pack_dataset.py CONFIG --out {Path(folder).parent}'
    begun = PackIndex.read(folder, unfinished=True)
    if begun is not None:
        raise FileNotFoundError(
            f'packed={folder} holds {len(begun.entries)} of {begun.images} images, packing was interrupted; go on: '
            f'{command}'
        )
    raise FileNotFoundError(f'packed={folder} is no packed dataset; make it: {command}')


def _check_shards(folder: str, index: PackIndex) -> None:
    for number, size in index.shard_sizes().items():
        path = shard_path(folder, number)
        there = path.stat().st_size if path.is_file() else 0
        if there < size:
            raise ValueError(f'{path} has {there} bytes, its pack {size}: copy it again')
