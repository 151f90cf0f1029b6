"""Names of a dataset's usable images, in the form of ``ann_file``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from mmseg.datasets.base_dataset import BaseSegDataset, without_suffix

USABLE_FILE = 'usable_images{}.txt'


def write_usable(path: Path, dataset: BaseSegDataset, usable: Iterable[str]) -> str | None:
    """Write the list of the usable images if some are not, or if there is one: files may have been repaired since.

    Args:
        path: of the list.
        dataset: whose images these are.
        usable: their names, as ``img_names`` has them.

    Returns:
        What was left out, and how to train without it; None = no list was needed.
    """
    stems = [without_suffix(name, dataset.img_suffixes) or name for name in usable]
    left_out = len(dataset) - len(stems)
    if not left_out and not path.exists():
        return None
    path.write_text(''.join(f'{stem}\n' for stem in stems), encoding='utf-8')
    if not left_out:
        return f'no image was left out: {path} names all {len(stems)} now'
    return (
        f'{left_out} of {len(dataset)} images were left out; to train without them: '
        f"ann_file='{ann_file(path, dataset.data_root)}' in the dataset of {dataset.img_dir} ({path})"
    )


def ann_file(path: str | Path, data_root: str) -> str:
    """A list's path as a dataset of ``data_root`` takes it."""
    return os.path.relpath(path, data_root or '.').replace(os.sep, '/')
