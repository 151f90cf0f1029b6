"""Converting a dataset's label files to train-id PNGs, with class statistics: what the converters share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmseg.datasets.image_io import read_label, write_label
from mmseg.datasets.parallel import map_in_order
from mmseg.datasets.rare_class_sampling import CLASS_FILES_FILE, CLASS_STATS_FILE
from mmseg.structures import IGNORE

CLASS_STATS_DICT_FILE = 'sample_class_stats_dict.json'
OUTPUT_SUFFIX = '_labelTrainIds.png'


@dataclass(frozen=True)
class Task:
    """One label file to convert. ``counted``: it belongs to the statistics of training files."""

    source: str
    output: str
    counted: bool = True


@dataclass(frozen=True)
class Outcome:
    """What became of a task: pixels per train id, or the reason why not."""

    task: Task
    stats: dict[int, int] | None = None
    reused: bool = False
    error: str | None = None


def to_train_ids(ids: np.ndarray, table: np.ndarray, known: Collection[int], path: str) -> np.ndarray:
    """Label ids (H, W) of any integer type -> (H, W) uint8 train ids.

    Args:
        ids: label ids.
        table: (256,) uint8 train id of each label id.
        known: label ids that the dataset defines.
        path: the file, for the message.

    Raises:
        ValueError: an id that the dataset does not define.
    """
    if ids.dtype == np.uint8:
        present = np.flatnonzero(np.bincount(ids.ravel(), minlength=256))
    else:
        present = np.unique(ids)
    unknown = [int(value) for value in present if value not in known]
    if unknown:
        raise ValueError(f'label map {path} holds unknown label ids {", ".join(map(str, unknown[:8]))}')
    return cv2.LUT(ids.astype(np.uint8), table)


def class_counts(label: np.ndarray) -> dict[int, int]:
    """Pixels per train id of a (H, W) uint8 label map, rising, without absent ids and ignore."""
    counts = np.bincount(label.ravel(), minlength=256)[:IGNORE]
    return {int(train_id): int(counts[train_id]) for train_id in np.flatnonzero(counts)}


def convert_file(task: Task, read_train_ids: Callable[[str], np.ndarray]) -> Outcome:
    """Convert one file, unless its output is there and whole; a bad file becomes an ``Outcome`` with its error."""
    reused, label = True, _finished_output(task.output)
    try:
        if label is None:
            reused, label = False, read_train_ids(task.source)
            write_label(task.output, label)
    except (ValueError, OSError) as error:
        return Outcome(task, error=str(error))
    return Outcome(task, class_counts(label), reused)


def _finished_output(path: str) -> np.ndarray | None:
    try:
        return read_label(path)
    except (FileNotFoundError, ValueError):
        return None


def convert_files(
    tasks: Sequence[Task], read_train_ids: Callable[[str], np.ndarray], nproc: int = 1
) -> Iterator[Outcome]:
    """Convert all files, in order, in ``nproc`` processes.

    Args:
        tasks: what to convert.
        read_train_ids: path of a label file -> (H, W) uint8 train ids; a module-level function.
        nproc: number of processes; 1 converts in this one.

    Raises:
        ChildProcessError: a process was killed (memory).
    """
    return map_in_order(partial(convert_file, read_train_ids=read_train_ids), tasks, nproc)


def write_statistics(folder: str, stats: Sequence[tuple[str, Mapping[int, int]]]) -> None:
    """Write the three statistics files that rare class sampling reads, in the originals' format.

    Args:
        folder: where to.
        stats: path of each label map, as its users shall find it, and its pixels per train id.
    """
    with_class: dict[int, list[list[Any]]] = {}
    for path, counts in stats:
        for train_id, pixels in counts.items():
            with_class.setdefault(train_id, []).append([path, pixels])
    os.makedirs(folder, exist_ok=True)
    _write_json(os.path.join(folder, CLASS_STATS_FILE), [{**counts, 'file': path} for path, counts in stats])
    _write_json(os.path.join(folder, CLASS_STATS_DICT_FILE), dict(stats))
    _write_json(os.path.join(folder, CLASS_FILES_FILE), with_class)


def _write_json(path: str, content: Any) -> None:
    Path(f'{path}.tmp').write_text(json.dumps(content), encoding='utf-8')
    os.replace(f'{path}.tmp', path)
