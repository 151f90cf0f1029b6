"""Label ids of the datasets -> train ids (0..18), and what ids a dataset knows.

Sources: cityscapesScripts' label list (GTA has the same ids), SYNTHIA-RAND-CITYSCAPES' readme, Mapillary Vistas v1.2's
configuration. Ids that are known but have no train id are ignored (255).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mmseg.structures import IGNORE

CITYSCAPES_NAMES = {
    'unlabeled': 0,
    'ego vehicle': 1,
    'rectification border': 2,
    'out of roi': 3,
    'static': 4,
    'dynamic': 5,
    'ground': 6,
    'road': 7,
    'sidewalk': 8,
    'parking': 9,
    'rail track': 10,
    'building': 11,
    'wall': 12,
    'fence': 13,
    'guard rail': 14,
    'bridge': 15,
    'tunnel': 16,
    'pole': 17,
    'polegroup': 18,
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
    'caravan': 29,
    'trailer': 30,
    'train': 31,
    'motorcycle': 32,
    'bicycle': 33,
    'license plate': -1,
}
_CITYSCAPES_TRAIN_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
CITYSCAPES_TO_TRAIN = {label_id: train_id for train_id, label_id in enumerate(_CITYSCAPES_TRAIN_IDS)}
TRAIN_TO_CITYSCAPES = {train_id: label_id for label_id, train_id in CITYSCAPES_TO_TRAIN.items()}
CITYSCAPES_KNOWN = frozenset(range(34)) | {IGNORE}  # a license plate (-1) that was stored in 8 bits is 255

GTA_TO_TRAIN = CITYSCAPES_TO_TRAIN
GTA_KNOWN = frozenset(range(35)) | {IGNORE}  # 34 is GTA's license plate

# Terrain (16), truck (18) and train (20) have ids, but do not occur in SYNTHIA's images.
SYNTHIA_TO_TRAIN = {
    3: 0,
    4: 1,
    2: 2,
    21: 3,
    5: 4,
    7: 5,
    15: 6,
    9: 7,
    6: 8,
    16: 9,
    1: 10,
    10: 11,
    17: 12,
    8: 13,
    18: 14,
    19: 15,
    20: 16,
    12: 17,
    11: 18,
}
SYNTHIA_KNOWN = frozenset(range(23)) | {IGNORE}

_MAPILLARY_V12_GROUPS = (
    (13, 24, 41),
    (2, 15),
    (17,),
    (6,),
    (3,),
    (45, 47),
    (48,),
    (50,),
    (30,),
    (29,),
    (27,),
    (19,),
    (20, 21, 22),
    (55,),
    (61,),
    (54,),
    (58,),
    (57,),
    (52,),
)
MAPILLARY_V12_TO_TRAIN = {
    label_id: train_id for train_id, group in enumerate(_MAPILLARY_V12_GROUPS) for label_id in group
}

# Colours (RGB) of GTA's label PNGs -> id, for files whose palette was resolved. Where ids share a colour the lowest
# stands for them: polegroup (18) reads as pole and the license plate (34) as car then, the others have one train id.
GTA_COLOUR_TO_ID = {
    (0, 0, 0): 0,
    (20, 20, 20): 4,
    (111, 74, 0): 5,
    (81, 0, 81): 6,
    (128, 64, 128): 7,
    (244, 35, 232): 8,
    (250, 170, 160): 9,
    (230, 150, 140): 10,
    (70, 70, 70): 11,
    (102, 102, 156): 12,
    (190, 153, 153): 13,
    (180, 165, 180): 14,
    (150, 100, 100): 15,
    (150, 120, 90): 16,
    (153, 153, 153): 17,
    (250, 170, 30): 19,
    (220, 220, 0): 20,
    (107, 142, 35): 21,
    (152, 251, 152): 22,
    (70, 130, 180): 23,
    (220, 20, 60): 24,
    (255, 0, 0): 25,
    (0, 0, 142): 26,
    (0, 0, 70): 27,
    (0, 60, 100): 28,
    (0, 0, 90): 29,
    (0, 0, 110): 30,
    (0, 80, 100): 31,
    (0, 0, 230): 32,
    (119, 11, 32): 33,
}


def lookup_table(to_train: Mapping[int, int]) -> np.ndarray:
    """(256,) uint8 table of train ids; unlisted ids are 255."""
    table = np.full(256, IGNORE, np.uint8)
    for label_id, train_id in to_train.items():
        table[label_id] = train_id
    return table
