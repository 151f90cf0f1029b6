"""Convert SYNTHIA-RAND-CITYSCAPES' labels to train ids: ``python tools/convert_datasets/synthia.py data/synthia``.

Writes ``GT/LABELS/<name>_labelTrainIds.png`` beside each label file and the statistics for rare class sampling into the
dataset's folder. An interrupted conversion continues where it stopped. Broken label files are named; with
``--skip-broken`` the others are used, and listed for ``ann_file``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from mmseg.datasets import conversion, conversion_command  # noqa: E402
from mmseg.datasets.image_io import read_16_bit_colour  # noqa: E402
from mmseg.datasets.label_tables import SYNTHIA_KNOWN, SYNTHIA_TO_TRAIN, lookup_table  # noqa: E402
from mmseg.datasets.synthia import SynthiaDataset  # noqa: E402
from tools._entry import run_tool  # noqa: E402

EXPECTED = "SYNTHIA's GT/LABELS/0000000.png, GT/LABELS/0000001.png, ... beside RGB/"
TABLE = lookup_table(SYNTHIA_TO_TRAIN)


def read_train_ids(path: str) -> np.ndarray:
    """Train ids (H, W) uint8 of one of SYNTHIA's label files: a 16-bit PNG with the class id in its red channel."""
    return conversion.to_train_ids(read_16_bit_colour(path)[..., 2], TABLE, SYNTHIA_KNOWN, path)


def convert(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = conversion_command.parse_arguments("Convert SYNTHIA's labels to train ids.", 'GT/LABELS', 4, arguments)
    tasks = conversion_command.numbered_tasks(args, EXPECTED)
    dataset = conversion_command.dataset_of(args, SynthiaDataset, 'RGB')
    outcomes = conversion_command.convert_all(tasks, read_train_ids, args.nproc)
    return conversion_command.finish(outcomes, args.out_dir or args.data_root, args.skip_broken, dataset)


if __name__ == '__main__':
    run_tool(lambda: sys.exit(convert()))
