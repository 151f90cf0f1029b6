"""Converting a dataset's label files to train-id PNGs, with class statistics: what the converters share."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from mmseg.datasets.base_dataset import files_below
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


def parse_arguments(
    description: str,
    gt_dir: str,
    nproc: int,
    arguments: Sequence[str] | None = None,
    extend: Callable[[argparse.ArgumentParser], None] | None = None,
) -> argparse.Namespace:
    """The converters' command line: ``DATA_ROOT [--gt-dir D] [-o OUT] [--nproc N]``, and what ``extend`` adds."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('data_root', help='folder of the dataset')
    parser.add_argument('--gt-dir', default=gt_dir, help='folder of the label files in it (default: %(default)s)')
    parser.add_argument('-o', '--out-dir', help='folder for the statistics files (default: the folder of the dataset)')
    parser.add_argument('--nproc', default=nproc, type=int, help='number of processes (default: %(default)s)')
    if extend is not None:
        extend(parser)
    return parser.parse_args(arguments)


def label_folder(data_root: str, gt_dir: str, expected: str) -> str:
    """The folder of the label files.

    Raises:
        FileNotFoundError: it does not exist; the message says what was looked for.
    """
    folder = os.path.join(data_root, gt_dir)
    if not os.path.isdir(folder):
        missing = f'{folder} does not exist' if os.path.isdir(data_root) else f'folder {data_root} does not exist'
        raise FileNotFoundError(f'{missing}; looked for {expected} (another label folder: --gt-dir)')
    return folder


def numbered_pngs(folder: str, expected: str) -> list[str]:
    """Label files of GTA, SYNTHIA and Synscapes: names that end in a digit and ``.png``, sorted, as paths.

    Raises:
        FileNotFoundError: there are none.
    """
    names = sorted(name for name in files_below(folder) if name.endswith('.png') and name[-5:-4].isdigit())
    if not names:
        raise FileNotFoundError(f'no label files in {folder}; looked for {expected}')
    return [os.path.join(folder, name) for name in names]


def run(tasks: Sequence[Task], read_train_ids: Callable[[str], np.ndarray], out_dir: str | None, nproc: int) -> int:
    """Convert with a progress bar, write the statistics, report.

    Args:
        tasks: what to convert.
        read_train_ids: see :func:`convert_files`.
        out_dir: folder for the statistics; None = write none, the outputs hold no train ids.
        nproc: number of processes.

    Returns:
        Exit status: 0, or 1 if files could not be converted. The statistics are not written then: they would
        silently leave out these files.
    """
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    outcomes = list(_tracked(convert_files(tasks, read_train_ids, nproc), len(tasks), console))
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    reused = sum(outcome.reused for outcome in outcomes)
    done = f'{len(outcomes) - len(failed) - reused} label maps converted, {reused} were there already'
    if failed:
        for outcome in failed:
            console.print(outcome.error, markup=False)
        console.print(
            f'{done}; {len(failed)} of {len(outcomes)} files are bad (named above). No statistics were written: '
            'replace or remove these files and their images, then run again (what is done is kept).',
            markup=False,
        )
        return 1
    if out_dir is None:
        print(done)
        return 0
    counted = [(outcome.task.output, outcome.stats or {}) for outcome in outcomes if outcome.task.counted]
    write_statistics(out_dir, counted)
    print(f'{done}; statistics of {len(counted)} in {out_dir}')
    return 0


def _tracked(outcomes: Iterable[Outcome], total: int, console: Console) -> Iterable[Outcome]:
    return track(outcomes, 'converting', total=total, console=console)
