"""BDD100K's semantic segmentation (Yu et al., CVPR 2020): 7000 training and 1000 validation images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.classes import CITYSCAPES_METAINFO
from mmseg.registry import DATASETS


@DATASETS.register_module()
class BDD100KDataset(BaseSegDataset):
    """``images/10k/{train,val}/*.jpg`` and ``labels/sem_seg/masks/{train,val}/*.png``, which hold train ids.

    The older package's ``seg/images/{train,val}`` and ``seg/labels/{train,val}`` are read with ``data_prefix`` and
    ``seg_map_suffix='_train_id.png'``.
    """

    METAINFO = CITYSCAPES_METAINFO
    margins_canvas = (720, 1280)

    def __init__(
        self,
        data_root: str = 'data/bdd100k',
        img_suffix: str | Sequence[str] = ('.jpg', '.png'),
        seg_map_suffix: str = '.png',
        **kwargs: Any,
    ):
        super().__init__(data_root=data_root, img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)
