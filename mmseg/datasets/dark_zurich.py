"""Dark Zurich (Sakaridis et al., ICCV 2019): street scenes at night."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.classes import CITYSCAPES_METAINFO
from mmseg.registry import DATASETS


@DATASETS.register_module()
class DarkZurichDataset(BaseSegDataset):
    """``rgb_anon/{train,val,test}/night/<drive>/*_rgb_anon.png`` and ``gt/val/night/<drive>/*_gt_labelTrainIds.png``.

    2416 unlabelled training images, 50 labelled ones for validation; the labels of the 151 test images are the
    benchmark server's.
    """

    METAINFO = CITYSCAPES_METAINFO
    margins_canvas = (1080, 1920)

    def __init__(
        self,
        data_root: str = 'data/dark_zurich',
        img_suffix: str | Sequence[str] = ('_rgb_anon.png', '_rgb_anon.jpg'),
        seg_map_suffix: str = '_gt_labelTrainIds.png',
        **kwargs: Any,
    ):
        super().__init__(data_root=data_root, img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)
