"""Label ids of the demo scenes: scenes are drawn in Cityscapes label ids, SYNTHIA's are looked up at the end."""

import numpy as np

EGO_VEHICLE, STATIC = 1, 4
ROAD, SIDEWALK, BUILDING, WALL, FENCE, POLE = 7, 8, 11, 12, 13, 17
TRAFFIC_LIGHT, TRAFFIC_SIGN, VEGETATION, TERRAIN, SKY = 19, 20, 21, 22, 23
PERSON, RIDER, CAR, TRUCK, BUS, TRAIN, MOTORCYCLE, BICYCLE = 24, 25, 26, 27, 28, 31, 32, 33

# Position = train id.
TRAIN_ID_ORDER = (
    *(ROAD, SIDEWALK, BUILDING, WALL, FENCE, POLE, TRAFFIC_LIGHT, TRAFFIC_SIGN, VEGETATION, TERRAIN, SKY),
    *(PERSON, RIDER, CAR, TRUCK, BUS, TRAIN, MOTORCYCLE, BICYCLE),
)
SYNTHIA_IDS = {
    **{ROAD: 3, SIDEWALK: 4, BUILDING: 2, WALL: 21, FENCE: 5, POLE: 7, TRAFFIC_LIGHT: 15, TRAFFIC_SIGN: 9},
    **{VEGETATION: 6, SKY: 1, PERSON: 10, RIDER: 17, CAR: 8, BUS: 19, MOTORCYCLE: 12, BICYCLE: 11},
}

# The colours of the 35 Cityscapes label ids, which the label PNGs of GTA carry as their palette.
PALETTE = np.array(
    [
        *[(0, 0, 0)] * 5,
        *[(111, 74, 0), (81, 0, 81), (128, 64, 128), (244, 35, 232), (250, 170, 160), (230, 150, 140)],
        *[(70, 70, 70), (102, 102, 156), (190, 153, 153), (180, 165, 180), (150, 100, 100), (150, 120, 90)],
        *[(153, 153, 153), (153, 153, 153), (250, 170, 30), (220, 220, 0), (107, 142, 35), (152, 251, 152)],
        *[(70, 130, 180), (220, 20, 60), (255, 0, 0), (0, 0, 142), (0, 0, 70), (0, 60, 100), (0, 0, 90)],
        *[(0, 0, 110), (0, 80, 100), (0, 0, 230), (119, 11, 32), (0, 0, 142)],
    ],
    dtype=np.uint8,
)


def _table(pairs: dict[int, int], default: int) -> np.ndarray:
    table = np.full(256, default, dtype=np.uint8)
    table[list(pairs)] = list(pairs.values())
    return table


TO_TRAIN_ID = _table({label: train_id for train_id, label in enumerate(TRAIN_ID_ORDER)}, 255)
TO_SYNTHIA_ID = _table(SYNTHIA_IDS, 0)
