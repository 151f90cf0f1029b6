"""Resizing of images and maps."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from mmseg.datasets.transforms.base import MAPS, SMOOTH_MAPS, Results, Transform
from mmseg.registry import TRANSFORMS

Size = tuple[int, int]  # width, height


def fitted_size(size: Size, scale: tuple[float, float]) -> Size:
    """Largest (width, height) of the aspect ratio of ``size`` whose long and short side fit those of ``scale``."""
    factor = min(max(scale) / max(size), min(scale) / min(size))
    return max(1, int(size[0] * factor + 0.5)), max(1, int(size[1] * factor + 0.5))


def covering_scale(size: Size, short_side: int) -> tuple[float, float]:
    """The scale that gives an image of (width, height) this short side, at its own aspect ratio."""
    return short_side * max(size) / min(size), short_side


BACKENDS = ('cv2', 'pillow')
FILTERS = {
    'bilinear': (cv2.INTER_LINEAR, Image.Resampling.BILINEAR),
    'bicubic': (cv2.INTER_CUBIC, Image.Resampling.BICUBIC),
}


def resize_map(values: np.ndarray, size: Size, backend: str = 'cv2') -> np.ndarray:
    """Nearest-neighbour resize of a (H, W) map to (width, height); Pillow takes the pixel at a cell's centre."""
    if values.shape == size[::-1]:
        return values
    if backend == 'pillow':
        return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.NEAREST))
    return cv2.resize(values, size, interpolation=cv2.INTER_NEAREST)


def resize_smooth_map(values: np.ndarray, size: Size) -> np.ndarray:
    """Bilinear resize of a (H, W) float32 map to (width, height)."""
    return values if values.shape == size[::-1] else cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)


def resize_image(image: np.ndarray, size: Size, interpolation: str = 'bilinear', backend: str = 'cv2') -> np.ndarray:
    """Resize of a (H, W, 3) uint8 image to (width, height); Pillow's filters grow wider as images shrink."""
    if image.shape[:2] == size[::-1]:
        return image
    fast, smooth = FILTERS[interpolation]
    if backend == 'pillow':
        return np.asarray(Image.fromarray(image).resize(size, smooth))
    return cv2.resize(image, size, interpolation=fast)


