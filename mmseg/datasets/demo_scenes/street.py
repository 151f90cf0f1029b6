"""A street under construction: its random generator, its course, ground and things; and the carriageway itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from . import labels
from .mesh import ASPHALT, GRASS, PAVING, PLAIN, SETTS, Template, Thing
from .styles import Color, Range, Style

REACH = 130.0  # metres that the street is built ahead
BEHIND = -4.0
KERB = 0.12
_BREAKS = (BEHIND, 3.0, 7.0, 12.0, 18.0, 26.0, 36.0, 50.0, 70.0, 95.0, 125.0, 160.0, 240.0)
_TRACK_WIDTH = 3.2


@dataclass
class Ground:
    """One flat polygon (n, 3) of the ground."""

    points: np.ndarray
    label: int
    material: int
    color: np.ndarray


@dataclass
class Street:
    """Collects what a street consists of; x is right of the camera, z ahead of it along the straightened street."""

    style: Style
    rng: np.random.Generator
    bend: float = 0.0  # curvature, 1/m
    ground: list[Ground] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    left: float = 0.0  # edges of the carriageway
    right: float = 0.0
    center: float = 0.0  # between the directions
    lane: float = 3.3
    crossing: Range | None = None  # z range of a cross street
    track: float | None = None  # x of the middle of a tram line
    lanes: list[tuple[float, int]] = field(default_factory=list)  # (x, 1 = our direction or -1)

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def between(self, limits: Range) -> float:
        return float(self.rng.uniform(*limits))

    def pick(self, weights: Mapping[str, float]) -> str:
        """A key, drawn by weight."""
        total = np.cumsum(list(weights.values()))
        return list(weights)[int(np.searchsorted(total, self.rng.random() * total[-1]))]

    def color(self, colors: Sequence[Color], spread: float = 0.06) -> np.ndarray:
        """One of the colours, a little lighter or darker and of slightly other hue: (3,)."""
        base = np.asarray(colors[int(self.rng.integers(len(colors)))], dtype=np.float32)
        tone = 1 + spread * self.rng.standard_normal() + 0.35 * spread * self.rng.standard_normal(3)
        return np.clip(base * tone, 4, 252).astype(np.float32)

    def shift(self, z: float) -> float:
        """Sideways offset of the bent street at z."""
        return self.bend * z * abs(z) / 2

    def add(self, template: Template, x: float, z: float, colors: np.ndarray, y: float = 0.0, **options) -> None:
        """Place a thing; options as for `Thing`, its `yaw` relative to the street."""
        yaw = options.pop('yaw', 0.0) + float(np.arctan(self.bend * abs(z)))
        self.things.append(Thing(template, (x + self.shift(z), y, z), colors, yaw=yaw, **options))

    def patch(self, corners: Sequence[tuple[float, float]], label: int, material: int, color, y: float = 0.0) -> None:
        """Add a ground polygon with corners (x, z)."""
        points = np.array([(x + self.shift(z), y, z) for x, z in corners], dtype=np.float32)
        self.ground.append(Ground(points, label, material, np.asarray(color, dtype=np.float32)))

    def strip(self, x: Range, z: Range, label: int, material: int, color, y: float = 0.0) -> None:
        """Add a ground strip along the street, cut so that it follows the bend."""
        inner = [cut for cut in _BREAKS if z[0] < cut < z[1]] if self.bend else []
        cuts = [z[0], *inner, z[1]]
        for z0, z1 in zip(cuts, cuts[1:], strict=False):
            self.patch([(x[0], z0), (x[1], z0), (x[1], z1), (x[0], z1)], label, material, color, y)

    def stretches(self) -> list[Range]:
        """The z ranges beside the street that no cross street takes."""
        if self.crossing is None:
            return [(BEHIND, REACH)]
        return [(BEHIND, self.crossing[0]), (self.crossing[1], REACH)]

    def in_crossing(self, z: float, margin: float = 0.0) -> bool:
        return self.crossing is not None and self.crossing[0] - margin < z < self.crossing[1] + margin


def lay_out(style: Style, rng: np.random.Generator) -> Street:
    """Decide the course and the cross-section of a street."""
    street = Street(style, rng)
    street.bend = float(rng.standard_normal()) * style.bend if rng.random() < 0.6 else 0.0
    oncoming, own = style.lanes[int(rng.integers(len(style.lanes)))]
    mine = min(style.own_lane[int(rng.integers(len(style.own_lane)))], own - 1)
    lane = street.lane = street.between(style.lane_width)
    offset = float(rng.normal(0, 0.25))
    street.center = offset - (mine + 0.5) * lane
    own_lanes = [(street.center + (i + 0.5) * lane, 1) for i in range(own)]
    left = street.center
    if oncoming and street.chance(style.tram_line):
        street.track = left - _TRACK_WIDTH / 2
        left -= _TRACK_WIDTH
    street.lanes = [*own_lanes, *((left - (i + 0.5) * lane, -1) for i in range(oncoming))]
    street.left = left - oncoming * lane - 0.3
    street.right = street.center + own * lane + 0.3
    if street.chance(style.crossing):
        start = street.between((12.0, 38.0))
        street.crossing = (start, start + street.between((9.0, 16.0)))
    return street


def pave(street: Street) -> None:
    """Add the carriageway, its markings and rails. Pavements come with the roadsides."""
    style, rng = street.style, street.rng
    palette = style.palette
    paved = street.chance(style.setts)
    material = SETTS if paved else ASPHALT
    asphalt = street.color(palette.setts if paved else palette.road, 0.07)
    if street.crossing:
        z0, z1 = street.crossing
        street.patch([(-120, z0), (120, z0), (120, z1), (-120, z1)], labels.ROAD, material, asphalt)
    street.strip((street.left, street.right), (BEHIND, 240.0), labels.ROAD, material, asphalt)
    for _ in range(rng.poisson(2.5 * style.texture)):
        # Repairs and stains.
        x, z = rng.uniform(street.left, street.right), rng.uniform(4, 40)
        w, d = rng.uniform(0.4, 2.0), rng.uniform(1.0, 9.0)
        x0, x1 = max(x - w, street.left), min(x + w, street.right)
        tone = asphalt * rng.uniform(0.8, 1.12)
        street.strip((x0, x1), (z, z + d), labels.ROAD, material, tone)
    _mark(street, asphalt)


def _mark(street: Street, asphalt: np.ndarray) -> None:
    style, rng = street.style, street.rng
    worn = rng.uniform(0.1, 0.6) if style.photographic else rng.uniform(0.0, 0.15)
    white = np.array(style.palette.line) * (1 - worn) + asphalt * worn
    yellow = np.array(style.palette.center_line) * (1 - worn) + asphalt * worn

    def line(x: float, color: np.ndarray, dash: float = 0.0, width: float = 0.14) -> None:
        for z0, z1 in street.stretches():
            if not dash:
                street.strip((x - width / 2, x + width / 2), (z0, min(z1, 90)), labels.ROAD, PLAIN, color)
                continue
            for z in np.arange(z0 + (phase % (3 * dash)), min(z1, 75.0) - dash, 3 * dash).tolist():
                corners = [(x - width / 2, z), (x + width / 2, z), (x + width / 2, z + dash), (x - width / 2, z + dash)]
                street.patch(corners, labels.ROAD, PLAIN, color)

    phase = float(rng.uniform(0, 12))
    own = sorted(x for x, way in street.lanes if way > 0)
    other = sorted((x for x, way in street.lanes if way < 0), reverse=True)
    if street.track is None and other:
        if style.name == 'gta' and rng.random() < 0.75:
            for x in (street.center - 0.14, street.center + 0.14):
                line(x, yellow)
        else:
            line(street.center, white, dash=3.0 if rng.random() < 0.7 else 0.0)
    for group in (own, other):
        for a, b in zip(group, group[1:], strict=False):
            line((a + b) / 2, white, dash=3.0)
    if rng.random() < 0.6:
        for x in (street.left + 0.35, street.right - 0.35):
            line(x, white)
    if street.track is not None:
        if rng.random() < 0.4:
            bed = street.color(style.palette.sidewalk, 0.05) * 0.85
            street.strip((street.track - 1.45, street.track + 1.45), (BEHIND, REACH), labels.ROAD, PAVING, bed)
        for x in (street.track - 0.72, street.track + 0.72):
            street.strip((x - 0.1, x + 0.1), (BEHIND, REACH), labels.ROAD, PLAIN, asphalt * 0.55)
            street.strip((x - 0.03, x + 0.03), (BEHIND, REACH), labels.ROAD, PLAIN, (150, 150, 152))
    if street.crossing:
        start, end = street.crossing
        for z in (start - 4.2, end + 1.2) if rng.random() < 0.7 else ():
            for x in np.arange(street.left + 0.5, street.right - 0.6, 1.0).tolist():
                stripe = [(x, z), (x + 0.5, z), (x + 0.5, z + 3), (x, z + 3)]
                street.patch(stripe, labels.ROAD, PLAIN, white)
        z = start - 5.4
        stop = [(street.center, z), (street.right - 0.3, z), (street.right - 0.3, z + 0.4), (street.center, z + 0.4)]
        street.patch(stop, labels.ROAD, PLAIN, white)


def surface(label: int) -> int:
    """Material of a kind of ground."""
    return {labels.ROAD: ASPHALT, labels.SIDEWALK: PAVING, labels.TERRAIN: GRASS}[label]
