"""Merging, renaming and leaving out classes: the ids of label files -> train ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mmseg.structures import IGNORE

OTHERS = 'others'


class LabelMap:
    """Where the classes of a dataset's label files go.

    Args:
        label_map: name or id in the files -> name or id of a class; None, 'ignore' or 255 = ignore. The key ``others``
            stands for every class or id that is not listed.
        file_classes: class names of the files, by id; empty if they have none.
        classes: class names after mapping.

    Raises:
        ValueError: a name or id that is not there, or a class of the files that is not mentioned.

    Attributes:
        table: (256,) uint8 train id of each id.
        known: (256,) bool, ids that files may hold.
    """

    def __init__(self, label_map: Mapping[Any, Any], file_classes: Sequence[str], classes: Sequence[str]):
        listed = {key: value for key, value in label_map.items() if key != OTHERS}
        ids = {_index(key, file_classes, 'the files'): _target(value, classes) for key, value in listed.items()}
        self.table = np.full(256, IGNORE, np.uint8)
        self.known = np.zeros(256, bool)
        self.known[[*ids, IGNORE]] = True
        if OTHERS in label_map:
            self.table[:] = _target(label_map[OTHERS], classes)
            self.table[IGNORE] = IGNORE
            self.known[:] = True
        for label_id, train_id in ids.items():
            self.table[label_id] = train_id
        missing = [name for label_id, name in enumerate(file_classes) if not self.known[label_id]]
        if missing:
            raise ValueError(
                f'label_map does not say what becomes of {_names(missing)}; None = ignore, or add others=None'
            )

    def merge_counts(self, counts: Mapping[Any, Any]) -> dict[str, int]:
        """Pixels per id of a file -> pixels per train id; what is ignored is left out.

        Args:
            counts: by id, as int or text; the key ``file`` is skipped.
        """
        merged: dict[str, int] = {}
        for key, pixels in counts.items():
            if key != 'file' and (train_id := int(self.table[int(key)])) != IGNORE:
                merged[str(train_id)] = merged.get(str(train_id), 0) + pixels
        return merged

    def merge_files(self, files: Mapping[Any, Iterable[Sequence[Any]]]) -> dict[str, list[tuple[str, int]]]:
        """``{id: [[file, pixels], ...]}`` -> the same by train id, pixels of merged classes added up."""
        merged: dict[str, dict[str, int]] = {}
        for key, entries in files.items():
            if (train_id := int(self.table[int(key)])) != IGNORE:
                pixels_of = merged.setdefault(str(train_id), {})
                for path, pixels in entries:
                    pixels_of[path] = pixels_of.get(path, 0) + pixels
        return {train_id: list(pixels_of.items()) for train_id, pixels_of in merged.items()}


def _index(key: Any, names: Sequence[str], where: str) -> int:
    if isinstance(key, str) and not key.lstrip('-').isdigit():
        if key not in names:
            known = _names(names) if names else 'no class names (use ids)'
            raise ValueError(f'label_map: no class {key!r} in {where}, which have {known}')
        return list(names).index(key)
    if not 0 <= int(key) <= IGNORE:
        raise ValueError(f'label_map: id {key} of {where} is not between 0 and 255')
    return int(key)


def _target(value: Any, classes: Sequence[str]) -> int:
    if value is None or value == 'ignore':
        return IGNORE
    index = _index(value, classes, 'the classes after mapping')
    if index != IGNORE and index >= len(classes):
        raise ValueError(f'label_map: there is no class {index}, only {len(classes)} classes after mapping')
    return index


def _names(names: Sequence[str]) -> str:
    return ', '.join(map(repr, names))
