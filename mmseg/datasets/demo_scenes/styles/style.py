"""What a domain is made of: its camera, street layouts, frequencies, colours and light."""

from dataclasses import dataclass, field

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
