"""Objects as lists of flat faces: templates, their instances in a street, and the order to paint them in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

# Surface materials (see shading.py).
PLAIN, ASPHALT, SETTS, PAVING, FACADE, FOLIAGE, GRASS, BRICK, GLASS, BARS, WIRE, GAUZE = range(12)
SEE_THROUGH = (BARS, WIRE, GAUZE)

Point = Sequence[float]


class Template(NamedTuple):
    """Faces of one kind of object around its foot point, z forward. V vertices, F faces.

    `slots` says which of an instance's colours a face takes; `one_sided` faces are hidden from behind.
    """

    vertices: np.ndarray  # (V, 3)
    counts: np.ndarray  # (F,) vertices per face
    slots: np.ndarray
    labels: np.ndarray
    materials: np.ndarray
    one_sided: np.ndarray
    low: np.ndarray  # (3,)
    high: np.ndarray


class TemplateBuilder:
    """Collects faces in painting order (back to front as seen from outside)."""

    def __init__(self, label: int, center: Point = (0.0, 0.5, 0.0)):
        self.label = label
        self.center = np.asarray(center, dtype=np.float32)
        self._vertices: list[np.ndarray] = []
        self._rows: list[tuple[int, int, int, int, bool]] = []

    def face(
        self, points: Sequence[Point], slot: int, label: int | None = None, material: int = PLAIN, flat: bool = False
    ) -> 'TemplateBuilder':
        """Add a face; a `flat` one is seen from both sides, others only from outside (away from the center)."""
        vertices = np.asarray(points, dtype=np.float32)
        normal = np.cross(vertices[1] - vertices[0], vertices[2] - vertices[0])
        if normal @ (vertices.mean(axis=0) - self.center) < 0:
            vertices = vertices[::-1]
        self._vertices.append(vertices)
        self._rows.append((len(vertices), slot, self.label if label is None else label, material, not flat))
        return self

    def flat(
        self, points: Sequence[Sequence[float]], slot: int, label: int | None = None, material: int = PLAIN
    ) -> 'TemplateBuilder':
        """Add a face of the object's x-y plane, points given as (x, y)."""
        return self.face([(x, y, 0.0) for x, y in points], slot, label, material, flat=True)

    def box(
        self, x: Point, y: Point, z: Point, slot: int, top: int | None = None, label: int | None = None, material=PLAIN
    ) -> 'TemplateBuilder':
        """Add a box without bottom, each axis as (low, high); `top` is the slot of the top face."""
        previous = self.center
        self.center = np.array([np.mean(x), np.mean(y), np.mean(z)], dtype=np.float32)
        (x0, x1), (y0, y1), (z0, z1) = x, y, z
        lid = [(x0, y1, z0), (x1, y1, z0), (x1, y1, z1), (x0, y1, z1)]
        self.face(lid, *((slot, label, material) if top is None else (top, label)))
        for depth in (z1, z0):
            self.face([(x0, y0, depth), (x1, y0, depth), (x1, y1, depth), (x0, y1, depth)], slot, label, material)
        for side in (x0, x1):
            self.face([(side, y0, z0), (side, y0, z1), (side, y1, z1), (side, y1, z0)], slot, label, material)
        self.center = previous
        return self

    def build(self) -> Template:
        vertices = np.concatenate(self._vertices)
        counts, slots, labels, materials, one_sided = (np.array(column) for column in zip(*self._rows, strict=True))
        return Template(
            vertices, counts, slots, labels, materials, one_sided, vertices.min(axis=0), vertices.max(axis=0)
        )


@dataclass
class Thing:
    """An instance of a template: scaled, turned by `yaw` (radians, to the right), moved; colours (S, 3) RGB 0..255.

    `accent` and `params` belong to the material (window colour and grid of a facade, …).
    """

    template: Template
    position: tuple[float, float, float]
    colors: np.ndarray
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    yaw: float = 0.0
    accent: tuple[float, float, float] = (0.0, 0.0, 0.0)
    params: tuple[float, ...] = (1.0, 1.0, 0.5, 0.5, 0.0)
    foot: float | None = None  # half width where it stands, if that is less than its outline
    bounds: tuple[float, ...] = field(init=False)  # x0, x1, z0, z1, top

    def __post_init__(self) -> None:
        low, high = self.template.low * self.scale, self.template.high * self.scale
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        xs = [x * cos + z * sin for x in (low[0], high[0]) for z in (low[2], high[2])]
        zs = [z * cos - x * sin for x in (low[0], high[0]) for z in (low[2], high[2])]
        x, y, z = self.position
        self.bounds = (x + min(xs), x + max(xs), z + min(zs), z + max(zs), y + high[1])

    @property
    def footprint(self) -> tuple[float, ...]:
        """Where it stands: x0, x1, z0, z1."""
        if self.foot is None:
            return self.bounds[:4]
        x, _, z = self.position
        return (x - self.foot, x + self.foot, *self.bounds[2:4])

    def vertices(self) -> np.ndarray:
        """World vertices (V, 3)."""
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        matrix = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]]) * np.array(self.scale)[:, None]
        return self.template.vertices @ matrix.astype(np.float32) + np.float32(self.position)


def painting_order(bounds: np.ndarray, footprints: np.ndarray, eye: Sequence[float]) -> list[int]:
    """Order boxes far to near so that none is painted over one that hides it.

    A vertical plane between two boxes decides: the box on the eye's side can hide the other, never the reverse.
    Boxes that overlap are ordered by distance; cycles (possible with painter's algorithms) are cut at the farthest box.

    Args:
        bounds: (N, 4) of x0, x1, z0, z1: what may hide others.
        footprints: (N, 4): what the planes have to part.
        eye: x and z of the camera.
    """
    origin = np.array([eye[0], eye[0], eye[1], eye[1]])[:, None]
    x0, x1, z0, z1 = bounds.T - origin
    corners = np.arctan2(np.stack([x0, x0, x1, x1]), np.maximum(np.stack([z0, z1, z0, z1]), 0.1))
    left, right = corners.min(axis=0), corners.max(axis=0)
    overlap = (left[:, None] < right[None]) & (left[None] < right[:, None])
    x0, x1, z0, z1 = footprints.T - origin
    distance = np.hypot((x0 + x1) / 2, (z0 + z1) / 2)
    # cannot_hide[i, j]: a plane has i on its far side and the eye and j on the other.
    cannot_hide = np.zeros(overlap.shape, dtype=bool)
    for low, high in ((x0, x1), (z0, z1)):
        cannot_hide |= (low[:, None] >= high[None] - 1e-3) & (low[:, None] >= 0)
        cannot_hide |= (high[:, None] <= low[None] + 1e-3) & (high[:, None] <= 0)
    undecided = ~cannot_hide & ~cannot_hide.T
    before = overlap & ((cannot_hide & ~cannot_hide.T) | (undecided & (distance[:, None] > distance[None])))
    waiting = before.sum(axis=0)
    remaining = np.ones(len(bounds), dtype=bool)
    order: list[int] = []
    while remaining.any():
        ready = np.flatnonzero(remaining & (waiting == 0))
        if not len(ready):
            ready = np.array([np.argmax(np.where(remaining, distance, -1.0))])
        order.extend(ready[np.argsort(-distance[ready], kind='stable')].tolist())
        remaining[ready] = False
        waiting = waiting - before[ready].sum(axis=0)
    return order
