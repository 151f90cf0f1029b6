"""A pinhole camera over a street: world axes x right, y up, z along the street, in metres."""

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np

NEAR = 0.5
# Polygons that reach further than this many times their depth off the axis are clipped: keeps pixel coordinates small.
GUARD = 8.0
_CLIP_PLANES = np.array(
    [[0, 0, 1, -NEAR], [1, 0, GUARD, 0], [-1, 0, GUARD, 0], [0, 1, GUARD, 0], [0, -1, GUARD, 0]], dtype=np.float32
)


@dataclass(frozen=True)
class Camera:
    """Camera axes: x right, y down, z forward; `rotation` (3, 3) turns world vectors into them."""

    width: int
    height: int
    focal: float
    position: np.ndarray
    rotation: np.ndarray

    @classmethod
    def over_street(
        cls, size: tuple[int, int], focal: float, position: tuple[float, float, float], yaw: float, pitch: float
    ) -> 'Camera':
        """Build a camera.

        Args:
            size: (width, height) in pixels.
            focal: Focal length as a share of the width of a 2:1 picture; other aspect ratios cut that picture.
            position: World position (x, height above the road, z).
            yaw: Degrees to the right.
            pitch: Degrees downwards.
        """
        width, height = size
        a, b = radians(yaw), radians(pitch)
        right = (cos(a), 0.0, -sin(a))
        forward = (sin(a) * cos(b), -sin(b), cos(a) * cos(b))
        down = (-sin(a) * sin(b), -cos(b), -cos(a) * sin(b))
        return cls(
            width,
            height,
            focal * max(width, 2 * height),
            np.array(position, dtype=np.float32),
            np.array([right, down, forward], dtype=np.float32),
        )

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points (N, 3) in camera axes (N, 3)."""
        return (points - self.position) @ self.rotation.T

    def to_pixels(self, points: np.ndarray) -> np.ndarray:
        """Points in camera axes (N, 3), all of positive depth, as pixel coordinates (N, 2)."""
        scaled = points[:, :2] * (self.focal / points[:, 2:])
        return scaled + np.float32([(self.width - 1) / 2, (self.height - 1) / 2])

    def rays(self) -> np.ndarray:
        """World direction of every pixel's ray, of depth 1 along the camera axis: (3, H, W)."""
        x = (np.arange(self.width, dtype=np.float32) - (self.width - 1) / 2) / np.float32(self.focal)
        y = (np.arange(self.height, dtype=np.float32) - (self.height - 1) / 2) / np.float32(self.focal)
        right, down, forward = self.rotation
        return x[None, None, :] * right[:, None, None] + (y[:, None] * down[:, None, None] + forward[:, None, None])

    def inverse_depth_planes(self, normals: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """Coefficients (F, 3) with 1 / depth = a * column + b * row + c, exact on planes normal . point = distance."""
        scaled = normals / distances[:, None]
        a, b = scaled[:, 0] / self.focal, scaled[:, 1] / self.focal
        c = scaled[:, 2] - a * ((self.width - 1) / 2) - b * ((self.height - 1) / 2)
        return np.stack([a, b, c], axis=1).astype(np.float32)


def clip_polygon(points: np.ndarray) -> np.ndarray:
    """Cut a polygon (N, 3) in camera axes to the part that can be projected: (M, 3), M = 0 if none can."""
    for plane in _CLIP_PLANES:
        side = points @ plane[:3] + plane[3]
        if (side >= 0).all():
            continue
        kept = []
        for i in range(len(points)):
            j = i - 1
            if (side[i] >= 0) != (side[j] >= 0):
                kept.append(points[j] + (points[i] - points[j]) * (side[j] / (side[j] - side[i])))
            if side[i] >= 0:
                kept.append(points[i])
        if len(kept) < 3:
            return points[:0]
        points = np.stack(kept)
    return points
