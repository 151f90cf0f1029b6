"""ACDC (Sakaridis et al., ICCV 2021): street scenes in fog, at night, in rain and in snow."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

from mmengine.logging import print_log

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.classes import CITYSCAPES_METAINFO
from mmseg.registry import DATASETS

CONDITIONS = ('fog', 'night', 'rain', 'snow')


@DATASETS.register_module()
class ACDCDataset(BaseSegDataset):
    """``rgb_anon/<condition>/<split>/<drive>/*_rgb_anon.png``, as published; labels likewise below ``gt``.

    The flat layout of the DAFormer code base, ``rgb_anon/<split>/<drive>/``, is read too, by ``split`` or by
    ``data_prefix``; it does not tell the conditions. Where both are, as its instructions leave them, the flat copies
    are left out.

    Args:
        split: train, val or test; None = all images below the folders of ``data_prefix``.
        conditions: some of fog, night, rain and snow; None = all.

    Raises:
        ValueError: an unknown condition.
        FileNotFoundError: no image of the split or of a condition.
    """

    METAINFO = CITYSCAPES_METAINFO
    margins_canvas = (1080, 1920)

    def __init__(
        self,
        data_root: str = 'data/acdc',
        split: str | None = None,
        conditions: Sequence[str] | str | None = None,
        img_suffix: str | Sequence[str] = ('_rgb_anon.png', '_rgb_anon.jpg'),
        seg_map_suffix: str = '_gt_labelTrainIds.png',
        **kwargs: Any,
    ):
        self.split = split
        self.conditions = (conditions,) if isinstance(conditions, str) else conditions
        unknown = [name for name in self.conditions or () if name not in CONDITIONS]
        if unknown:
            raise ValueError(f'ACDCDataset: no condition {unknown[0]!r}; there are {", ".join(CONDITIONS)}')
        kwargs.setdefault('data_prefix', {'img_path': 'rgb_anon', 'seg_map_path': 'gt'})
        super().__init__(data_root=data_root, img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)

    def _find_images(self) -> dict[str, str]:
        found = {stem: name for stem, name in super()._find_images().items() if self._in_split(stem)}
        if not found:
            raise FileNotFoundError(
                f'ACDCDataset: no images in {self.img_dir}/<condition>/{self.split} or {self.img_dir}/{self.split}'
            )
        for condition in self.conditions or ():
            if not any(_has_folder(stem, condition) for stem in found):
                raise FileNotFoundError(
                    f'ACDCDataset: no images of condition {condition} in {self.img_dir}; in a flat layout the '
                    'conditions cannot be told apart: keep rgb_anon/<condition>/<split>/<drive> as published'
                )
        if copies := _flat_copies(found):
            what = f'{len(copies)} images are below their condition too, e.g. {min(copies)}: these copies are left out'
            print_log(f'ACDCDataset: {self.img_dir}: {what}', 'current', logging.WARNING)
            found = {stem: name for stem, name in found.items() if stem not in copies}
        return {stem: name for stem, name in found.items() if self._in_conditions(stem)}

    def _find_labels(self) -> set[str]:
        found = {name for name in super()._find_labels() if self._in_split(name)}
        return {name for name in found - _flat_copies(found) if self._in_conditions(name)}

    def _in_split(self, name: str) -> bool:
        return self.split is None or _has_folder(name, self.split)

    def _in_conditions(self, name: str) -> bool:
        return self.conditions is None or any(_has_folder(name, condition) for condition in self.conditions)


def _flat_copies(names: Collection[str]) -> set[str]:
    """Those outside the conditions' folders that are inside too."""
    inside = {name for name in names if any(_has_folder(name, condition) for condition in CONDITIONS)}
    known = {name.rpartition('/')[2] for name in inside}
    return {name for name in names if name not in inside and name.rpartition('/')[2] in known}


def _has_folder(name: str, folder: str) -> bool:
    return folder in name.split('/')[:-1]
