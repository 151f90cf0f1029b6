"""Reading an image and its label map."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import ClassVar

import cv2
import numpy as np
from mmengine.logging import print_log

from mmseg.datasets.image_io import read_image, read_label
from mmseg.datasets.label_map import LabelMap
from mmseg.datasets.transforms.base import Results, Transform
from mmseg.registry import TRANSFORMS
from mmseg.structures import IGNORE


def count_labels(label: np.ndarray) -> np.ndarray:
    """Pixels per id of a (H, W) uint8 map, as (256,) float32 (exact up to 16.7 million pixels)."""
    return cv2.calcHist([label], [0], None, [256], [0, 256]).ravel()


@TRANSFORMS.register_module()
class LoadImageFromFile(Transform):
    """Read ``img_path`` as ``img`` (H, W, 3) BGR uint8; sets ``ori_shape`` and ``img_shape``."""

    def __call__(self, results: Results) -> Results:
        results['img'] = read_image(results['img_path'])
        results['ori_shape'] = results['img_shape'] = results['img'].shape[:2]
        return results


@TRANSFORMS.register_module()
class LoadAnnotations(Transform):
    """Read ``seg_map_path`` as ``gt_seg_map`` (H, W) uint8 train ids, 255 = ignore.

    After ``Resize`` the map keeps its own size, as validation wants it. A map whose sides differ from the image's by a
    fiftieth at most is resized to it by nearest neighbour, with a warning: some of GTA's are a few rows off.

    Args:
        label_map: id in the file -> train id; other ids stay.
        reduce_zero_label: id 0 becomes ignore, every other id one less.

    Raises:
        ValueError: for a map of another size than its image, or with ids that are no classes.
    """

    size_tolerance: ClassVar[float] = 0.02  # of each side
    changes_labels = True
    made_by: ClassVar[str | None] = None  # the command that makes the files, if it is not the dataset's converter

    def __init__(self, label_map: Mapping[int, int] | None = None, reduce_zero_label: bool = False):
        self.reduce_zero_label = reduce_zero_label
        self._table = None
        self._fitted_before = False
        if label_map or reduce_zero_label:
            self._table = np.arange(256, dtype=np.uint8)
            for old, new in (label_map or {}).items():
                self._table[int(old)] = new
            if reduce_zero_label:
                self._table = np.where(self._table == IGNORE, IGNORE, self._table - 1).astype(np.uint8)

    @property
    def table(self) -> list[int] | None:
        """Train id of each id in the file; None = the same."""
        return None if self._table is None else self._table.tolist()

    def __call__(self, results: Results) -> Results:
        path = results['seg_map_path']
        label = read_label(path)
        if 'ori_shape' in results and label.shape != results['ori_shape']:
            label = self._fitted(label, results)
        if self._table is not None:
            label = cv2.LUT(label, self._table)
        ignore_index = results.get('ignore_index', IGNORE)
        if ignore_index != IGNORE:
            label = np.where(label == ignore_index, np.uint8(IGNORE), label)
        if results.get('label_map') is not None:
            label = self._mapped(label, results['label_map'], path)
        elif 'num_classes' in results:
            self._check_ids(label, results['num_classes'], path)
        results['gt_seg_map'] = label
        return results

    def _fitted(self, label: np.ndarray, results: Results) -> np.ndarray:
        """The map at its image's size, if it is nearly of this size."""
        (height, width), shape = label.shape, results['ori_shape']
        sizes = (
            f'label map {results["seg_map_path"]} is {width}x{height} pixels, '
            f'but its image {results["img_path"]} is {shape[1]}x{shape[0]}'
        )
        off = (abs(ours - image) / image for ours, image in zip(label.shape, shape, strict=True))
        if max(off) > self.size_tolerance:
            raise ValueError(sizes)
        if not self._fitted_before:
            self._fitted_before = True
            print_log(f'{sizes}: resized to it, as are others like it', 'current', logging.WARNING)
        return cv2.resize(label, shape[::-1], interpolation=cv2.INTER_NEAREST)

    @staticmethod
    def _mapped(label: np.ndarray, label_map: LabelMap, path: str) -> np.ndarray:
        unknown = np.flatnonzero((count_labels(label) > 0) & ~label_map.known)
        if unknown.size:
            raise ValueError(
                f'label map {path} holds ids {", ".join(map(str, unknown[:8]))}, which label_map does not mention; '
                'None = ignore, or add others=None'
            )
        return cv2.LUT(label, label_map.table)

    @staticmethod
    def _check_ids(label: np.ndarray, num_classes: int, path: str) -> None:
        # Counting takes longer: it is for the message.
        if num_classes < IGNORE and cv2.countNonZero(cv2.inRange(label, num_classes, IGNORE - 1)):
            unknown = np.flatnonzero(count_labels(label)[num_classes:IGNORE]) + num_classes
            raise ValueError(
                f'label map {path} holds ids {", ".join(map(str, unknown[:8]))}, but the dataset has {num_classes} '
                f'classes (0 to {num_classes - 1}, 255 = ignore): convert the label maps or give a label_map'
            )
