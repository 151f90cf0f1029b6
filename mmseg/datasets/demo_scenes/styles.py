"""What makes a domain: its camera, street layouts, frequencies, colours and light."""

from dataclasses import dataclass, field, replace

Range = tuple[float, float]
Color = tuple[float, float, float]


@dataclass(frozen=True)
class Palette:
    """Base colours (RGB 0..255), drawn per object and varied a little."""

    road: tuple[Color, ...]
    setts: tuple[Color, ...]
    sidewalk: tuple[Color, ...]
    terrain: tuple[Color, ...]
    facade: tuple[Color, ...]
    roof: tuple[Color, ...]
    glass: tuple[Color, ...]
    wall: tuple[Color, ...]
    fence: tuple[Color, ...]
    pole: tuple[Color, ...]
    foliage: tuple[Color, ...]
    trunk: tuple[Color, ...]
    vehicle: tuple[Color, ...]
    clothes: tuple[Color, ...]
    line: Color
    center_line: Color
    sign: tuple[Color, ...]  # white, red, blue, yellow, green, dark
    light_box: Color


@dataclass(frozen=True)
class Sky:
    """One kind of weather: chance, colours, clouds, light."""

    chance: float
    horizon: Color
    zenith: Color
    cloud: Color
    cover: Range
    ambient: Range
    sun_height: Range  # degrees
    haze: Range  # extinction per metre


@dataclass(frozen=True)
class Style:
    """A domain. Lengths in metres, angles in degrees, chances 0..1, counts are means per scene."""

    name: str
    number: int  # enters the seed of every scene
    camera_height: Range
    pitch: Range
    yaw: Range
    focal: Range  # share of the width of a 2:1 picture
    bend: float  # standard deviation of the street's curvature, 1/m
    lane_width: Range
    lanes: tuple[tuple[int, int], ...]  # (oncoming, own direction) to choose from
    own_lane: tuple[int, ...]
    sidewalk: Range
    profiles: dict[str, float]  # what lies beside the street -> weight
    building_height: Range
    house_height: Range
    building_length: Range
    window_pitch: Range
    storey: Range
    flat_roof: float
    shop: float
    gap: float
    crossing: float
    parked: float
    parked_kinds: dict[str, float]
    traffic: float  # vehicles per 100 m of lane
    traffic_kinds: dict[str, float]
    tram_line: float
    people: float
    riders: float
    parked_bikes: float
    parked_motorcycles: float
    tree_spacing: Range
    tree_height: Range
    trees: dict[str, float]
    lamps: dict[str, float]
    signs: dict[str, float]
    sign_count: float
    wall: float
    fence: float
    person_scale: Range
    vehicle_scale: Range
    palette: Palette
    skies: tuple[Sky, ...]
    texture: float
    gloss: Range  # how much the road mirrors the sky
    setts: float  # chance of a carriageway of stone setts
    asphalt_walks: float
    saturation: float
    terrain: bool = True
    ego_vehicle: bool = False
    photographic: bool = False
    signs_seen_from_behind: float = 0.2
    crossing_lights: dict[str, float] = field(default_factory=lambda: {'post': 1.0})


