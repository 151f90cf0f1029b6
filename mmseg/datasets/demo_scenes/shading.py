"""Colour of every pixel from its face, position and light: textures are functions of world coordinates."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from . import labels
from .camera import Camera
from .mesh import ASPHALT, BARS, BRICK, FACADE, FOLIAGE, GAUZE, GLASS, GRASS, PAVING, PLAIN, SETTS, WIRE
from .raster import Buffers, Faces

_TILE = 512


@dataclass(frozen=True)
class Light:
    """Light and texture of a scene. Colours are RGB 0..255."""

    sun: tuple[float, float, float]  # direction towards the sun, length 1
    ambient: float  # share of the light that comes from everywhere
    shadow: float  # light left in a cast shadow
    horizon: tuple[float, float, float]
    zenith: tuple[float, float, float]
    cloud: tuple[float, float, float]
    clouds: float  # cover, 0..1
    haze: float  # extinction per metre
    texture: float  # strength of all textures
    gloss: float  # how much the road mirrors the sky at a grazing angle, 0..1
    offset: float  # where in the noise this scene lies


@cache
def noise_tile() -> np.ndarray:
    """Tileable noise of several octaves, mean 0, standard deviation 1: (512 * 512,) float32."""
    rng = np.random.default_rng(20240229)
    total = np.zeros((_TILE, _TILE), dtype=np.float32)
    for cells, weight in ((8, 1.0), (16, 0.8), (32, 0.65), (64, 0.55), (128, 0.5), (512, 0.45)):
        grid = rng.standard_normal((cells, cells)).astype(np.float32)
        wide = cv2.resize(np.tile(grid, (3, 3)), (3 * _TILE, 3 * _TILE), interpolation=cv2.INTER_CUBIC)
        total += weight * wide[_TILE : 2 * _TILE, _TILE : 2 * _TILE]
    return ((total - total.mean()) / total.std()).ravel()


def noise(s: np.ndarray, t: np.ndarray, scale: float) -> np.ndarray:
    """Noise at texture coordinates (metres), `scale` tile pixels a metre."""
    column = (s * np.float32(scale)).astype(np.int32) & (_TILE - 1)
    row = (t * np.float32(scale)).astype(np.int32) & (_TILE - 1)
    return noise_tile().take((row << 9) | column)


def smooth_noise(s: np.ndarray, t: np.ndarray, scale: float) -> np.ndarray:
    """As `noise`, interpolated: for coarse scales, where the tile's pixels would show."""
    count = len(s)
    if not count:
        return np.zeros(0, dtype=np.float32)
    # OpenCV maps pictures: the list of positions is folded into one.
    shape = (-(-count // _TILE), _TILE)
    column, row = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    np.multiply(s, np.float32(scale), out=column.ravel()[:count])
    np.multiply(t, np.float32(scale), out=row.ravel()[:count])
    tile = noise_tile().reshape(_TILE, _TILE)
    return cv2.remap(tile, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP).ravel()[:count]


def _cover(distance: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    """Share of a pixel inside an edge, from the signed distance to it and the pixel's size."""
    return np.clip(distance / pixel + np.float32(0.5), 0, 1)


def _band(position: np.ndarray, period, width, pixel: np.ndarray) -> np.ndarray:
    """Antialiased stripes: share of the pixel within `width` of the middle of each period."""
    inside = width / 2 - np.abs((position / period) % 1 - np.float32(0.5)) * period
    fade = np.clip(2 - pixel * 2 / period, 0, 1)
    return _cover(inside, pixel) * fade + (1 - fade) * (width / period)


@dataclass
class _Surface:
    """Coordinates of some pixels on their faces; all (N,)."""

    row: np.ndarray  # of the face tables
    s: np.ndarray  # along the face, metres from the anchor
    t: np.ndarray  # up the face (or away, on the ground)
    wide: np.ndarray  # size of a pixel along s, metres
    tall: np.ndarray  # size of a pixel along t

    def part(self, where: np.ndarray) -> '_Surface':
        return _Surface(self.row[where], self.s[where], self.t[where], self.wide[where], self.tall[where])


def _facade(surface: _Surface, faces: Faces, color: np.ndarray) -> np.ndarray:
    """Colours (3, N) of facades of plain wall colour: window grid with frames, shop fronts, a ledge above them."""
    pitch, floor, wide, high, shop = faces.params.T[:, surface.row]
    accent = faces.accents.T[:, surface.row]
    shop_front = surface.t < shop
    t = np.where(shop_front, surface.t / np.maximum(shop, np.float32(0.1)) * floor, surface.t - shop)
    a, b = surface.s / pitch, t / floor
    column, storey = np.floor(a), np.floor(b)
    wide = np.where(shop_front, np.float32(0.82), wide) * pitch
    high = np.where(shop_front, np.float32(0.68), high) * floor
    x = wide / 2 - np.abs(a - column - np.float32(0.5)) * pitch
    y = high / 2 - np.abs(b - storey - np.float32(0.5)) * floor
    rim = np.float32(0.09)
    frame = np.minimum(_cover(x + rim, surface.wide), _cover(y + rim, surface.tall))
    pane = np.minimum(_cover(x, surface.wide), _cover(y, surface.tall))
    # Far away a grid finer than the pixels becomes its mean.
    fade = np.clip(np.float32(2.2) - surface.wide * 2 / pitch, 0, 1)
    mean = wide * high / (pitch * floor) * (1 - fade)
    frame, pane = frame * fade + mean, pane * fade + mean
    # Every window reflects and is curtained differently.
    code = (column.astype(np.int32) * 7919 + storey.astype(np.int32) * 104729) & 1023
    bright = np.clip(np.float32(0.55) + np.float32(0.3) * _window_codes()[code], np.float32(0.5), np.float32(1.7))
    color = color + (np.float32(120) - color * np.float32(0.15)) * ((frame - pane) * np.float32(0.5))
    color += (accent * bright - color) * pane
    ledge = _cover(np.float32(0.18) - np.abs(surface.t - shop), surface.tall) * (shop > 0)
    color += (accent * np.float32(0.6) - color) * (ledge * np.float32(0.7))
    return color


@cache
def _window_codes() -> np.ndarray:
    return noise_tile()[np.arange(1024) * 131] ** 2


def _masonry(surface: _Surface, length: float, height: float, joint: float) -> np.ndarray:
    """Share of joint in each pixel of a wall or pavement of blocks."""
    course = np.floor(surface.t / np.float32(height))
    shifted = surface.s + course * np.float32(length * 0.5)
    across = _band(shifted, np.float32(length), np.float32(joint), surface.wide)
    along = _band(surface.t, np.float32(height), np.float32(joint), surface.tall)
    return np.maximum(across, along)


class Painter:
    """Colours pixels of one scene. Pictures are planar here: (3, N) is several times faster than (N, 3) in NumPy."""

    def __init__(self, camera: Camera, buffers: Buffers, light: Light):
        self.camera, self.light, self.faces = camera, light, buffers.faces
        faces, normals, anchors = buffers.faces, buffers.normals, buffers.faces.anchors
        # Texture axes: along a wall and up, or x and z on the ground.
        level = np.abs(normals[:, 1]) > 0.7
        flat = np.maximum(np.hypot(normals[:, 0], normals[:, 2]), 1e-6)
        sx = np.where(level, 1, -normals[:, 2] / flat)
        sz = np.where(level, 0, normals[:, 0] / flat)
        facing = np.maximum(normals @ np.float32(light.sun), 0)
        brightness = light.ambient * (0.85 + 0.15 * normals[:, 1]) + (1 - light.ambient) * facing * 1.25
        figure = ~faces.one_sided & ~np.isin(faces.labels, _GROUND)
        brightness[figure] = light.ambient + (1 - light.ambient) * 0.55
        material = faces.materials
        origin = anchors[:, 0] * sx + anchors[:, 2] * sz
        rows = [sx, sz, origin, anchors[:, 1], level, buffers.distances, brightness]
        rows += [_FINE[material] * light.texture, _COARSE[material] * light.texture]
        self.table = np.stack(rows).astype(np.float32)
        self.planes = np.ascontiguousarray(buffers.planes.T)
        self.colors = np.ascontiguousarray(faces.colors.T.astype(np.float32))
        self.ground = (normals[:, 1] > 0.9) & np.isin(faces.labels, _GROUND)

    def inverse_depth(self, row: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """1 / depth (N,) of faces at pixels (x, y)."""
        a, b, c = self.planes
        return np.clip(a[row] * x + b[row] * y + c[row], np.float32(1e-4), np.float32(2.0))

    def surfaces(self, row: np.ndarray, rays: np.ndarray, inverse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lit colour (3, N) and opacity (N,) of faces seen along world rays (3, N) of depth 1."""
        depth = 1 / inverse
        x, y, z = rays * depth + self.camera.position[:, None]
        sx, sz, origin, foot, level, distance, brightness, fine_gain, coarse_gain = self.table.take(row, axis=1)
        is_level = level > 0
        s = x * sx + z * sz - origin
        t = np.where(is_level, z, y - foot)
        pixel = depth / np.float32(self.camera.focal)
        # A pixel covers more of a surface that is seen at a grazing angle.
        stretched = pixel / np.maximum(-inverse * distance, np.float32(0.03))
        offset = np.float32(self.light.offset)
        fine = noise(s + offset, t + offset, 13.0) * np.minimum(np.float32(0.12) / stretched, 1)
        coarse = smooth_noise(s + np.float32(3.1), t + offset, 1.7)
        gain = 1 + fine * fine_gain + coarse * coarse_gain
        # Less light reaches what is low and upright.
        gain *= np.where(is_level, 1, np.clip(np.float32(0.7) + np.float32(0.25) * y, np.float32(0.7), 1))
        gain *= brightness
        color = self.colors.take(row, axis=1)
        material = self.faces.materials[row]
        surface = _Surface(row, s, t, np.where(is_level, pixel, stretched), np.where(is_level, stretched, pixel))
        opacity = self._details(material, surface, rays, color, gain)
        color *= gain
        return color, opacity

    def _details(self, material, surface: _Surface, rays, color: np.ndarray, gain: np.ndarray) -> np.ndarray:
        """Draw windows, joints and reflections into colour and gain, in place; returns the opacity."""
        opacity = np.ones(len(material), dtype=np.float32)
        where = np.flatnonzero(material == FACADE)
        if len(where):
            color[:, where] = _facade(surface.part(where), self.faces, color[:, where])
        for kind, length, height, joint, strength in _MASONRY:
            where = np.flatnonzero(material == kind)
            if len(where):
                lines = _masonry(surface.part(where), length, height, joint)
                gain[where] *= 1 - lines * np.float32(strength * self.light.texture)
        where = np.flatnonzero((material == ASPHALT) | (material == SETTS)) if self.light.gloss else ()
        if len(where):
            cosine = surface.wide[where] / surface.tall[where]
            sheen = (1 - np.minimum(cosine * 4, 1)) ** 2 * np.float32(self.light.gloss)
            color[:, where] += (np.float32(self.light.horizon)[:, None] - color[:, where]) * sheen
        where = np.flatnonzero(material == GLASS)
        if len(where):
            sheen = np.clip(rays[1, where] * 3 + np.float32(0.6), 0, 1) * np.float32(0.35)
            sky = np.float32(self.light.horizon)[:, None]
            color[:, where] += (sky - color[:, where]) * sheen
        where = np.flatnonzero(material == BARS)
        if len(where):
            part = surface.part(where)
            opacity[where] = _band(part.s, np.float32(0.16), np.float32(0.06), part.wide)
        where = np.flatnonzero(material == WIRE)
        if len(where):
            part = surface.part(where)
            strands = [_band(part.s + way * part.t, np.float32(0.3), np.float32(0.05), part.wide) for way in (1, -1)]
            opacity[where] = np.maximum(*strands) * np.float32(0.85) + np.float32(0.1)
        opacity[material == GAUZE] = 0.3
        return opacity

    def sky(self, rays: np.ndarray) -> np.ndarray:
        """Sky along world rays (3, N): gradient and clouds, (3, N)."""
        light = self.light
        up = rays[1] / np.sqrt((rays * rays).sum(axis=0))
        blend = np.clip(up * np.float32(2.2), 0, 1) ** np.float32(0.7)
        horizon, zenith = np.float32(light.horizon)[:, None], np.float32(light.zenith)[:, None]
        color = horizon + (zenith - horizon) * blend
        plane = 1 / (np.maximum(up, 0) + np.float32(0.12))
        s, t = rays[0] * plane + np.float32(light.offset), rays[2] * plane
        # Two scales of the same tile: large banks with frayed edges.
        field = smooth_noise(s, t, 22.0) * np.float32(0.75) + smooth_noise(s, t, 7.0) * np.float32(0.65)
        thick = np.clip((field - np.float32(1.1 - 2.4 * light.clouds)) * np.float32(0.9), 0, 1)
        thick *= np.clip(up * 8 + np.float32(0.2), 0, 1) * np.float32(0.85)
        color += (np.float32(light.cloud)[:, None] - color) * thick
        return color


_GROUND = (labels.ROAD, labels.SIDEWALK, labels.TERRAIN)
# Length, height, joint (metres), strength.
_MASONRY = ((PAVING, 0.9, 0.9, 0.05, 0.22), (BRICK, 0.6, 0.3, 0.04, 0.25), (SETTS, 0.36, 0.24, 0.05, 0.3))


def _by_material(values: dict[int, float]) -> np.ndarray:
    return np.array([values.get(kind, 0.0) for kind in range(GAUZE + 1)], dtype=np.float32)


# Strength of the fine and the coarse noise.
_FINE = _by_material(
    {PLAIN: 0.02, ASPHALT: 0.08, SETTS: 0.1, PAVING: 0.06, FACADE: 0.05, FOLIAGE: 0.2, GRASS: 0.13, BRICK: 0.07}
)
_COARSE = _by_material(
    {PLAIN: 0.01, ASPHALT: 0.045, SETTS: 0.06, PAVING: 0.04, FACADE: 0.03, FOLIAGE: 0.12, GRASS: 0.13, BRICK: 0.06}
)


def shade(camera: Camera, buffers: Buffers, light: Light, shadow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Picture (3, H, W) float32 RGB 0..255 and inverse depth (H, W) in 1/m (sky 0).

    Args:
        shadow: (H, W) float32 0..1, the share of the ground's sunlight that is blocked.
    """
    height, width = buffers.face.shape
    painter = Painter(camera, buffers, light)
    face = buffers.face.ravel()
    rays = camera.rays().reshape(3, -1)
    x = np.tile(np.arange(width, dtype=np.float32), height)
    y = np.repeat(np.arange(height, dtype=np.float32), width)
    sky, solid = np.flatnonzero(face == 0), np.flatnonzero(face)
    row = face[solid].astype(np.intp) - 1
    depth = painter.inverse_depth(row, x[solid], y[solid])
    color, opacity = painter.surfaces(row, rays[:, solid], depth)
    color *= 1 - shadow.ravel()[solid] * painter.ground[row] * np.float32(1 - light.shadow)

    clear = np.flatnonzero(opacity < 1)
    if len(clear):
        pixels = solid[clear]
        behind = buffers.under.ravel()[pixels]
        back = np.empty((3, len(pixels)), dtype=np.float32)
        back[:, behind == 0] = painter.sky(rays[:, pixels[behind == 0]])
        hit, far = pixels[behind > 0], behind[behind > 0].astype(np.intp) - 1
        far_depth = painter.inverse_depth(far, x[hit], y[hit])
        back[:, behind > 0] = painter.surfaces(far, rays[:, hit], far_depth)[0]
        color[:, clear] += (back - color[:, clear]) * (1 - opacity[clear])
    veil = 1 - np.exp(np.float32(-light.haze) / depth)
    color += (np.float32(light.horizon)[:, None] - color) * veil
    image = np.empty((3, height * width), dtype=np.float32)
    image[:, sky] = painter.sky(rays[:, sky])
    image[:, solid] = color
    inverse = np.zeros(height * width, dtype=np.float32)
    inverse[solid] = depth
    return np.clip(image, 0, 255, out=image).reshape(3, height, width), inverse.reshape(height, width)
