"""Synscapes (Wrenninge and Unger, 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.classes import CITYSCAPES_METAINFO
from mmseg.registry import DATASETS


@DATASETS.register_module()
class SynscapesDataset(BaseSegDataset):
    """``img/rgb/*.png`` and ``img/class/*_gt_labelTrainIds.png``, 25,000 of each in the published set."""

    METAINFO = CITYSCAPES_METAINFO
    label_converter = 'tools/convert_datasets/synscapes.py'

    def __init__(
        self,
        img_suffix: str | Sequence[str] = ('.png', '.jpg'),
        seg_map_suffix: str = '_gt_labelTrainIds.png',
        **kwargs: Any,
    ):
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)
