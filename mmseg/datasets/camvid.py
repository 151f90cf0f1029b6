"""CamVid (Brostow et al., Pattern Recognition Letters 2009), 11 classes, in the layout of the SegNet tutorial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.registry import DATASETS

CAMVID_COLOURS = {
    'Sky': (128, 128, 128),
    'Building': (128, 0, 0),
    'Pole': (192, 192, 128),
    'Road': (128, 64, 128),
    'Pavement': (60, 40, 222),
    'Tree': (128, 128, 0),
    'SignSymbol': (192, 128, 128),
    'Fence': (64, 64, 128),
    'Car': (64, 0, 128),
    'Pedestrian': (64, 64, 0),
    'Bicyclist': (0, 128, 192),
}
_ANNOTATIONS = 'annot'
# What tools/generate_depth.py puts beside the frames.
_DEPTH = 'depth_'


@DATASETS.register_module()
class CamVidDataset(BaseSegDataset):
    """``{train,val,test}/<sequence>_<frame>.png`` (or ``.jpg``) and ``{train,val,test}annot/<the same>.png``.

    Args:
        sequences: the drives to take, e.g. ``0001TP``, or those of one folder, ``train/0001TP``; None = all frames.
            0006R0, 0016E5 and Seq05VD were driven by day (577 frames), 0001TP at dusk (62 frames in train, 62 in test).
        label_folder: ending of the label folders' names; ``''`` for pseudo-labels, which lie in folders of the frames'.

    Raises:
        FileNotFoundError: a sequence that has no image.
    """

    METAINFO = {
        'classes': tuple(CAMVID_COLOURS),
        'palette': [list(colour) for colour in CAMVID_COLOURS.values()],
    }

    def __init__(
        self,
        data_root: str = 'data/camvid',
        sequences: Sequence[str] | None = None,
        ignore_index: int = 11,
        label_folder: str = _ANNOTATIONS,
        **kwargs: Any,
    ):
        self.label_folder = label_folder
        self.sequences = (sequences,) if isinstance(sequences, str) else sequences
        super().__init__(data_root=data_root, ignore_index=ignore_index, **kwargs)

    def statistics_command(self) -> str:
        if self.label_folder != _ANNOTATIONS:
            return super().statistics_command()
        return f'python tools/dataset_statistics.py {self.data_root} --dataset CamVidDataset'

    def label_name(self, stem: str) -> str:
        folder, _, name = stem.partition('/')
        return f'{folder}{self.label_folder}/{name}{self.seg_map_suffix}'

    def _find_images(self) -> dict[str, str]:
        found = {
            stem: name
            for stem, name in super()._find_images().items()
            if not _folder(stem).endswith(_ANNOTATIONS) and not _folder(stem).startswith(_DEPTH)
        }
        if self.sequences is None:
            return found
        missing = [one for one in self.sequences if not any(_belongs(stem, one) for stem in found)]
        if missing:
            raise FileNotFoundError(f'CamVidDataset: no images of sequence {missing[0]} in {self.img_dir}')
        return {stem: name for stem, name in found.items() if any(_belongs(stem, one) for one in self.sequences)}

    def _find_labels(self) -> set[str]:
        return {
            name
            for name in super()._find_labels()
            if _folder(name).endswith(self.label_folder)
            and (self.sequences is None or any(_belongs(self._frame(name), s) for s in self.sequences))
        }

    def _frame(self, label: str) -> str:
        return label.replace(self.label_folder, '', 1)


def _folder(name: str) -> str:
    return name.partition('/')[0]


def _belongs(stem: str, sequence: str) -> bool:
    """Whether ``train/0001TP_006690`` is of ``0001TP``, or of ``train/0001TP``."""
    folder, _, name = stem.rpartition('/')
    own = name.partition('_')[0]
    return sequence in (own, f'{folder}/{own}')
