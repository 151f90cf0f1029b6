"""Mapillary Vistas (Neuhold et al., ICCV 2017) with Cityscapes' 19 classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.classes import CITYSCAPES_METAINFO
from mmseg.registry import DATASETS


@DATASETS.register_module()
class MapillaryDataset(BaseSegDataset):
    """``training/images/*.jpg`` and ``cityscape_trainIdLabel/train/label/*.png``: 18,000, in ``validation`` 2,000.

    Scores are usual on ``half/val_img`` and ``half/val_label``, the validation set at half its size.
    """

    METAINFO = CITYSCAPES_METAINFO
    label_converter = 'tools/convert_datasets/mapillary2cityscape.py'

    def __init__(
        self,
        img_suffix: str | Sequence[str] = ('.jpg', '.png'),
        seg_map_suffix: str = '.png',
        **kwargs: Any,
    ):
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)

    def conversion_command(self) -> str:
        root = self.data_root or 'DATA_ROOT'
        return f'python {self.label_converter} {root} {root}/cityscape_trainIdLabel --train_id'
