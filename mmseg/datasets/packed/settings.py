"""Which part of a pipeline a pack stands for, and what its contents follow from beside the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mmseg.datasets.transforms import (
    ColorJitter,
    LoadAnnotations,
    LoadDepth,
    LoadImageFromFile,
    PackTrainInputs,
    Pad,
    PadAround,
    PhotoMetricDistortion,
    PseudoMargins,
    RandomCrop,
    RandomFlip,
    Resize,
    TestTimeScales,
)

if TYPE_CHECKING:
    from mmseg.datasets.base_dataset import BaseSegDataset

# A pack's arrays, by what they hold.
ARRAYS = {'image': 'img', 'label': 'gt_seg_map', 'depth': 'depth'}
# Transforms that only move the pixels of a depth map: its decimals, which PackTrainInputs cuts off, are not needed.
_MOVE_DEPTH = (
    RandomCrop,
    RandomFlip,
    Pad,
    PadAround,
    PseudoMargins,
    PhotoMetricDistortion,
    ColorJitter,
    PackTrainInputs,
)

Settings = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class PackPlan:
    """What of a pipeline is done once.

    Attributes:
        steps: its first so many transforms: loading, and the first resize if it is not random.
        settings: by ``image``, ``label``, ``depth`` what the arrays follow from beside the files; plain JSON.
    """

    steps: int
    settings: Settings

    @classmethod
    def of(cls, dataset: BaseSegDataset) -> PackPlan:
        """The plan for a dataset's pipeline as its config has it.

        Raises:
            ValueError: the pipeline does not begin with loading images, or needs them before the resize.
        """
        transforms = dataset.pipeline.transforms
        steps, settings = 0, Settings()
        for item in transforms:
            # Subclasses load other files or do more.
            if type(item) is LoadImageFromFile:
                settings['image'] = {'resize': None}
            elif type(item) is LoadAnnotations:
                settings['label'] = {'resized': False, **_label_settings(dataset, item)}
            elif type(item) is LoadDepth:
                settings['depth'] = {'resized': False}
            elif type(item) is Resize and not item.random and settings.get('image') == {'resize': None}:
                settings['image'] = {'resize': _resize_settings(item)}
                for name in settings.keys() - {'image'}:
                    settings[name]['resized'] = True
            else:
                break
            steps += 1
        rest = transforms[steps:]
        if 'image' not in settings:
            raise ValueError(f'{dataset.name}: packed needs a pipeline that begins with LoadImageFromFile')
        if any(isinstance(item, TestTimeScales) for item in rest):
            raise ValueError(f'{dataset.name}: TestTimeScales needs images of their own size: leave out packed')
        if 'depth' in settings:
            settings['depth']['dtype'] = 'uint8' if all(type(item) in _MOVE_DEPTH for item in rest) else 'float32'
        return cls(steps, settings)


def differences(wanted: Mapping[str, Mapping[str, Any]], packed: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What a pack lacks or has otherwise, as text; a pack may hold more than is wanted."""
    found = []
    for name, settings in wanted.items():
        if name not in packed:
            found.append(f'no {name}s')
            continue
        for key, value in settings.items():
            if packed[name].get(key) != value:
                found.append(f'{name} {key}: {_short(packed[name].get(key))} instead of {_short(value)}')
    return found


def _label_settings(dataset: BaseSegDataset, loader: LoadAnnotations) -> dict[str, Any]:
    label_map = dataset.label_map
    return {
        'table': loader.table,
        'ignore_index': dataset.ignore_index,
        'label_map': None if label_map is None else label_map.table.tolist(),
        'num_classes': dataset.num_classes,
    }


def _resize_settings(resize: Resize) -> dict[str, Any]:
    names = ('keep_ratio', 'interpolation', 'backend', 'min_size')
    return {'scale': list(resize.scales[0]), **{name: getattr(resize, name) for name in names}}


def _short(value: Any) -> str:
    text = 'nothing' if value is None else str(value)
    return text if len(text) <= 120 else f'{text[:120]}...'
