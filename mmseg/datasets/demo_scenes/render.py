"""One scene of one domain, from its seed to picture, label map and depth."""

from math import cos, radians, sin, tan
from typing import NamedTuple

import cv2
import numpy as np

from . import labels, roadside, sensor, shading, traffic
from .camera import NEAR, Camera
from .mesh import Thing, painting_order
from .raster import Buffers, Faces, paint, paint_mask
from .street import Street, lay_out, pave
from .styles import STYLES, Sky

SPLITS = ('train', 'val')


class Scene(NamedTuple):
    """A rendered scene."""

    image: np.ndarray  # (H, W, 3) uint8 RGB
    label: np.ndarray  # (H, W) uint8 Cityscapes label ids
    inverse_depth: np.ndarray  # (H, W) float32, 1/m, 0 in the sky


def render_scene(
    domain: str, index: int, size: tuple[int, int] = (512, 256), seed: int = 0, split: str = 'train'
) -> Scene:
    """Render a scene: the same arguments always give the same arrays.

    Args:
        domain: `gta`, `synthia`, `cityscapes` or `mapillary`.
        index: Number of the scene in its split.
        size: (width, height) in pixels; the scene does not depend on it.

    Raises:
        ValueError: for an unknown domain or split, or a size below 16 pixels.
    """
    if domain not in STYLES:
        raise ValueError(f'unknown demo domain {domain!r}; there are {", ".join(STYLES)}')
    if split not in SPLITS:
        raise ValueError(f'unknown split {split!r}; there are {", ".join(SPLITS)}')
    if min(size) < 16:
        raise ValueError(f'demo scenes need at least 16x16 pixels, got {size[0]}x{size[1]}')
    style = STYLES[domain]
    rng = np.random.default_rng([seed, style.number, SPLITS.index(split), index])
    street = lay_out(style, rng)
    roadside.close_view(street)
    pave(street)
    pavements = roadside.build_sides(street)
    traffic.add_traffic(street)
    traffic.add_people(street, pavements)
    camera = Camera.over_street(
        size,
        street.between(style.focal),
        (0.0, street.between(style.camera_height), 0.0),
        street.between(style.yaw),
        street.between(style.pitch),
    )
    light, sun_height = _light(street)
    things = _visible(street.things, camera)
    buffers = paint(camera, _assemble(street, things))
    shadow = _shadows(camera, things, light, sun_height)
    image, inverse = shading.shade(camera, buffers, light, shadow)
    label = _labels(buffers)
    sensor.soften_edges(image, buffers.face)
    if style.ego_vehicle:
        sensor.add_bonnet(image, label, inverse, rng)
    if style.photographic:
        image = sensor.photograph(image, rng, style.saturation)
    else:
        image = sensor.to_bytes(sensor.saturate(image, style.saturation))
    return Scene(image, label, inverse)


def _light(street: Street) -> tuple[shading.Light, float]:
    style, rng = street.style, street.rng
    chances = {str(i): sky.chance for i, sky in enumerate(style.skies)}
    sky: Sky = style.skies[int(street.pick(chances))]
    elevation, bearing = radians(street.between(sky.sun_height)), rng.uniform(0, 2 * np.pi)
    ambient = street.between(sky.ambient)
    light = shading.Light(
        sun=(cos(elevation) * sin(bearing), sin(elevation), cos(elevation) * cos(bearing)),
        ambient=ambient,
        shadow=0.35 + 0.65 * max(ambient - 0.45, 0.0) / 0.55,
        horizon=sky.horizon,
        zenith=sky.zenith,
        cloud=sky.cloud,
        clouds=street.between(sky.cover),
        haze=street.between(sky.haze),
        texture=style.texture,
        gloss=street.between(style.gloss),
        offset=float(rng.uniform(0, 300)),
    )
    return light, elevation


