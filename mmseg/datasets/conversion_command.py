"""The converters' command: arguments, label files, progress, statistics and lists."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from mmseg.datasets.archive_folders import found_deeper
from mmseg.datasets.base_dataset import BaseSegDataset, files_below
from mmseg.datasets.conversion import OUTPUT_SUFFIX, Outcome, Task, convert_files, write_statistics
from mmseg.datasets.statistics import check_overwriting
from mmseg.datasets.statistics_report import examples
from mmseg.datasets.statistics_usable import USABLE_FILE, write_usable


def parse_arguments(
    description: str,
    gt_dir: str,
    nproc: int,
    arguments: Sequence[str] | None = None,
    extend: Callable[[argparse.ArgumentParser], None] | None = None,
) -> argparse.Namespace:
    """``DATA_ROOT [--gt-dir D] [-o OUT] [--skip-broken] [--nproc N]``, and what ``extend`` adds."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('data_root', help='folder of the dataset')
    parser.add_argument('--gt-dir', default=gt_dir, help='folder of the label files in it (default: %(default)s)')
    parser.add_argument(
        '-o',
        '--out-dir',
        help='folder for the statistics files and file lists (default: the folder of the dataset); '
        'those of another label folder are not overwritten',
    )
    parser.add_argument(
        '--skip-broken',
        action='store_true',
        help='leave broken label files out of the statistics, and list the usable images for ann_file',
    )
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
        deeper = found_deeper(data_root, gt_dir)
        raise FileNotFoundError(f'{missing}; looked for {expected} (another label folder: --gt-dir){deeper}')
    return folder


def numbered_tasks(args: argparse.Namespace, expected: str, suffix: str = OUTPUT_SUFFIX) -> list[Task]:
    """The label files of GTA, SYNTHIA and Synscapes: names that end in a digit and ``.png``, sorted.

    Raises:
        FileNotFoundError: there are none.
        ValueError: the statistics that are there belong to another label folder.
    """
    folder = label_folder(args.data_root, args.gt_dir, expected)
    names = sorted(name for name in files_below(folder) if name.endswith('.png') and name[-5:-4].isdigit())
    if not names:
        raise FileNotFoundError(f'no label files in {folder}; looked for {expected}')
    outputs = [name.removesuffix('.png') + suffix for name in names]
    check_overwriting(args.out_dir or args.data_root, [(folder, outputs)])
    paths = zip(names, outputs, strict=True)
    return [Task(os.path.join(folder, name), os.path.join(folder, output)) for name, output in paths]


def dataset_of(args: argparse.Namespace, kind: type[BaseSegDataset], img_path: str) -> BaseSegDataset | None:
    """The dataset whose labels are converted, which knows its images.

    Args:
        args: the command line. Without ``--skip-broken`` images may come later: None.
        kind: of the dataset.
        img_path: folder of the images in it.

    Raises:
        FileNotFoundError: ``--skip-broken`` without images.
        ValueError: ``--skip-broken`` with two images of one name.
    """
    try:
        return kind(data_root=args.data_root, data_prefix={'img_path': img_path, 'seg_map_path': args.gt_dir})
    except (FileNotFoundError, ValueError):
        if args.skip_broken:
            raise
        return None


def run(tasks: Sequence[Task], read_train_ids: Callable[[str], np.ndarray], out_dir: str | None, nproc: int) -> int:
    """Convert, write the statistics, report: :func:`convert_all` and :func:`finish`; returns the exit status."""
    return finish(convert_all(tasks, read_train_ids, nproc), out_dir)


def convert_all(tasks: Sequence[Task], read_train_ids: Callable[[str], np.ndarray], nproc: int) -> list[Outcome]:
    """:func:`convert_files` with a progress bar."""
    return list(track(convert_files(tasks, read_train_ids, nproc), 'converting', len(tasks), console=_console()))


def finish(
    outcomes: Sequence[Outcome],
    out_dir: str | None,
    skip_broken: bool | None = None,
    dataset: BaseSegDataset | None = None,
) -> int:
    """Name the bad files, write the statistics and, to do without the bad ones, the list of the usable images.

    Args:
        outcomes: of all files.
        out_dir: folder for the statistics; None = write none, the outputs hold no train ids.
        skip_broken: write the statistics without the bad files; None = the converter has no such option.
        dataset: whose labels these are, to list its images.

    Returns:
        Exit status: 0, or 1 if files could not be converted and are not to be skipped. The statistics are not written
        then: they would silently leave out these files.

    Raises:
        ValueError: nothing usable is left.
    """
    console = _console()
    whole = [outcome for outcome in outcomes if outcome.error is None]
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    reused = sum(outcome.reused for outcome in whole)
    done = f'{len(whole) - reused} label maps converted, {reused} were there already'
    for outcome in failed:
        console.print(outcome.error, markup=False)
    if dataset is not None:
        _name_unlabelled(dataset, outcomes, console, '' if skip_broken else '; to do without them: --skip-broken')
    if failed and not skip_broken:
        option = '' if skip_broken is None else ', or leave them out with --skip-broken'
        console.print(
            f'{done}; {len(failed)} of {len(outcomes)} files are bad (named above). No statistics were written: '
            f'replace or remove these files and their images, then run again (what is done is kept){option}',
            markup=False,
        )
        return 1
    usable = [] if dataset is None else images_with(dataset, whole)
    if failed and not whole or skip_broken and dataset is not None and not usable:
        raise ValueError('nothing is left without the bad files (see above): no image has a label map')
    done += f', {len(failed)} bad ones left out' if failed else ''
    if out_dir is None:
        print(done)
        return 0
    counted = [(outcome.task.output, outcome.stats or {}) for outcome in whole if outcome.task.counted]
    write_statistics(out_dir, counted)
    print(f'{done}; statistics of {len(counted)} in {out_dir}')
    if skip_broken and dataset is not None:
        line = write_usable(Path(out_dir) / USABLE_FILE.format(''), dataset, usable)
        print(line or f'all {len(dataset)} images can be used: no list is needed')
    return 0


def images_with(dataset: BaseSegDataset, outcomes: Iterable[Outcome]) -> list[str]:
    """Names of a dataset's images whose label maps are among the outcomes."""
    outputs = {outcome.task.output for outcome in outcomes}
    labels = zip(dataset.img_names, dataset.label_names, strict=True)
    return [image for image, label in labels if os.path.join(dataset.seg_map_dir, label) in outputs]


def _name_unlabelled(dataset: BaseSegDataset, outcomes: Iterable[Outcome], console: Console, advice: str) -> None:
    """Training would stop at these, and the dataset would name this converter."""
    unlabelled = set(dataset.img_names).difference(images_with(dataset, outcomes))
    if unlabelled:
        console.print(
            f'{len(unlabelled)} of {len(dataset)} images in {dataset.img_dir} have no label file in '
            f'{dataset.seg_map_dir}: {examples(unlabelled)}{advice}',
            markup=False,
        )


def _console() -> Console:
    return Console(stderr=True, soft_wrap=True, highlight=False)
