"""Cityscapes (Cordts et al., CVPR 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.classes import CITYSCAPES_METAINFO
from mmseg.registry import DATASETS


@DATASETS.register_module()
class CityscapesDataset(BaseSegDataset):
    """``leftImg8bit/<split>/<city>/*_leftImg8bit.png`` and ``gtFine/<split>/<city>/*_gtFine_labelTrainIds.png``."""

    METAINFO = CITYSCAPES_METAINFO
    label_converter = 'tools/convert_datasets/cityscapes.py'
    margins_canvas = (1024, 2048)
    depth_suffix = '_depth.png'

    def __init__(
        self,
        img_suffix: str | Sequence[str] = ('_leftImg8bit.png', '_leftImg8bit.jpg'),
        seg_map_suffix: str = '_gtFine_labelTrainIds.png',
        **kwargs: Any,
    ):
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)
