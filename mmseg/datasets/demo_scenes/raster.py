"""Faces in painting order to a buffer of face numbers: visibility, clipping and filling."""

from dataclasses import dataclass

import cv2
import numpy as np

from .camera import NEAR, Camera, clip_polygon
from .mesh import SEE_THROUGH

_SHIFT = 4
_LARGEST = 30000.0  # pixels: OpenCV's fixed-point fill is exact well beyond


@dataclass
class Faces:
    """All faces of a scene in painting order; N vertices, F faces. Colours are RGB 0..255."""

    vertices: np.ndarray  # (N, 3) world
    counts: np.ndarray  # (F,)
    labels: np.ndarray
    materials: np.ndarray
    one_sided: np.ndarray
    colors: np.ndarray  # (F, 3)
    accents: np.ndarray  # (F, 3)
    params: np.ndarray  # (F, 5)
    anchors: np.ndarray  # (F, 3) origin of the texture

    def select(self, keep: np.ndarray) -> 'Faces':
        """The faces at the given positions, without their vertices."""
        columns = (self.labels, self.materials, self.one_sided, self.colors, self.accents, self.params, self.anchors)
        return Faces(self.vertices[:0], self.counts[keep], *(column[keep] for column in columns))


@dataclass
class Buffers:
    """What every pixel shows. Face 0 is the sky, face i + 1 is row i of the tables."""

    face: np.ndarray  # (H, W) int32
    under: np.ndarray  # (H, W) int32: what lies behind a see-through face
    faces: Faces
    planes: np.ndarray  # (F, 3) inverse depth
    normals: np.ndarray  # (F, 3) world, towards the camera
    distances: np.ndarray  # (F,) of the planes from the camera


def project(camera: Camera, vertices: np.ndarray, counts: np.ndarray, keep: np.ndarray) -> list[np.ndarray | None]:
    """Fixed-point pixel polygons (n, 2) int32 of polygons in camera axes; None for those not to be seen."""
    ends = np.cumsum(counts)
    starts = ends - counts
    depth = vertices[:, 2]
    nearest = np.minimum.reduceat(depth, starts)
    safe = np.concatenate([vertices[:, :2], np.maximum(depth, 1e-3)[:, None]], axis=1)
    pixels = camera.to_pixels(safe)
    low, high = np.minimum.reduceat(pixels, starts), np.maximum.reduceat(pixels, starts)
    size = np.array([camera.width, camera.height])
    whole = (nearest >= NEAR) & (low > -_LARGEST).all(axis=1) & (high < _LARGEST).all(axis=1)
    outside = whole & ((high < -1).any(axis=1) | (low > size).any(axis=1))
    keep = keep & ~outside & (np.maximum.reduceat(depth, starts) >= NEAR)
    scale = 1 << _SHIFT
    fixed = np.rint(np.clip(pixels, -_LARGEST, _LARGEST) * scale).astype(np.int32)
    polygons: list[np.ndarray | None] = [None] * len(counts)
    for i in np.flatnonzero(keep).tolist():
        if whole[i]:
            polygons[i] = fixed[starts[i] : ends[i]]
        else:
            clipped = clip_polygon(vertices[starts[i] : ends[i]])
            if len(clipped):
                polygons[i] = np.rint(camera.to_pixels(clipped) * scale).astype(np.int32)
    return polygons


def fill(image: np.ndarray, polygon: np.ndarray, value: int) -> None:
    """Fill a fixed-point polygon, convex or not."""
    if len(polygon) == 4 or len(polygon) == 3:
        cv2.fillConvexPoly(image, polygon, value, cv2.LINE_8, _SHIFT)
    else:
        cv2.fillPoly(image, [polygon], value, cv2.LINE_8, _SHIFT)


def _fill_see_through(face: np.ndarray, under: np.ndarray, polygon: np.ndarray, value: int) -> None:
    height, width = face.shape
    x0, y0 = np.maximum((polygon.min(axis=0) >> _SHIFT) - 1, 0).tolist()
    x1, y1 = np.minimum((polygon.max(axis=0) >> _SHIFT) + 3, (width, height)).tolist()
    if x0 >= x1 or y0 >= y1:
        return
    mask = np.zeros((y1 - y0, x1 - x0), dtype=np.uint8)
    fill(mask, polygon - np.int32([x0, y0]) * (1 << _SHIFT), 1)
    painted = mask.astype(bool)
    view = face[y0:y1, x0:x1]
    under[y0:y1, x0:x1][painted] = view[painted]
    view[painted] = value


def paint(camera: Camera, faces: Faces) -> Buffers:
    """Paint the faces, later ones over earlier ones."""
    points = camera.to_camera(faces.vertices)
    starts = np.cumsum(faces.counts) - faces.counts
    first = points[starts]
    normals = np.cross(points[starts + 1] - first, points[starts + 2] - first)
    length = np.sqrt((normals * normals).sum(axis=1))
    normals /= np.maximum(length, 1e-12)[:, None]
    distances = (normals * first).sum(axis=1)
    # Camera axes are mirrored (y down), so a normal that points outwards in the world points inwards here.
    # A plane through the eye is seen edge-on: nothing of it is visible.
    keep = (np.abs(distances) > 1e-3) & (length > 1e-9) & ((distances > 0) | ~faces.one_sided)
    away = distances > 0
    normals[away] *= -1
    distances[away] *= -1
    polygons = project(camera, points, faces.counts, keep)
    order = np.array([i for i, polygon in enumerate(polygons) if polygon is not None], dtype=np.int64)
    face = np.zeros((camera.height, camera.width), dtype=np.int32)
    under = np.zeros_like(face)
    see_through = np.isin(faces.materials[order], SEE_THROUGH).tolist()
    for number, (i, transparent) in enumerate(zip(order.tolist(), see_through, strict=True), 1):
        if transparent:
            _fill_see_through(face, under, polygons[i], number)
        else:
            fill(face, polygons[i], number)
    normals, distances = normals[order], distances[order]
    planes = camera.inverse_depth_planes(normals, distances)
    return Buffers(face, under, faces.select(order), planes, normals @ camera.rotation, distances)


def paint_mask(camera: Camera, polygons: list[np.ndarray]) -> np.ndarray:
    """Union (H, W) uint8 0/1 of world polygons (n, 3)."""
    mask = np.zeros((camera.height, camera.width), dtype=np.uint8)
    if polygons:
        counts = np.array([len(polygon) for polygon in polygons])
        points = camera.to_camera(np.concatenate(polygons).astype(np.float32))
        for polygon in project(camera, points, counts, np.ones(len(counts), dtype=bool)):
            if polygon is not None:
                fill(mask, polygon, 1)
    return mask
