"""Convert Synscapes' labels to train ids: ``python tools/convert_datasets/synscapes.py data/synscapes [--nproc 8]``.

Writes ``img/class/<number>_gt_labelTrainIds.png`` beside each label file and the statistics for rare class sampling
into the dataset's folder; with ``--color`` pictures ``<number>_gt_color.png`` too. An interrupted conversion continues
where it stopped. Broken label files are named; with ``--skip-broken`` the others are used, and listed for ``ann_file``.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import track  # noqa: E402

from mmseg.datasets import conversion, conversion_command  # noqa: E402
from mmseg.datasets.classes import CITYSCAPES_COLOURS  # noqa: E402
from mmseg.datasets.image_io import read_label  # noqa: E402
from mmseg.datasets.label_tables import CITYSCAPES_KNOWN, CITYSCAPES_TO_TRAIN, lookup_table  # noqa: E402
from mmseg.datasets.parallel import map_in_order  # noqa: E402
from mmseg.datasets.synscapes import SynscapesDataset  # noqa: E402
from mmseg.visualization import save_palette_png  # noqa: E402
from tools._entry import run_tool  # noqa: E402

EXPECTED = "Synscapes' img/class/1.png, img/class/2.png, ... beside img/rgb/"
TABLE = lookup_table(CITYSCAPES_TO_TRAIN)
SUFFIX, COLOUR_SUFFIX = '_gt_labelTrainIds.png', '_gt_color.png'


def read_train_ids(path: str) -> np.ndarray:
    """Train ids (H, W) uint8 of one of Synscapes' label files, which hold Cityscapes' label ids."""
    return conversion.to_train_ids(read_label(path), TABLE, CITYSCAPES_KNOWN, path)


def colour_file(train_ids_file: str) -> bool:
    """Draw a converted label map in Cityscapes' colours; returns whether it had to."""
    path = Path(train_ids_file.removesuffix(SUFFIX) + COLOUR_SUFFIX)
    if path.exists():
        return False
    unfinished = path.with_name(f'.{path.name}')
    save_palette_png(read_label(train_ids_file), list(CITYSCAPES_COLOURS.values()), unfinished)
    os.replace(unfinished, path)
    return True


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument('--color', action='store_true', help='write <number>_gt_color.png too, to look at')


def convert(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    about = "Convert Synscapes' labels to train ids."
    args = conversion_command.parse_arguments(about, 'img/class', 4, arguments, add_options)
    tasks = conversion_command.numbered_tasks(args, EXPECTED, SUFFIX)
    dataset = conversion_command.dataset_of(args, SynscapesDataset, 'img/rgb')
    outcomes = conversion_command.convert_all(tasks, read_train_ids, args.nproc)
    if args.color and (args.skip_broken or all(outcome.error is None for outcome in outcomes)):
        draw([outcome.task.output for outcome in outcomes if outcome.error is None], args.nproc)
    return conversion_command.finish(outcomes, args.out_dir or args.data_root, args.skip_broken, dataset)


def draw(train_ids_files: Sequence[str], nproc: int) -> None:
    """:func:`colour_file` for all, with a progress bar."""
    drawn = map_in_order(colour_file, train_ids_files, nproc)
    made = sum(track(drawn, 'colouring', len(train_ids_files), console=Console(stderr=True)))
    print(f'{made} pictures *{COLOUR_SUFFIX} drawn, {len(train_ids_files) - made} were there already')


if __name__ == '__main__':
    run_tool(lambda: sys.exit(convert()))
