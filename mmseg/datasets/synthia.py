"""SYNTHIA-RAND-CITYSCAPES (Ros et al., CVPR 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.classes import CITYSCAPES_METAINFO
from mmseg.registry import DATASETS


@DATASETS.register_module()
class SynthiaDataset(BaseSegDataset):
    """``RGB/*.png`` and ``GT/LABELS/*_labelTrainIds.png``, 9,400 of each in the published set.

    All 19 classes are listed; terrain, truck and train do not occur, so scores are read as mIoU16 and mIoU13.
    """

    METAINFO = CITYSCAPES_METAINFO
    label_converter = 'tools/convert_datasets/synthia.py'

    def __init__(
        self,
        img_suffix: str | Sequence[str] = ('.png', '.jpg'),
        seg_map_suffix: str = '_labelTrainIds.png',
        **kwargs: Any,
    ):
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)
