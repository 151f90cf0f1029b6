"""Convert Cityscapes' annotations to train ids: ``python tools/convert_datasets/cityscapes.py data/cityscapes``.

Writes ``gtFine/<split>/<city>/<name>_gtFine_labelTrainIds.png`` from ``*_polygons.json`` (from ``*_labelIds.png`` where
there are no polygons), the statistics of the training split for rare class sampling, and the file lists train.txt,
val.txt and test.txt. An interrupted conversion continues where it stopped. Broken annotations are named; with
``--skip-broken`` the others are used, and listed. Of another label folder (``--gt-dir gtCoarse``) statistics and lists
go to a folder of their own (``-o``): they do not replace gtFine's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from mmseg.datasets import conversion, conversion_command  # noqa: E402
from mmseg.datasets.base_dataset import files_below, without_suffix  # noqa: E402
from mmseg.datasets.image_io import read_label  # noqa: E402
from mmseg.datasets.label_tables import CITYSCAPES_KNOWN, CITYSCAPES_TO_TRAIN, lookup_table  # noqa: E402
from mmseg.datasets.polygons import read_polygons  # noqa: E402
from mmseg.datasets.statistics import check_overwriting  # noqa: E402
from mmseg.datasets.statistics_usable import ann_file  # noqa: E402
from tools._entry import run_tool  # noqa: E402

EXPECTED = 'gtFine/<split>/<city>/*_gtFine_polygons.json (or *_gtFine_labelIds.png)'
SPLITS = ('train', 'val', 'test')
KINDS = ('_gtFine', '_gtCoarse')
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
    args = conversion_command.parse_arguments("Convert Cityscapes' annotations to train ids.", 'gtFine', 1, arguments)
    folder = conversion_command.label_folder(args.data_root, args.gt_dir, EXPECTED)
    out_dir = args.out_dir or args.data_root
    annotations = find_annotations(folder)
    outputs = [stem + conversion.OUTPUT_SUFFIX for stem in annotations]
    check_overwriting(out_dir, [(folder, outputs)])
    check_lists(out_dir, image_lists(annotations))
    tasks = [
        conversion.Task(os.path.join(folder, name), os.path.join(folder, output), counted=output.startswith('train/'))
        for name, output in zip(annotations.values(), outputs, strict=True)
    ]
    outcomes = conversion_command.convert_all(tasks, read_train_ids, args.nproc)
    status = conversion_command.finish(outcomes, out_dir, args.skip_broken)
    stems = zip(annotations, outcomes, strict=True)
    left_out = {stem for stem, outcome in stems if outcome.error is not None and args.skip_broken}
    lists = image_lists(annotations, left_out)
    for split, names in lists.items():
        write_list(os.path.join(out_dir, f'{split}.txt'), names)
    if args.skip_broken:
        explain_lists(args.data_root, out_dir, list(lists))
    return status


def image_lists(stems: Iterable[str], left_out: Collection[str] = ()) -> dict[str, list[str]]:
    """Images per split, as ``ann_file`` names them: ``<city>/<city>_<sequence>_<frame>``.

    Args:
        stems: annotations without suffix, ``<split>/<city>/<city>_<sequence>_<frame>_gtFine``.
        left_out: those of the annotations whose images are not listed.
    """
    found: dict[str, list[str]] = {}
    for stem in stems:
        split, _, name = stem.partition('/')
        names = found.setdefault(split, [])
        if stem not in left_out:
            names.append(image_name(name))
    return {split: found[split] for split in SPLITS if split in found}


def image_name(name: str) -> str:
    """The name that gtFine's and gtCoarse's annotations share with their image."""
    return without_suffix(name, KINDS) or name


def check_lists(out_dir: str, lists: Mapping[str, Sequence[str]]) -> None:
    """Lists of other images are not to be replaced.

    Raises:
        ValueError: a list names none of the images.
    """
    for split, names in lists.items():
        path = Path(out_dir, f'{split}.txt')
        listed = path.read_text(encoding='utf-8').split() if path.is_file() else []
        if listed and {image_name(name) for name in listed}.isdisjoint(names):
            raise ValueError(
                f'{path} lists other images (e.g. {listed[0]}): delete it, or choose another folder with --out-dir'
            )


def write_list(path: str, names: Iterable[str]) -> None:
    """Write image names, one a line; makes the folder."""
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    Path(path).write_text(''.join(f'{name}\n' for name in names), encoding='utf-8')


def explain_lists(data_root: str, out_dir: str, splits: Sequence[str]) -> None:
    """Say how a dataset takes the lists."""
    files = {split: ann_file(os.path.join(out_dir, f'{split}.txt'), data_root) for split in splits}
    folders = os.path.join(data_root, 'leftImg8bit')
    uses = ', '.join(f"ann_file='{file}' in the dataset of {folders}/{split}" for split, file in files.items())
    print(f'lists of the usable images: {uses}')


if __name__ == '__main__':
    run_tool(lambda: sys.exit(convert()))
