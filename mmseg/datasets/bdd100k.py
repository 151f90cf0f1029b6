"""BDD100K's semantic segmentation (Yu et al., CVPR 2020): 7000 training and 1000 validation images."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from mmengine.logging import print_log

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.classes import CITYSCAPES_METAINFO
from mmseg.registry import DATASETS

# Without label maps in the first package (issue 103 of BDD100K's repository), turned by 90 degrees in later ones: four
# of the training and two of the validation images.
UNUSABLE = (
    '3d581db5-2564fb7e', '52e3fd10-c205dec2', '781756b0-61e0a182', '78ac84ba-07bd30c2',
    '80a9e37d-e4548ac1', '9342e334-33d167eb',
)  # fmt: skip


@DATASETS.register_module()
class BDD100KDataset(BaseSegDataset):
    """``images/10k/{train,val}/*.jpg`` and ``labels/sem_seg/masks/{train,val}/*.png``, which hold train ids.

    The older package's ``seg/images/{train,val}`` and ``seg/labels/{train,val}`` are read with ``data_prefix`` and
    ``seg_map_suffix='_train_id.png'``.

    Args:
        left_out: names without ending of images that are not used.
    """

    METAINFO = CITYSCAPES_METAINFO
    margins_canvas = (720, 1280)

    def __init__(
        self,
        data_root: str = 'data/bdd100k',
        img_suffix: str | Sequence[str] = ('.jpg', '.png'),
        seg_map_suffix: str = '.png',
        left_out: Collection[str] = UNUSABLE,
        **kwargs: Any,
    ):
        self.left_out = frozenset(left_out)
        super().__init__(data_root=data_root, img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)

    def _find_images(self) -> dict[str, str]:
        found = super()._find_images()
        unusable = [stem for stem in found if stem.rpartition('/')[2] in self.left_out]
        if unusable:
            print_log(
                f'BDD100KDataset: {len(unusable)} of {len(found)} images in {self.img_dir} are left out (left_out), as '
                f'they do not go with their label maps, e.g. {unusable[0]}',
                'current',
            )
        return {stem: name for stem, name in found.items() if stem not in unusable}

    def _find_labels(self) -> set[str]:
        own = {f'{name}{self.seg_map_suffix}' for name in self.left_out}
        return {name for name in super()._find_labels() if name.rpartition('/')[2] not in own}
