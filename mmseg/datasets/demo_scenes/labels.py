"""Label ids of the demo scenes: scenes are drawn in Cityscapes label ids, other datasets' are looked up at the end."""

import numpy as np

from ..classes import CITYSCAPES_COLOURS
from ..label_tables import CITYSCAPES_TO_TRAIN, SYNTHIA_TO_TRAIN, TRAIN_TO_CITYSCAPES, lookup_table

EGO_VEHICLE, STATIC = 1, 4
ROAD, SIDEWALK, BUILDING, WALL, FENCE, POLE = 7, 8, 11, 12, 13, 17
TRAFFIC_LIGHT, TRAFFIC_SIGN, VEGETATION, TERRAIN, SKY = 19, 20, 21, 22, 23
PERSON, RIDER, CAR, TRUCK, BUS, TRAIN, MOTORCYCLE, BICYCLE = 24, 25, 26, 27, 28, 31, 32, 33

TO_TRAIN_ID = lookup_table(CITYSCAPES_TO_TRAIN)
# What has no class there (the bonnet, bins) is void: 0.
TO_SYNTHIA_ID = np.zeros(256, dtype=np.uint8)
for _synthia_id, _train_id in SYNTHIA_TO_TRAIN.items():
    TO_SYNTHIA_ID[TRAIN_TO_CITYSCAPES[_train_id]] = _synthia_id

# Mapillary Vistas v1.2, in the order of the ids.
MAPILLARY_NAMES = (
    'Bird', 'Ground Animal', 'Curb', 'Fence', 'Guard Rail', 'Barrier', 'Wall', 'Bike Lane', 'Crosswalk - Plain',
    'Curb Cut', 'Parking', 'Pedestrian Area', 'Rail Track', 'Road', 'Service Lane', 'Sidewalk', 'Bridge', 'Building',
    'Tunnel', 'Person', 'Bicyclist', 'Motorcyclist', 'Other Rider', 'Lane Marking - Crosswalk',
    'Lane Marking - General', 'Mountain', 'Sand', 'Sky', 'Snow', 'Terrain', 'Vegetation', 'Water', 'Banner', 'Bench',
    'Bike Rack', 'Billboard', 'Catch Basin', 'CCTV Camera', 'Fire Hydrant', 'Junction Box', 'Mailbox', 'Manhole',
    'Phone Booth', 'Pothole', 'Street Light', 'Pole', 'Traffic Sign Frame', 'Utility Pole', 'Traffic Light',
    'Traffic Sign (Back)', 'Traffic Sign (Front)', 'Trash Can', 'Bicycle', 'Boat', 'Bus', 'Car', 'Caravan',
    'Motorcycle', 'On Rails', 'Other Vehicle', 'Trailer', 'Truck', 'Wheeled Slow', 'Car Mount', 'Ego Vehicle',
    'Unlabeled',
)  # fmt: skip
# Classes that Mapillary divides are drawn as the plainest of its kinds.
TO_MAPILLARY_ID = np.full(256, 65, dtype=np.uint8)  # 65: unlabelled
for _train_id, _mapillary_id in enumerate((13, 15, 17, 6, 3, 45, 48, 50, 30, 29, 27, 19, 20, 55, 61, 54, 58, 57, 52)):
    TO_MAPILLARY_ID[TRAIN_TO_CITYSCAPES[_train_id]] = _mapillary_id
TO_MAPILLARY_ID[STATIC] = 51  # trash can


def _gta_palette() -> np.ndarray:
    """The colours (35, 3) of the label ids, which the label PNGs of GTA carry as their palette."""
    palette = np.zeros((35, 3), dtype=np.uint8)
    for train_id, color in enumerate(CITYSCAPES_COLOURS.values()):
        palette[TRAIN_TO_CITYSCAPES[train_id]] = color
    palette[4:7] = (20, 20, 20), (111, 74, 0), (81, 0, 81)
    palette[9:11] = (250, 170, 160), (230, 150, 140)
    palette[14:17] = (180, 165, 180), (150, 100, 100), (150, 120, 90)
    palette[18] = (153, 153, 153)
    palette[29:31] = (0, 0, 90), (0, 0, 110)
    palette[34] = (0, 0, 142)
    return palette


GTA_PALETTE = _gta_palette()