GTA = Style(
    name='gta',
    number=0,
    camera_height=(1.45, 2.1),
    pitch=(1.0, 5.0),
    yaw=(-5.0, 5.0),
    focal=(0.66, 0.82),
    bend=0.0012,
    lane_width=(3.4, 3.9),
    lanes=((2, 2), (2, 3), (1, 2), (2, 2), (1, 1)),
    own_lane=(0, 1),
    sidewalk=(3.0, 5.5),
    profiles={'city': 0.45, 'suburb': 0.28, 'park': 0.14, 'open': 0.13},
    building_height=(9.0, 38.0),
    house_height=(5.0, 8.0),
    building_length=(14.0, 32.0),
    window_pitch=(2.2, 3.6),
    storey=(3.2, 4.2),
    flat_roof=0.9,
    shop=0.5,
    gap=0.22,
    crossing=0.55,
    parked=0.3,
    parked_kinds={'sedan': 4, 'suv': 3, 'hatchback': 1, 'van': 1, 'truck': 0.25},
    traffic=2.3,
    traffic_kinds={'sedan': 5, 'suv': 3.5, 'hatchback': 1, 'van': 1.2, 'truck': 1.0, 'bus': 0.8},
    tram_line=0.18,
    people=9.0,
    riders=1.1,
    parked_bikes=0.8,
    parked_motorcycles=0.6,
    tree_spacing=(8.0, 15.0),
    tree_height=(5.5, 10.0),
    trees={'round': 5, 'palm': 3, 'conifer': 1, 'tall': 1},
    lamps={'arm': 4, 'mast': 1},
    signs={'stop': 2, 'speed': 2, 'ban': 1, 'board': 1.2, 'yield': 1, 'parking': 1, 'arrow': 0.5},
    sign_count=2.2,
    wall=0.2,
    fence=0.32,
    person_scale=(0.94, 1.08),
    vehicle_scale=(1.0, 1.12),
    palette=Palette(
        road=((112, 112, 118), (104, 104, 106), (122, 118, 116)),
        setts=((150, 146, 140),),
        sidewalk=((186, 176, 160), (176, 172, 168), (196, 184, 164)),
        terrain=((112, 160, 62), (132, 162, 70), (178, 152, 100), (98, 150, 64)),
        facade=(
            *((214, 186, 142), (196, 112, 80), (232, 222, 200), (170, 178, 190), (222, 160, 120)),
            *((150, 92, 70), (196, 200, 206), (236, 208, 150), (124, 138, 152)),
        ),
        roof=((120, 116, 116), (160, 92, 66), (96, 96, 102)),
        glass=((96, 138, 176), (70, 104, 136), (120, 160, 186)),
        wall=((206, 194, 170), (182, 122, 92), (188, 186, 182)),
        fence=((110, 114, 118), (148, 106, 66), (212, 210, 204)),
        pole=((124, 128, 132), (92, 98, 96), (146, 140, 130)),
        foliage=((70, 136, 44), (88, 148, 50), (56, 118, 52), (104, 142, 44)),
        trunk=((122, 88, 58), (140, 108, 78)),
        vehicle=(
            *((206, 34, 30), (30, 70, 176), (238, 238, 238), (26, 26, 30), (238, 188, 30), (150, 154, 160)),
            *((226, 110, 30), (40, 122, 72), (120, 24, 40), (88, 150, 200)),
        ),
        clothes=(
            *((214, 52, 48), (44, 92, 190), (240, 238, 232), (40, 42, 50), (72, 150, 76), (236, 190, 60)),
            *((150, 70, 150), (92, 70, 52), (60, 70, 110)),
        ),
        line=(236, 236, 228),
        center_line=(240, 196, 48),
        sign=((245, 245, 240), (214, 24, 28), (26, 80, 190), (250, 200, 30), (20, 122, 66), (30, 30, 30)),
        light_box=(226, 178, 34),
    ),
    skies=(
        Sky(0.6, (190, 214, 236), (58, 120, 206), (255, 255, 255), (0.2, 0.5), (0.5, 0.62), (35, 60), (0.0, 0.0012)),
        Sky(0.25, (206, 222, 236), (96, 150, 214), (250, 250, 252), (0.5, 0.75), (0.6, 0.7), (35, 60), (5e-4, 2e-3)),
        Sky(0.15, (250, 206, 150), (110, 130, 190), (252, 210, 180), (0.2, 0.6), (0.55, 0.65), (16, 25), (1e-3, 2e-3)),
    ),
    texture=0.45,
    gloss=(0.0, 0.0),
    setts=0.0,
    asphalt_walks=0.0,
    saturation=1.12,
    crossing_lights={'arm': 2.0, 'post': 1.0},
)

