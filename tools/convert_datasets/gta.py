"""Convert GTA's labels to train ids: ``python tools/convert_datasets/gta.py data/gta [--nproc 8]``.

Writes ``labels/<name>_labelTrainIds.png`` beside each label file and the statistics for rare class sampling into the
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
from mmseg.datasets.gta import GTADataset  # noqa: E402
from mmseg.datasets.image_io import open_label  # noqa: E402
from mmseg.datasets.label_tables import GTA_COLOUR_TO_ID, GTA_KNOWN, GTA_TO_TRAIN, lookup_table  # noqa: E402
from tools._entry import run_tool  # noqa: E402

EXPECTED = "GTA's labels/00001.png, labels/00002.png, ... beside images/"
TABLE = lookup_table(GTA_TO_TRAIN)


def ids_of_colours(colours: np.ndarray, path: str) -> np.ndarray:
    """Label ids (H, W) uint8 of a (H, W, 3 or 4) RGB label picture in GTA's colours.

    Raises:
        ValueError: a colour that is not GTA's.
    """
    red, green, blue = (colours[..., channel].astype(np.int32) for channel in range(3))
    present, inverse = np.unique(red << 16 | green << 8 | blue, return_inverse=True)
    present = [(int(code) >> 16, int(code) >> 8 & 255, int(code) & 255) for code in present]
    unknown = [colour for colour in present if colour not in GTA_COLOUR_TO_ID]
    if unknown:
        raise ValueError(
            f"label map {path} is a colour picture with {len(unknown)} colours that are not GTA's, e.g. {unknown[0]}"
        )
    ids = np.array([GTA_COLOUR_TO_ID[colour] for colour in present], np.uint8)
    return ids[inverse].reshape(colours.shape[:2])


def read_train_ids(path: str) -> np.ndarray:
    """Train ids (H, W) uint8 of one of GTA's label files: a palette PNG (index = id), or a grey or colour one."""
    label, _ = open_label(path)
    if label.ndim == 3:
        label = ids_of_colours(label, path)
    return conversion.to_train_ids(label, TABLE, GTA_KNOWN, path)


def convert(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = conversion_command.parse_arguments("Convert GTA's labels to train ids.", 'labels', 4, arguments)
    tasks = conversion_command.numbered_tasks(args, EXPECTED)
    dataset = conversion_command.dataset_of(args, GTADataset, 'images')
    outcomes = conversion_command.convert_all(tasks, read_train_ids, args.nproc)
    return conversion_command.finish(outcomes, args.out_dir or args.data_root, args.skip_broken, dataset)


if __name__ == '__main__':
    run_tool(lambda: sys.exit(convert()))
