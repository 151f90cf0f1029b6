"""GTA (Playing for Data, Richter et al., ECCV 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.classes import CITYSCAPES_METAINFO
from mmseg.registry import DATASETS


@DATASETS.register_module()
class GTADataset(BaseSegDataset):
    """``images/*.png`` and ``labels/*_labelTrainIds.png``, 24,966 of each in the published set."""

    METAINFO = CITYSCAPES_METAINFO
    label_converter = 'tools/convert_datasets/gta.py'

    def __init__(
        self,
        img_suffix: str | Sequence[str] = ('.png', '.jpg'),
        seg_map_suffix: str = '_labelTrainIds.png',
        **kwargs: Any,
    ):
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)