SYNTHIA = Style(
    name='synthia',
    number=1,
    camera_height=(1.6, 3.6),
    pitch=(2.0, 11.0),
    yaw=(-9.0, 9.0),
    focal=(0.56, 0.72),
    bend=0.0004,
    lane_width=(3.2, 3.6),
    lanes=((1, 1), (1, 2), (2, 2), (0, 2)),
    own_lane=(0, 0, 1),
    sidewalk=(3.0, 6.0),
    profiles={'city': 0.75, 'park': 0.25},
    building_height=(10.0, 26.0),
    house_height=(6.0, 9.0),
    building_length=(10.0, 22.0),
    window_pitch=(1.9, 2.8),
    storey=(3.0, 3.5),
    flat_roof=0.7,
    shop=0.4,
    gap=0.12,
    crossing=0.5,
    parked=0.4,
    parked_kinds={'sedan': 2, 'suv': 2, 'hatchback': 3, 'van': 1},
    traffic=2.6,
    traffic_kinds={'sedan': 3, 'suv': 2, 'hatchback': 3, 'van': 1, 'bus': 1.2},
    tram_line=0.0,
    people=12.0,
    riders=1.6,
    parked_bikes=0.8,
    parked_motorcycles=0.9,
    tree_spacing=(9.0, 15.0),
    tree_height=(5.0, 9.0),
    trees={'round': 4, 'tall': 2, 'conifer': 2},
    lamps={'post': 2, 'arm': 2},
    signs={'stop': 1, 'ban': 2, 'speed': 1, 'yield': 1, 'priority': 1, 'parking': 1, 'arrow': 1},
    sign_count=2.5,
    wall=0.15,
    fence=0.35,
    person_scale=(0.98, 1.12),
    vehicle_scale=(0.95, 1.08),
    palette=Palette(
        road=((96, 92, 96), (116, 108, 104), (88, 90, 100)),
        setts=((130, 120, 112),),
        sidewalk=((164, 140, 128), (150, 150, 160), (190, 170, 150)),
        terrain=((120, 150, 80),),
        facade=(
            *((206, 170, 128), (186, 96, 72), (230, 226, 216), (140, 150, 172), (226, 190, 112)),
            *((168, 130, 150), (146, 172, 168)),
        ),
        roof=((176, 84, 60), (110, 100, 110)),
        glass=((110, 130, 170), (60, 70, 100), (170, 190, 210)),
        wall=((196, 176, 150), (150, 140, 140)),
        fence=((60, 90, 70), (120, 120, 130), (160, 120, 80)),
        pole=((70, 76, 84), (130, 130, 140)),
        foliage=((60, 120, 40), (96, 132, 40), (130, 140, 40), (50, 100, 60)),
        trunk=((110, 80, 60),),
        vehicle=(
            *((190, 40, 40), (50, 80, 160), (220, 220, 226), (40, 40, 46), (120, 130, 140), (200, 170, 60)),
            *((60, 130, 120), (140, 60, 120)),
        ),
        clothes=((200, 60, 70), (60, 100, 170), (230, 226, 220), (50, 50, 60), (90, 140, 90), (220, 170, 90)),
        line=(240, 240, 240),
        center_line=(240, 240, 240),
        sign=((240, 240, 245), (200, 30, 40), (40, 90, 190), (240, 190, 40), (30, 120, 80), (40, 40, 40)),
        light_box=(40, 44, 40),
    ),
    skies=(
        Sky(0.5, (176, 196, 220), (96, 136, 196), (240, 244, 250), (0.3, 0.7), (0.5, 0.65), (30, 60), (0.0, 0.003)),
        Sky(0.3, (170, 176, 186), (120, 130, 150), (205, 208, 214), (0.5, 0.9), (0.75, 0.9), (40, 60), (0.001, 0.004)),
        Sky(0.2, (226, 176, 140), (130, 120, 160), (230, 190, 170), (0.3, 0.6), (0.5, 0.6), (14, 24), (0.001, 0.003)),
    ),
    texture=0.8,
    gloss=(0.0, 0.2),
    setts=0.0,
    asphalt_walks=0.1,
    saturation=1.0,
    terrain=False,
    crossing_lights={'post': 1.0},
)

