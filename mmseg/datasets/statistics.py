"""Reading a dataset's label maps as training does: what each holds, and the files that training would stop at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.image_io import read_image
from mmseg.datasets.parallel import map_in_order
from mmseg.datasets.randomness import Draws, sample_generator
from mmseg.datasets.rare_class_sampling import CLASS_STATS_FILE
from mmseg.datasets.transforms import LoadAnnotations
from mmseg.structures import IGNORE


@dataclass(frozen=True)
class Finding:
    """What an image and its label map hold, or why training would stop at them.

    Attributes:
        img_name: of the image, relative to the image folder.
        label_path: of the label map, as the dataset spells it.
        size: (width, height) of both.
        counts: (256,) pixels per id of the file; what the file marks as ignored counts as 255.
        error: what is wrong; None = nothing.
        blank: every pixel of the image has the same colour.
    """

    img_name: str
    label_path: str
    size: tuple[int, int] = (0, 0)
    counts: np.ndarray | None = None
    error: str | None = None
    blank: bool = False


def inspect(
    record: Mapping[str, Any], loader: LoadAnnotations, allowed: np.ndarray, read_images: bool = True
) -> Finding:
    """Read one label map as training does, but before ``label_map``; and its image.

    Args:
        record: ``img_name``, ``img_path``, ``seg_map_path`` and ``ignore_index`` of one file.
        loader: the dataset's own.
        allowed: (256,) bool, ids that the files may hold.
        read_images: read the image too, for its size, whether it is whole, and whether it is blank.
    """
    name, path = record['img_name'], record['seg_map_path']
    results = {key: value for key, value in record.items() if key != 'img_name'}
    blank = False
    try:
        if read_images:
            image = read_image(record['img_path'])
            results['ori_shape'], blank = image.shape[:2], is_blank(image)
        label = loader(results)['gt_seg_map']
    except (ValueError, OSError) as reason:
        return Finding(name, path, error=str(reason))
    counts = np.bincount(label.ravel(), minlength=256)
    foreign = np.flatnonzero((counts > 0) & ~allowed)
    error = None
    if foreign.size:
        held = ', '.join(f'{label_id} ({counts[label_id]:,} pixels)' for label_id in foreign[:8])
        error = f'label map {path} holds ids outside the classes: {held}'
    return Finding(name, path, (label.shape[1], label.shape[0]), counts, error, blank)


def is_blank(image: np.ndarray) -> bool:
    """Whether all pixels of an image (H, W, C) have one colour. Of most, a row is enough to see that they have not."""
    return bool((image[0] == image[0, 0]).all() and (image == image[0, 0]).all())


def allowed_ids(dataset: BaseSegDataset) -> np.ndarray:
    """(256,) bool, ids that a dataset's label maps may hold (its ``ignore_index`` as 255)."""
    if dataset.label_map is not None:
        return dataset.label_map.known
    allowed = np.zeros(256, bool)
    allowed[[*range(dataset.num_classes), IGNORE]] = True
    return allowed


def inspect_dataset(
    dataset: BaseSegDataset,
    indices: Sequence[int],
    loader: LoadAnnotations | None = None,
    nproc: int = 1,
    read_images: bool = True,
) -> Iterator[Finding]:
    """Read files of a dataset, in order.

    Args:
        dataset: its pipeline does not matter.
        indices: of the files.
        loader: of the pipeline that the dataset is trained with; None = the plain one.
        nproc: number of processes.
        read_images: see :func:`inspect`.

    Raises:
        ChildProcessError: a process was killed (memory).
    """
    draws = Draws(sample_generator(0, 0))
    records = [_file_record(dataset.record(index, draws), dataset.img_names[index]) for index in indices]
    work = partial(inspect, loader=loader or LoadAnnotations(), allowed=allowed_ids(dataset), read_images=read_images)
    return map_in_order(work, records, nproc)


def _file_record(record: Mapping[str, Any], img_name: str) -> dict[str, Any]:
    # Without num_classes and label_map, so that the loader leaves the ids as they are.
    return {**{key: record[key] for key in ('img_path', 'seg_map_path', 'ignore_index')}, 'img_name': img_name}


def ids_in_files(findings: Sequence[Finding], dataset: BaseSegDataset) -> dict[int, int]:
    """Pixels per id of the files, over all files, rising; without what is ignored."""
    total = sum((finding.counts for finding in findings), np.zeros(256, np.int64))
    total[_ignored_ids(dataset)] = 0
    return {int(label_id): int(total[label_id]) for label_id in np.flatnonzero(total)}


def file_statistics(findings: Sequence[Finding], dataset: BaseSegDataset) -> list[tuple[str, dict[int, int]]]:
    """What :func:`mmseg.datasets.conversion.write_statistics` takes: paths, and pixels per id of the files.

    Ids are those before ``label_map``, so one statistics file serves every way of merging classes.
    """
    ignored = _ignored_ids(dataset)
    stats = []
    for finding in findings:
        counts = np.where(ignored, 0, finding.counts)
        stats.append((finding.label_path, {int(i): int(counts[i]) for i in np.flatnonzero(counts)}))
    return stats


def check_overwriting(out_dir: str, labels: Iterable[tuple[str, Iterable[str]]], otherwise: str = '') -> None:
    """Statistics of other label maps are not to be replaced.

    Args:
        out_dir: where statistics are to be written.
        labels: label folders, and the names of the label maps in each.
        otherwise: what else helps, for the message.

    Raises:
        ValueError: the folder holds statistics that name none of these label maps.
    """
    path = Path(out_dir) / CLASS_STATS_FILE
    try:
        files = [entry['file'] for entry in json.loads(path.read_text(encoding='utf-8'))]
    except (FileNotFoundError, json.JSONDecodeError, TypeError, KeyError):
        return
    own = {PurePath(PurePath(folder).name, name).as_posix() for folder, names in labels for name in names}
    if files and not any(_tails(file) & own for file in files):
        raise ValueError(
            f'{path} holds the statistics of other label maps (e.g. {files[0]}): delete it, or choose another folder '
            f'with --out-dir{otherwise}'
        )


def _tails(path: str) -> set[str]:
    parts = path.replace('\\', '/').split('/')
    return {'/'.join(parts[start:]) for start in range(len(parts))}


def _ignored_ids(dataset: BaseSegDataset) -> np.ndarray:
    """(256,) bool. A ``label_map`` may make a class of 255, as binary masks need it."""
    ignored = np.zeros(256, bool)
    ignored[IGNORE] = dataset.label_map is None or dataset.label_map.table[IGNORE] == IGNORE
    return ignored
