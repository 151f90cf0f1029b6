"""From a clean rendering to what a camera would have stored: lens, motion, noise, tone, compression; and a bonnet.

Pictures are planar (3, H, W) float32 RGB 0..255 until they are stored.
"""

from functools import cache

import cv2
import numpy as np

from . import labels
from .shading import noise_tile

_GRAIN = 640


def soften_edges(image: np.ndarray, face: np.ndarray) -> None:
    """Smooth the stairs along the outlines of face numbers (H, W), in place."""
    edge = np.zeros(face.shape, dtype=np.uint8)
    across, down = face[:, 1:] != face[:, :-1], face[1:] != face[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    for plane in image:
        cv2.copyTo(cv2.GaussianBlur(plane, (3, 3), 0.6), edge, plane)


def saturate(image: np.ndarray, amount: float) -> np.ndarray:
    """Scale the distance of every colour from its grey."""
    red, green, blue = image
    grey = red * np.float32(0.299) + green * np.float32(0.587) + blue * np.float32(0.114)
    return image * np.float32(amount) + grey * np.float32(1 - amount)


def to_bytes(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8, rounded down."""
    return cv2.merge(list(np.clip(image, 0, 255).astype(np.uint8)))


def add_bonnet(image: np.ndarray, label: np.ndarray, inverse: np.ndarray, rng: np.random.Generator) -> None:
    """Draw the ego vehicle's bonnet over the lower edge, in place. Height and shape vary with car and mounting."""
    height, width = label.shape
    rise = rng.uniform(0.08, 0.12)
    x = np.linspace(-1, 1, width, dtype=np.float32)
    top = height * (1 - rise * np.sqrt(np.clip(1.08 - x**2 * 0.75, 0, 1)))
    first = int(top.min()) - 1
    rows = np.arange(first, height, dtype=np.float32)[:, None]
    cover = np.clip(rows - top + 0.5, 0, 1)
    inside = np.clip((rows - top) / (height * rise), 0, 1)
    paint = np.float32([30, 32, 36]) + np.float32(rng.uniform(0, 30))
    # The bonnet mirrors the bright sky near its far rim.
    mirror = image[:, : max(height // 8, 1)].mean(axis=(1, 2)) * np.float32(0.5)
    bonnet = paint[:, None, None] + (mirror - paint)[:, None, None] * (0.75 * (1 - inside) ** 3)
    image[:, first:] += (bonnet - image[:, first:]) * cover
    hidden = cover >= 0.5
    label[first:][hidden] = labels.EGO_VEHICLE
    inverse[first:][hidden] = np.float32(0.55)


@cache
def _grain_tile() -> np.ndarray:
    """White noise of standard deviation 1 to cut grain from: (640, 640)."""
    return np.random.default_rng(31).standard_normal((_GRAIN, _GRAIN)).astype(np.float32)


def _grain(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    tile = _grain_tile()
    repeats = (-(-(height + _GRAIN) // _GRAIN), -(-(width + _GRAIN) // _GRAIN))
    y, x = rng.integers(0, _GRAIN, 2)
    return np.tile(tile, repeats)[y : y + height, x : x + width]


def photograph(image: np.ndarray, rng: np.random.Generator, saturation: float) -> np.ndarray:
    """Make a rendering look photographed: (H, W, 3) uint8 RGB."""
    height, width = image.shape[1:]
    unit = height / 256  # blur grows with resolution, as the same lens would do
    image = saturate(image, saturation * rng.uniform(0.85, 1.1))
    # White balance towards green, lifted shadows, vignetting, patchy glass.
    balance = np.float32([0.97, 1.02, 0.96]) * rng.uniform(0.95, 1.05, 3).astype(np.float32)
    exposure = np.float32(rng.uniform(0.85, 1.3))
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)
    vignette = 1 - np.float32(0.6 * rng.uniform(0.08, 0.22)) * (x**2 + y[:, None] ** 2)
    corner = rng.integers(0, 400, 2)
    patch = noise_tile().reshape(512, 512)[corner[0] : corner[0] + 8, corner[1] : corner[1] + 12]
    stain = cv2.resize(patch, (width, height)) * np.float32(1.5) + 8
    image *= (balance * exposure * np.float32(0.93))[:, None, None] * vignette
    image += stain

    sigma = rng.uniform(0.35, 0.8) * unit
    length = max(round(rng.uniform(2, 4.5) * unit), 1) | 1 if rng.random() < 0.35 else 1
    size = (length, 1) if rng.random() < 0.5 else (1, length)
    strength = np.float32(rng.uniform(1.5, 5.0))
    for plane in image:
        cv2.GaussianBlur(plane, (0, 0), sigma, dst=plane)
        if length > 1:
            cv2.blur(plane, size, dst=plane)
        plane += _grain(height, width, rng) * strength
    # A shoulder: bright parts are compressed before they clip.
    image = np.where(image > 200, 255 - 55 * np.exp((200 - np.maximum(image, 200)) / np.float32(55)), image)
    stored = cv2.cvtColor(to_bytes(image), cv2.COLOR_RGB2BGR)
    quality = int(rng.integers(45, 88))
    ok, data = cv2.imencode('.jpg', stored, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise RuntimeError('OpenCV cannot encode JPEG images; install a build with JPEG support')
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
