"""Convert Cityscapes' annotations to train ids: ``python tools/convert_datasets/cityscapes.py data/cityscapes``.

Writes ``gtFine/<split>/<city>/<name>_gtFine_labelTrainIds.png`` from ``*_polygons.json`` (from ``*_labelIds.png`` where
there are no polygons), the statistics of the training split for rare class sampling, and the file lists train.txt,
val.txt and test.txt. An interrupted conversion continues where it stopped.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from mmseg.datasets import conversion  # noqa: E402
from mmseg.datasets.base_dataset import files_below  # noqa: E402
from mmseg.datasets.image_io import read_label  # noqa: E402
from mmseg.datasets.label_tables import CITYSCAPES_KNOWN, CITYSCAPES_TO_TRAIN, lookup_table  # noqa: E402
from mmseg.datasets.polygons import read_polygons  # noqa: E402
from tools._entry import run_tool  # noqa: E402

EXPECTED = 'gtFine/<split>/<city>/*_gtFine_polygons.json (or *_gtFine_labelIds.png)'
SPLITS = ('train', 'val', 'test')
TABLE = lookup_table(CITYSCAPES_TO_TRAIN)
POLYGONS, LABEL_IDS = '_polygons.json', '_labelIds.png'


def read_train_ids(path: str) -> np.ndarray:
    """Train ids (H, W) uint8 of a polygon file or a label-id PNG."""
    if path.endswith(POLYGONS):
        return read_polygons(path)
    return conversion.to_train_ids(read_label(path), TABLE, CITYSCAPES_KNOWN, path)


def find_annotations(folder: str) -> dict[str, str]:
    """Annotation per image, relative to the folder: name without suffix -> file; polygons come before label ids.

    Raises:
        FileNotFoundError: there are none.
    """
    names = sorted(files_below(folder))
    found = {name.removesuffix(LABEL_IDS): name for name in names if name.endswith(LABEL_IDS)}
    found |= {name.removesuffix(POLYGONS): name for name in names if name.endswith(POLYGONS)}
    if not found:
        raise FileNotFoundError(f'no annotations in {folder}; looked for {EXPECTED}')
    return dict(sorted(found.items()))


def convert(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = conversion.parse_arguments("Convert Cityscapes' annotations to train ids.", 'gtFine', 1, arguments)
    folder = conversion.label_folder(args.data_root, args.gt_dir, EXPECTED)
    out_dir = args.out_dir or args.data_root
    annotations = find_annotations(folder)
    tasks = [
        conversion.Task(
            os.path.join(folder, name),
            os.path.join(folder, stem + conversion.OUTPUT_SUFFIX),
            counted=stem.startswith('train/'),
        )
        for stem, name in annotations.items()
    ]
    status = conversion.run(tasks, read_train_ids, out_dir, args.nproc)
    for split in SPLITS:
        listed = [stem.removeprefix(f'{split}/') for stem in annotations if stem.startswith(f'{split}/')]
        if listed:
            write_list(os.path.join(out_dir, f'{split}.txt'), listed)
    return status


def write_list(path: str, stems: Sequence[str]) -> None:
    """Write image names (``<city>/<city>_<sequence>_<frame>``), one a line; makes the folder."""
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    Path(path).write_text(''.join(f'{stem.removesuffix("_gtFine")}\n' for stem in stems), encoding='utf-8')


if __name__ == '__main__':
    run_tool(lambda: sys.exit(convert()))
