"""Cropping, flipping and padding of images and maps."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from mmseg.datasets.transforms.base import MAPS, Results, Transform
from mmseg.datasets.transforms.loading import count_labels
from mmseg.registry import TRANSFORMS
from mmseg.structures import IGNORE

Box = tuple[int, int, int, int]  # y1, y2, x1, x2

MAX_CROP_CHECKS = 10


def random_box(generator: np.random.Generator, shape: tuple[int, int], crop_size: tuple[int, int]) -> Box:
    """A box of ``crop_size`` (h, w) uniformly placed in an image of ``shape`` (h, w), at 0 where that is smaller."""
    top = int(generator.integers(max(shape[0] - crop_size[0], 0) + 1))
    left = int(generator.integers(max(shape[1] - crop_size[1], 0) + 1))
    return top, top + crop_size[0], left, left + crop_size[1]


def cut(values: np.ndarray, box: Box) -> np.ndarray:
    """The part of an image or map inside a box, clipped at the border; a view."""
    return values[box[0] : box[1], box[2] : box[3]]


def is_mixed(label: np.ndarray, cat_max_ratio: float) -> bool:
    """Whether a label map has more than one class and none covers ``cat_max_ratio`` of its labelled pixels or more."""
    counts = count_labels(label)[:IGNORE]
    present = counts[counts > 0]
    return present.size > 1 and bool(present.max() / present.sum() < cat_max_ratio)


def choose_box(label: np.ndarray, draw_box: Callable[[], Box], cat_max_ratio: float) -> Box:
    """The first drawn box whose labels are mixed; after ten rejected ones the eleventh is taken unseen."""
    for _ in range(MAX_CROP_CHECKS):
        box = draw_box()
        if is_mixed(cut(label, box), cat_max_ratio):
            return box
    return draw_box()


def _other_size(name: str, results: Results, shape: tuple[int, int]) -> str:
    (height, width), (own_height, own_width) = shape, results[name].shape
    file = results.get(f'{name}_path', '')
    return (
        f'RandomCrop: {name} {file} is {own_width}x{own_height} pixels, its image {results["img_path"]} '
        f'{width}x{height}: put Resize between loading and cropping'
    )


@TRANSFORMS.register_module()
class RandomCrop(Transform):
    """Cut the same box out of the image and all maps. A smaller image stays as it is (see ``Pad``).

    Args:
        crop_size: (height, width).
        cat_max_ratio: below 1, crops with a single class or with one that covers this share of the labelled pixels are
            drawn again, up to ten times; needs a label map.
    """

    random = True
    changes_labels = True

    def __init__(self, crop_size: tuple[int, int], cat_max_ratio: float = 1.0):
        if len(crop_size) != 2 or min(crop_size) < 1:
            raise ValueError(f'RandomCrop: crop_size must be (height, width), got {crop_size}')
        self.crop_size = (int(crop_size[0]), int(crop_size[1]))
        self.cat_max_ratio = cat_max_ratio

    def __call__(self, results: Results) -> Results:
        shape = results['img'].shape[:2]

        def draw_box() -> Box:
            return results['draws']('crop_box', lambda generator: random_box(generator, shape, self.crop_size))

        if self.cat_max_ratio < 1:
            if 'gt_seg_map' not in results:
                raise ValueError('RandomCrop: cat_max_ratio needs LoadAnnotations before it in the pipeline')
            box = choose_box(results['gt_seg_map'], draw_box, self.cat_max_ratio)
        else:
            box = draw_box()
        for name in ('img', *MAPS):
            if name in results:
                if results[name].shape[:2] != shape:
                    raise ValueError(_other_size(name, results, shape))
                results[name] = cut(results[name], box)
        results['img_shape'] = results['img'].shape[:2]
        results['crop_box'] = box
        results['crop_from'] = shape
        return results


@TRANSFORMS.register_module()
class RandomFlip(Transform):
    """Mirror the image and all maps left to right with probability ``prob``."""

    random = True

    def __init__(self, prob: float = 0.5):
        if not 0 <= prob <= 1:
            raise ValueError(f'RandomFlip: prob must lie in 0..1, got {prob}')
        self.prob = prob

    def __call__(self, results: Results) -> Results:
        if results['img'].shape[:2] != tuple(results['img_shape']):
            raise ValueError('RandomFlip must come before Pad: image content lies at the top left')
        results['flip'] = bool(results['draws']('flip', lambda generator: generator.random()) < self.prob)
        results['flip_direction'] = 'horizontal'
        if results['flip']:
            for name in ('img', *MAPS):
                if name in results:
                    results[name] = cv2.flip(results[name], 1)
        return results


@TRANSFORMS.register_module()
class PadAround(Transform):
    """Pad a smaller image on **both** sides by what it lacks of ``size`` (height, width), before a random crop.

    Images get black, which is a colour for the network, label maps 255, the valid mask 0 (ProCA's padding).
    """

    def __init__(self, size: tuple[int, int]):
        if len(size) != 2 or min(size) < 1:
            raise ValueError(f'PadAround: size must be (height, width), got {size}')
        self.size = (int(size[0]), int(size[1]))

    def __call__(self, results: Results) -> Results:
        height, width = results['img'].shape[:2]
        rows, columns = max(self.size[0] - height, 0), max(self.size[1] - width, 0)
        if not (rows or columns):
            return results
        for name, value in {'img': 0, **MAPS}.items():
            if name in results:
                results[name] = cv2.copyMakeBorder(
                    results[name], rows, rows, columns, columns, cv2.BORDER_CONSTANT, value=(value,) * 3
                )
        results['img_shape'] = results['img'].shape[:2]
        return results


@TRANSFORMS.register_module()
class Pad(Transform):
    """Pad a smaller image at the right and the bottom to ``size`` (height, width), or to multiples of ``size_divisor``.

    Label maps get 255, the valid mask 0, images 0 both here and, after normalisation, in ``SegDataPreProcessor``.
    """

    def __init__(self, size: tuple[int, int] | None = None, size_divisor: int | None = None):
        if (size is None) == (size_divisor is None):
            raise ValueError(f'Pad: give either size or size_divisor, got {size} and {size_divisor}')
        if size is not None and (len(size) != 2 or min(size) < 1):
            raise ValueError(f'Pad: size must be (height, width), got {size}')
        if size_divisor is not None and size_divisor < 1:
            raise ValueError(f'Pad: size_divisor must be at least 1, got {size_divisor}')
        self.size = None if size is None else (int(size[0]), int(size[1]))
        self.size_divisor = size_divisor

    def _missing(self, height: int, width: int) -> tuple[int, int]:
        if self.size_divisor is not None:
            return -height % self.size_divisor, -width % self.size_divisor
        assert self.size is not None
        return max(self.size[0] - height, 0), max(self.size[1] - width, 0)

    def __call__(self, results: Results) -> Results:
        for name, value in {'img': 0, **MAPS}.items():
            if name in results:
                bottom, right = self._missing(*results[name].shape[:2])
                if bottom or right:
                    results[name] = cv2.copyMakeBorder(
                        results[name], 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=(value,) * 3
                    )
        return results