CITYSCAPES = Style(
    name='cityscapes',
    number=2,
    camera_height=(1.15, 1.35),
    pitch=(-0.5, 3.0),
    yaw=(-4.0, 4.0),
    focal=(0.84, 1.0),
    bend=0.002,
    lane_width=(2.9, 3.3),
    lanes=((1, 1), (1, 1), (0, 1), (1, 2), (2, 2)),
    own_lane=(0, 0, 1),
    sidewalk=(2.4, 4.8),
    profiles={'city': 0.52, 'suburb': 0.22, 'park': 0.17, 'open': 0.09},
    building_height=(10.0, 20.0),
    house_height=(5.5, 8.5),
    building_length=(9.0, 20.0),
    window_pitch=(1.8, 3.0),
    storey=(2.8, 3.5),
    flat_roof=0.3,
    shop=0.45,
    gap=0.1,
    crossing=0.5,
    parked=0.5,
    parked_kinds={'sedan': 3, 'suv': 1.5, 'hatchback': 5, 'van': 1.5, 'truck': 0.2},
    traffic=1.7,
    traffic_kinds={'sedan': 4, 'suv': 1.5, 'hatchback': 4, 'van': 1.5, 'truck': 0.8, 'bus': 0.8},
    tram_line=0.2,
    people=12.0,
    riders=1.5,
    parked_bikes=1.6,
    parked_motorcycles=0.7,
    tree_spacing=(7.0, 13.0),
    tree_height=(6.0, 13.0),
    trees={'round': 7, 'tall': 1.5, 'conifer': 1},
    lamps={'arm': 2, 'post': 2, 'mast': 1},
    signs={'ban': 2, 'yield': 1.5, 'priority': 2, 'parking': 1.5, 'arrow': 1.5, 'speed': 1.5, 'board': 0.4},
    sign_count=3.2,
    wall=0.2,
    fence=0.35,
    person_scale=(0.92, 1.1),
    vehicle_scale=(0.92, 1.02),
    palette=Palette(
        road=((92, 92, 90), (84, 82, 80), (100, 97, 92), (78, 80, 82)),
        setts=((104, 96, 90), (118, 110, 104), (92, 88, 86)),
        sidewalk=((122, 116, 112), (132, 124, 116), (112, 110, 110), (138, 122, 112)),
        terrain=((94, 106, 62), (112, 102, 66), (84, 96, 56), (118, 100, 74)),
        facade=(
            *((168, 158, 142), (150, 128, 112), (184, 180, 172), (128, 126, 126), (170, 146, 112)),
            *((134, 98, 84), (158, 164, 160), (190, 172, 138), (112, 104, 100)),
        ),
        roof=((104, 74, 64), (78, 74, 74), (92, 82, 78)),
        glass=((62, 70, 76), (48, 54, 60), (88, 98, 102), (40, 44, 48)),
        wall=((128, 124, 118), (124, 100, 86), (104, 102, 98)),
        fence=((72, 76, 74), (104, 86, 66), (118, 122, 122), (50, 66, 54)),
        pole=((86, 90, 90), (66, 72, 70), (112, 112, 108)),
        foliage=(
            *((62, 78, 44), (74, 86, 46), (54, 70, 46), (50, 64, 38)),
            *((112, 96, 50), (104, 78, 46), (128, 112, 58), (86, 90, 50)),
        ),
        trunk=((74, 62, 52), (88, 78, 68)),
        vehicle=(
            *((52, 54, 58), (34, 35, 38), (150, 153, 156), (198, 200, 200), (40, 52, 84), (110, 114, 118)),
            *((128, 34, 34), (76, 84, 78), (172, 170, 160), (60, 90, 120)),
        ),
        clothes=(
            *((44, 46, 54), (70, 74, 90), (120, 116, 112), (140, 52, 50), (58, 82, 116), (170, 166, 158)),
            *((86, 70, 60), (40, 40, 44), (96, 104, 84)),
        ),
        line=(188, 188, 182),
        center_line=(188, 188, 182),
        sign=((206, 208, 206), (164, 40, 42), (40, 74, 140), (204, 160, 50), (40, 96, 70), (46, 46, 46)),
        light_box=(44, 46, 46),
    ),
    skies=(
        Sky(0.5, (222, 224, 222), (206, 212, 216), (236, 236, 234), (0.4, 0.8), (0.82, 0.95), (30, 55), (3e-3, 8e-3)),
        Sky(
            0.32, (222, 228, 230), (150, 178, 206), (242, 242, 240), (0.35, 0.7), (0.5, 0.62), (20, 50), (0.002, 0.005)
        ),
        Sky(0.18, (200, 200, 200), (168, 172, 178), (214, 214, 214), (0.5, 0.9), (0.85, 0.95), (30, 50), (6e-3, 12e-3)),
    ),
    texture=1.4,
    gloss=(0.1, 0.65),
    setts=0.3,
    asphalt_walks=0.35,
    saturation=0.85,
    ego_vehicle=True,
    photographic=True,
    signs_seen_from_behind=0.3,
)

# Photographs from everywhere: other countries, cameras, hours and seasons than Cityscapes.
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

STYLES = {style.name: style for style in (GTA, SYNTHIA, CITYSCAPES, MAPILLARY)}
