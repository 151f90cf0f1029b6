"""Class lists that evaluation needs to know by name."""

from __future__ import annotations

from collections.abc import Sequence

# Cityscapes' 19 evaluated classes in train-id order, and the label id that its benchmark server expects for each.
CITYSCAPES_LABEL_IDS = {
    'road': 7,
    'sidewalk': 8,
    'building': 11,
    'wall': 12,
    'fence': 13,
    'pole': 17,
    'traffic light': 19,
    'traffic sign': 20,
    'vegetation': 21,
    'terrain': 22,
    'sky': 23,
    'person': 24,
    'rider': 25,
    'car': 26,
    'truck': 27,
    'bus': 28,
    'train': 31,
    'motorcycle': 32,
    'bicycle': 33,
}

# SYNTHIA has no terrain, truck and train; the 13-class score leaves out its three weakest classes too.
SYNTHIA_16 = [name for name in CITYSCAPES_LABEL_IDS if name not in ('terrain', 'truck', 'train')]
SYNTHIA_13 = [name for name in SYNTHIA_16 if name not in ('wall', 'fence', 'pole')]
SYNTHIA_SUBSETS = {'mIoU16': SYNTHIA_16, 'mIoU13': SYNTHIA_13}


def class_indices(names: Sequence[str], classes: Sequence[str]) -> list[int]:
    """Train ids of some classes.

    Raises:
        ValueError: a name that is not among the classes.
    """
    unknown = [name for name in names if name not in classes]
    if unknown:
        raise ValueError(f'no class {", ".join(map(repr, unknown))} in this data set; it has {", ".join(classes)}')
    return [list(classes).index(name) for name in names]


def label_id_table(classes: Sequence[str]) -> list[int]:
    """Label id of each train id, for the files that the Cityscapes server takes.

    Raises:
        ValueError: classes that are not Cityscapes' own.
    """
    foreign = [name for name in classes if name not in CITYSCAPES_LABEL_IDS]
    if foreign:
        raise ValueError(
            f'class {foreign[0]!r} has no Cityscapes label id: write train ids instead (to_label_id=False, --train-ids)'
        )
    return [CITYSCAPES_LABEL_IDS[name] for name in classes]
