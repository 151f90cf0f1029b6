"""Photographs from everywhere: other countries, cameras, hours and seasons than Cityscapes."""

from dataclasses import replace

from .cityscapes import CITYSCAPES
from .style import Sky

MAPILLARY = replace(
    CITYSCAPES,
    name='mapillary',
    number=3,
    camera_height=(1.2, 2.6),
    pitch=(-3.0, 5.0),
    yaw=(-14.0, 14.0),
    focal=(0.6, 1.15),
    bend=0.003,
    lane_width=(2.8, 3.8),
    lanes=((1, 1), (0, 1), (1, 2), (2, 2), (2, 3)),
    own_lane=(0, 1),
    sidewalk=(1.4, 5.0),
    profiles={'city': 0.36, 'suburb': 0.26, 'park': 0.18, 'open': 0.2},
    building_height=(5.0, 34.0),
    house_height=(4.0, 8.0),
    flat_roof=0.55,
    parked=0.35,
    traffic=2.4,
    traffic_kinds={'sedan': 4, 'suv': 3, 'hatchback': 3, 'van': 1.5, 'truck': 1.4, 'bus': 1.0},
    people=7.0,
    lamps={'arm': 3, 'post': 1, 'mast': 2},
    sign_count=2.4,
    fence=0.4,
    vehicle_scale=(0.92, 1.1),
    palette=replace(
        CITYSCAPES.palette,
        road=((126, 122, 114), (104, 102, 100), (140, 132, 120), (86, 86, 88)),
        sidewalk=((150, 142, 132), (164, 152, 136), (128, 124, 120), (150, 116, 98)),
        terrain=((124, 140, 66), (150, 132, 84), (96, 122, 58), (168, 140, 100)),
        facade=(
            *((206, 188, 150), (196, 130, 92), (226, 218, 206), (148, 150, 156), (214, 172, 112)),
            *((170, 88, 70), (150, 178, 184), (228, 204, 140), (120, 112, 112), (190, 196, 170)),
        ),
        foliage=((78, 108, 42), (96, 122, 48), (60, 92, 44), (120, 124, 58), (74, 90, 60)),
        vehicle=(
            *((232, 232, 230), (60, 62, 66), (168, 172, 176), (176, 34, 32), (36, 66, 124), (28, 28, 30)),
            *((222, 176, 40), (110, 120, 92), (140, 96, 70)),
        ),
        line=(220, 216, 200),
        center_line=(224, 186, 80),
    ),
    skies=(
        Sky(0.45, (206, 222, 236), (92, 146, 212), (250, 250, 250), (0.1, 0.5), (0.42, 0.58), (25, 70), (5e-4, 3e-3)),
        Sky(0.25, (226, 228, 230), (196, 206, 216), (240, 240, 240), (0.4, 0.8), (0.8, 0.95), (30, 60), (2e-3, 7e-3)),
        Sky(0.2, (244, 206, 160), (128, 148, 190), (248, 222, 190), (0.2, 0.6), (0.4, 0.52), (8, 20), (2e-3, 5e-3)),
        Sky(0.1, (188, 194, 200), (158, 166, 176), (208, 212, 216), (0.6, 0.9), (0.85, 0.95), (30, 50), (8e-3, 16e-3)),
    ),
    gloss=(0.0, 0.4),
    setts=0.12,
    saturation=1.1,
    ego_vehicle=False,
)
