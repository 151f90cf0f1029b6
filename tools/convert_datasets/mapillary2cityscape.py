"""Convert the labels of Mapillary Vistas v1.2 to Cityscapes' classes:

    python tools/convert_datasets/mapillary2cityscape.py data/mapillary data/mapillary/cityscape_trainIdLabel --train_id

Writes ``<out_dir>/{train,val}/label/<name>.png``, and with ``--train_id`` the statistics of the training labels for
rare class sampling into Mapillary's folder. The classes' names come from ``config_v1.2.json``, in the archive of v1.2
``config.json``; ``--table`` prints what becomes of each. An interrupted conversion continues where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from mmseg.datasets import conversion, conversion_command  # noqa: E402
from mmseg.datasets.base_dataset import files_below  # noqa: E402
from mmseg.datasets.image_io import read_label  # noqa: E402
from mmseg.datasets.mapillary_labels import (  # noqa: E402
    cityscapes_class,
    find_class_names,
    mapillary_table,
)
from mmseg.structures import IGNORE  # noqa: E402
from tools._entry import run_tool  # noqa: E402

SPLITS = {'training': 'train', 'validation': 'val'}
# As unpacked from the archive of v1.2, and from that of v2.0.
LABELS = ('labels', 'v1.2/labels')
IDS_FILE = 'label_ids.json'


def read_ids(path: str, table: np.ndarray, classes: int) -> np.ndarray:
    """Ids (H, W) uint8 of one of Mapillary's label files, after the table."""
    return conversion.to_train_ids(read_label(path), table, range(classes), path)


def list_tasks(root: str, out_dir: str, train_ids: bool) -> list[conversion.Task]:
    """The label files of both splits; a split that is not there is left out.

    Raises:
        FileNotFoundError: there are none.
    """
    tasks = []
    for split, short in SPLITS.items():
        folders = [os.path.join(root, split, labels) for labels in LABELS]
        folder = next((folder for folder in folders if os.path.isdir(folder)), None)
        if folder is None:
            print(f'{split} has no labels: left out (looked for {" and ".join(folders)})', file=sys.stderr)
            continue
        output = os.path.join(out_dir, short, 'label')
        os.makedirs(output, exist_ok=True)
        tasks += [
            conversion.Task(os.path.join(folder, name), os.path.join(output, name), train_ids and short == 'train')
            for name in sorted(files_below(folder))
            if name.endswith('.png') and '/' not in name
        ]
    if not tasks:
        raise FileNotFoundError(
            f'no label files in {root}; looked for training/labels/*.png and validation/labels/*.png'
        )
    return tasks


def claim_folder(out_dir: str, train_ids: bool) -> None:
    """Note in the folder which ids its label maps hold: what is there already is not converted again.

    Raises:
        ValueError: it holds those of the other kind.
    """
    path = Path(out_dir) / IDS_FILE
    kind = 'train ids' if train_ids else "Cityscapes' label ids"
    if path.is_file() and (found := json.loads(path.read_text(encoding='utf-8'))['ids']) != kind:
        raise ValueError(f'{out_dir} holds label maps with {found}, not {kind}: name another folder, or delete it')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({'ids': kind}), encoding='utf-8')


def print_table(names: Sequence[str]) -> None:
    """What becomes of each class."""
    for label_id, name in enumerate(names):
        print(f'{label_id:3} {name:30} {cityscapes_class(name) or "ignored"}')


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'mapillary_path', help='folder with training/, validation/ and config_v1.2.json, or config.json'
    )
    parser.add_argument('out_dir', help='folder for train/label and val/label')
    parser.add_argument(
        '--train_id',
        '--train-id',
        action='store_true',
        help=f'0 to 18 instead of label ids; {IGNORE} = ignored in both',
    )
    parser.add_argument('--table', action='store_true', help='print what becomes of each class')
    parser.add_argument('--nproc', type=int, default=4, help='number of processes (default: %(default)s)')
    return parser.parse_args(arguments)


def convert(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_arguments(arguments)
    if not os.path.isdir(args.mapillary_path):
        raise FileNotFoundError(f'folder {args.mapillary_path} does not exist')
    names = find_class_names(args.mapillary_path)
    if args.table:
        print_table(names)
    claim_folder(args.out_dir, args.train_id)
    tasks = list_tasks(args.mapillary_path, args.out_dir, args.train_id)
    reader = partial(read_ids, table=mapillary_table(names, args.train_id), classes=len(names))
    return conversion_command.run(tasks, reader, args.mapillary_path if args.train_id else None, args.nproc)


if __name__ == '__main__':
    run_tool(lambda: sys.exit(convert()))