@TRANSFORMS.register_module()
class Resize(Transform):
    """Resize the image and all maps present: ids by nearest neighbour, depth bilinearly to the image's new size.

    Args:
        scale: (width, height) to fit, or a list of such; None = the image's size, times ``ratio_range``.
        keep_ratio: keep the aspect ratio, so that the long and the short side fit those of the scale; ``width`` = the
            width becomes the scale's and the height follows (PBAL, ProDA); False = the scale is the new size.
        ratio_range: (low, high); the scale is multiplied with a number drawn from it.
        multiscale_mode: with a list of scales, ``value`` takes one of them, ``range`` draws the long and the short side
            separately between the smallest and the largest of the list (both inclusive).
        interpolation: ``bilinear`` or ``bicubic``, of the image.
        backend: ``cv2``, or ``pillow``, whose results are smoother where images shrink (ProCA, PBAL).
        min_size: with ``keep_ratio`` the short side becomes that of the scale, but at least this, however long the
            other side gets: crops fit into images of any shape (Mapillary in DDB).
    """

    changes_labels = True

    def __init__(
        self,
        scale: Size | Sequence[Size] | None = None,
        keep_ratio: bool | str = True,
        ratio_range: tuple[float, float] | None = None,
        multiscale_mode: str = 'range',
        interpolation: str = 'bilinear',
        backend: str = 'cv2',
        min_size: int | None = None,
    ):
        if scale is None and ratio_range is None:
            raise ValueError('Resize: give a scale, or a ratio_range of the image size')
        scales = [] if scale is None else [scale] if isinstance(scale[0], int) else list(scale)
        if any(len(item) != 2 or min(item) < 1 for item in scales):
            raise ValueError(f'Resize: scale must be (width, height) or a list of such, got {scale}')
        if multiscale_mode not in ('range', 'value'):
            raise ValueError(f"Resize: multiscale_mode must be 'range' or 'value', got {multiscale_mode!r}")
        if interpolation not in FILTERS or backend not in BACKENDS:
            raise ValueError(
                f'Resize: interpolation is one of {", ".join(FILTERS)} and backend of {", ".join(BACKENDS)}, '
                f'got {interpolation!r} and {backend!r}'
            )
        if ratio_range is not None and len(scales) > 1:
            raise ValueError('Resize: ratio_range and several scales exclude each other')
        if isinstance(keep_ratio, str) and keep_ratio != 'width':
            raise ValueError(f"Resize: keep_ratio is True, False or 'width', got {keep_ratio!r}")
        if min_size is not None and (keep_ratio in (False, 'width') or min_size < 1):
            raise ValueError(f'Resize: min_size is a number of pixels and needs keep_ratio=True, got {min_size}')
        self.min_size = min_size
        self.scales: list[Size] = [(int(item[0]), int(item[1])) for item in scales]
        self.keep_ratio = keep_ratio
        self.ratio_range = ratio_range
        self.multiscale_mode = multiscale_mode
        self.interpolation = interpolation
        self.backend = backend

    @property
    def random(self) -> bool:  # type: ignore[override]
        return self.ratio_range is not None or len(self.scales) > 1

    def draw_scale(self, generator: np.random.Generator, size: Size = (0, 0)) -> Size:
        """A scale (width, height) of the configured kind; without ``scale`` it is a multiple of an image's size."""
        if self.ratio_range is not None:
            low, high = self.ratio_range
            ratio = generator.random() * (high - low) + low
            width, height = self.scales[0] if self.scales else size
            return int(width * ratio), int(height * ratio)
        if self.multiscale_mode == 'value':
            return self.scales[int(generator.integers(len(self.scales)))]
        long_sides = [max(scale) for scale in self.scales]
        short_sides = [min(scale) for scale in self.scales]
        long_side = int(generator.integers(min(long_sides), max(long_sides) + 1))
        return long_side, int(generator.integers(min(short_sides), max(short_sides) + 1))

    def __call__(self, results: Results) -> Results:
        height, width = results['img'].shape[:2]
        scale = self.scales[0] if self.scales else (width, height)
        if self.random:
            scale = results['draws']('scale', lambda generator: self.draw_scale(generator, (width, height)))
        if self.min_size is not None:
            scale = covering_scale((width, height), max(min(scale), self.min_size))
        if self.keep_ratio == 'width':
            scale = scale[0], max(1, int(scale[0] / (width / height)))
        fit = bool(self.keep_ratio) and self.keep_ratio != 'width'
        size = fitted_size((width, height), scale) if fit else scale
        results['resized_from'] = (results['img'], scale, fit, self.interpolation, self.backend)
        results['img'] = resize_image(results['img'], size, self.interpolation, self.backend)
        for name in MAPS:
            if name in results:
                results[name] = (
                    resize_smooth_map(results[name], size)
                    if name in SMOOTH_MAPS
                    else resize_map(results[name], size, self.backend)
                )
        results['img_shape'] = size[::-1]
        results['scale_factor'] = (size[0] / width, size[1] / height)
        return results


@TRANSFORMS.register_module()
class TestTimeScales(Transform):
    """Turn ``img`` into a list of sizes for multi-scale inference; comes after ``Resize`` in a test pipeline.

    Every size is made from the image as it was before ``Resize``, by its rules.

    Args:
        ratios: multiples of the scale of ``Resize`` (of the image's size without one), in the order of the list.
    """

    __test__ = False  # not a test case, whatever pytest thinks of its name

    def __init__(self, ratios: Sequence[float]):
        if not ratios or min(ratios) <= 0:
            raise ValueError(f'TestTimeScales: ratios must be positive numbers, got {ratios}')
        self.ratios = tuple(ratios)

    def __call__(self, results: Results) -> Results:
        own_size = results['img'].shape[1::-1]
        without = results['img'], own_size, True, 'bilinear', 'cv2'
        image, scale, keep_ratio, interpolation, backend = results.get('resized_from', without)
        sizes = [(_multiple(scale[0], ratio), _multiple(scale[1], ratio)) for ratio in self.ratios]
        if keep_ratio:
            sizes = [fitted_size(image.shape[1::-1], size) for size in sizes]
        results['img'] = [resize_image(image, size, interpolation, backend) for size in sizes]
        return results


def _multiple(length: float, ratio: float) -> float:
    """Whole pixels of a scale stay whole; what ``covering_scale`` gives is rounded with the image's size only."""
    return int(length * ratio) if isinstance(length, int) else length * ratio