def _visible(things: list[Thing], camera: Camera) -> list[Thing]:
    """The things in the picture and not too small, in painting order."""
    bounds = np.array([thing.bounds for thing in things])
    corners = np.stack([bounds[:, [i, j]] for i in (0, 1) for j in (2, 3)], axis=1)
    ground = np.stack([corners[..., 0], np.zeros(corners.shape[:2]), corners[..., 1]], axis=2)
    seen = (ground - camera.position) @ camera.rotation.T
    depth = seen[..., 2]
    half = camera.width / 2 / camera.focal + 0.05
    beside = (seen[..., 0] > half * depth).all(axis=1) | (seen[..., 0] < -half * depth).all(axis=1)
    nearest = np.maximum(depth.min(axis=1), NEAR)
    extent = np.maximum(bounds[:, 4], bounds[:, 1] - bounds[:, 0])
    keep = np.flatnonzero((depth.max(axis=1) > NEAR) & ~beside & (extent * camera.focal / nearest > 1.5))
    footprints = np.array([things[i].footprint for i in keep])
    order = painting_order(bounds[keep, :4], footprints, (camera.position[0], camera.position[2]))
    return [things[keep[i]] for i in order]


def _assemble(street: Street, things: list[Thing]) -> Faces:
    """The ground, then the things in order, as one list of faces."""
    ground = street.ground
    templates = [thing.template for thing in things]
    per_thing = [len(template.counts) for template in templates]
    none, no_params = np.zeros((len(ground), 3), dtype=np.float32), np.zeros((len(ground), 5), dtype=np.float32)

    def spread(name: str) -> np.ndarray:
        return np.repeat(np.array([getattr(thing, name) for thing in things], dtype=np.float32), per_thing, axis=0)

    def column(of_ground, of_things) -> np.ndarray:
        return np.concatenate([np.array(of_ground), *of_things])

    return Faces(
        vertices=np.concatenate([part.points for part in ground] + [thing.vertices() for thing in things]),
        counts=column([len(part.points) for part in ground], [template.counts for template in templates]),
        labels=column([part.label for part in ground], [template.labels for template in templates]),
        materials=column([part.material for part in ground], [template.materials for template in templates]),
        one_sided=column([False] * len(ground), [template.one_sided for template in templates]),
        colors=column([part.color for part in ground], [thing.colors[thing.template.slots] for thing in things]),
        accents=np.concatenate([none, spread('accent')]),
        params=np.concatenate([no_params, spread('params')]),
        anchors=np.concatenate([none, spread('position')]),
    )


def _shadows(camera: Camera, things: list[Thing], light: shading.Light, elevation: float) -> np.ndarray:
    """Share of the ground's light that is blocked (H, W): cast shadows, and a darker ground right below things."""
    cast, contact = [], []
    reach = 1 / tan(elevation)
    x_step, z_step = (component * reach / cos(elevation) for component in (light.sun[0], light.sun[2]))
    for thing in things:
        x0, x1, z0, z1 = thing.footprint
        if z0 > 90:
            continue
        top = thing.bounds[4]
        z1 = max(z1, z0 + 0.25)
        base = [(x0, z0), (x1, z0), (x1, z1), (x0, z1)]
        if thing.foot is None:
            roof = base
        else:
            x, _, z = thing.position
            half = (thing.bounds[1] - thing.bounds[0]) * 0.32
            roof = [(x + half * cos(a), z + half * sin(a)) for a in np.linspace(0, 2 * np.pi, 9)[:-1]]
            top *= 0.7
        shifted = [(x - top * x_step, z - top * z_step) for x, z in roof]
        cast.append(_ground_hull(base + shifted))
        if top < 5 and thing.foot is None:
            contact.append(_ground_hull([(x + (x > x0) * 0.3 - 0.15, z + (z > z0) * 0.3 - 0.15) for x, z in base]))
    soft = 0.9 * camera.height / 256
    blocked = paint_mask(camera, cast).astype(np.float32)
    near = paint_mask(camera, contact).astype(np.float32)
    mask = np.maximum(blocked, near * np.float32(0.55 / max(1 - light.shadow, 0.55)))
    return cv2.GaussianBlur(mask, (0, 0), soft)


def _ground_hull(points: list[tuple[float, float]]) -> np.ndarray:
    hull = cv2.convexHull(np.array(points, dtype=np.float32))[:, 0]
    return np.stack([hull[:, 0], np.full(len(hull), 0.06, dtype=np.float32), hull[:, 1]], axis=1)


def _labels(buffers: Buffers) -> np.ndarray:
    table = np.concatenate([[labels.SKY], buffers.faces.labels]).astype(np.uint8)
    return table[buffers.face]
