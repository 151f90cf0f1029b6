"""Rare class sampling (DAFormer, Hoyer et al., CVPR 2022, eq. 6 and 7): images with rare classes come more often.

Symbols: f_c share of class c among the labelled pixels of the source domain, T temperature, P(c) ~ exp((1 - f_c) / T).
"""

from __future__ import annotations

import itertools
import json
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from mmengine.logging import print_log

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.concatenation import ConcatDataset
from mmseg.datasets.file_lookup import listed_files
from mmseg.datasets.randomness import Draws

T = TypeVar('T')

CLASS_STATS_FILE = 'sample_class_stats.json'
CLASS_FILES_FILE = 'samples_with_class.json'
MAX_REDRAWS = 10


def class_probabilities(class_stats: Iterable[Mapping[str, Any]], temperature: float) -> tuple[list[int], np.ndarray]:
    """Classes, rarest first, and their probabilities.

    Args:
        class_stats: pixels per class of each file (``sample_class_stats.json``; the key ``file`` is skipped).
        temperature: T; infinity gives every class the same probability.
    """
    pixels: dict[int, int] = {}
    for stats in class_stats:
        for key, count in stats.items():
            if key != 'file':
                pixels[int(key)] = pixels.get(int(key), 0) + count
    classes = sorted(pixels, key=lambda class_id: pixels[class_id])
    share = np.array([pixels[class_id] for class_id in classes], np.float64)
    share /= max(share.sum(), 1)
    exponent = (share.min(initial=1) - share) / temperature  # largest exponent 0: no overflow
    weight = np.exp(exponent)
    return classes, weight / weight.sum()


def redraw_until(draw: Callable[[], T], good: Callable[[T], bool], max_redraws: int = MAX_REDRAWS) -> T:
    """The first good draw; after ``max_redraws`` bad ones one more, taken unseen."""
    for _ in range(max_redraws):
        drawn = draw()
        if good(drawn):
            return drawn
    return draw()


class RareClassSampling:
    """Draws a class by rarity, a file that holds it, and a crop that shows it.

    Args:
        dataset: the source domain, its ``data_root`` with the statistics files of a converter. Of several datasets in
            one the pixels of a class are added up, and its candidates are the files of all.
        min_pixels: a file is a candidate of a class with more pixels than these.
        class_temp: temperature T ('inf' = all classes alike).
        min_crop_ratio: a crop is kept with more than ``min_pixels * min_crop_ratio`` pixels of the class; 0 = any crop.

    Raises:
        FileNotFoundError: a statistics file is missing.
        ValueError: the statistics belong to other files or classes, or ``min_pixels`` leaves a class without files.

    Attributes:
        classes: train ids that occur, rarest first.
        probabilities: P(c), in the same order.
        candidates: per class the dataset's indices of its files.
    """

    def __init__(
        self,
        dataset: BaseSegDataset | ConcatDataset,
        min_pixels: int = 3000,
        class_temp: float | str = 0.01,
        min_crop_ratio: float = 0.5,
    ):
        self.min_pixels = min_pixels
        self.min_crop_ratio = min_crop_ratio
        temperature = float(class_temp)
        if not temperature > 0:
            raise ValueError(f'rare_class_sampling: class_temp must be above 0, got {class_temp}')
        self.dataset = dataset
        parts = [FileStatistics(part) for part in dataset.parts]
        known = itertools.chain.from_iterable(part.counts for part in parts)
        self.classes, self.probabilities = class_probabilities(known, temperature)
        self._report_absent()
        self.candidates = {class_id: self._candidates(parts, class_id) for class_id in self.classes}
        self._cumulative = np.cumsum(self.probabilities)
        print_log(f'RCS Classes: {self.classes}', 'current')
        print_log(f'RCS ClassProb: {[round(float(p), 4) for p in self.probabilities]}', 'current')

    def _report_absent(self) -> None:
        absent = [name for i, name in enumerate(self.dataset.metainfo['classes']) if i not in self.classes]
        if absent:
            folders = ', '.join(part.seg_map_dir for part in self.dataset.parts)
            print_log(f'RCS: {", ".join(absent)} do not occur in {folders}', 'current', level=logging.WARNING)

    def _candidates(self, parts: Sequence[FileStatistics], class_id: int) -> np.ndarray:
        """Indices, in the whole dataset, of the files with enough pixels of a class."""
        starts = itertools.accumulate((len(part.dataset) for part in parts), initial=0)
        found = [part.candidates(class_id, self.min_pixels) + start for part, start in zip(parts, starts, strict=False)]
        indices = np.concatenate(found)
        if not len(indices):
            largest = max(part.largest(class_id) for part in parts)
            raise ValueError(
                f'rare_class_sampling: no image has more than min_pixels={self.min_pixels} pixels of class '
                f'{class_id} ({self.dataset.metainfo["classes"][class_id]}), the largest has {largest}: '
                'lower rare_class_sampling.min_pixels'
            )
        return indices

    def draw(self, draws: Draws) -> tuple[int, int]:
        """A class and the index of one of its files."""

        def draw_class(generator: np.random.Generator) -> int:
            position = np.searchsorted(self._cumulative, generator.random() * self._cumulative[-1], side='right')
            return self.classes[min(int(position), len(self.classes) - 1)]

        class_id = draws('class', draw_class)
        indices = self.candidates[class_id]
        return class_id, draws('source_index', lambda generator: int(indices[generator.integers(len(indices))]))

    def sample(self, index: int, class_id: int, draws: Draws) -> dict[str, Any]:
        """File ``index`` through the pipeline, its crop drawn again up to ten times until it shows the class.

        The file is decoded and resized once: only the random transforms run again.
        """
        dataset, own = self.dataset.locate(index)
        before, redrawn, after = dataset.pipeline.split_for_redrawing()
        loaded = {**before(dataset.record(own, draws)), 'sampled_class': class_id}
        if self.min_crop_ratio <= 0:
            return after(redrawn(loaded))
        enough = self.min_pixels * self.min_crop_ratio
        return after(
            redraw_until(
                lambda: redrawn(dict(loaded)),
                lambda results: np.count_nonzero(results['gt_seg_map'] == class_id) > enough,
            )
        )


class FileStatistics:
    """Pixels per class of each file of one dataset, from the files that a converter left in its ``data_root``.

    Args:
        dataset: its ``label_map`` is applied.

    Raises:
        FileNotFoundError: a statistics file is missing.
        ValueError: it is broken, or belongs to other files or classes.

    Attributes:
        counts: ``{class: pixels, 'file': path}`` of each of the dataset's files.
    """

    def __init__(self, dataset: BaseSegDataset):
        self.dataset = dataset
        self.path = os.path.join(dataset.data_root, CLASS_STATS_FILE)
        listed = _read_statistics(self.path, dataset)
        self._files = _read_statistics(os.path.join(dataset.data_root, CLASS_FILES_FILE), dataset)
        if dataset.label_map is not None:
            listed = [{**dataset.label_map.merge_counts(stats), 'file': stats['file']} for stats in listed]
            self._files = dataset.label_map.merge_files(self._files)
        counted = self._own((stats['file'] for stats in listed), CLASS_STATS_FILE)
        self.counts = [stats for stats in listed if stats['file'] in counted]
        entries = itertools.chain.from_iterable(self._files.values())
        self._indices = self._own((path for path, _ in entries), CLASS_FILES_FILE)
        self._check_files()
        self._check_classes()

    def candidates(self, class_id: int, min_pixels: int) -> np.ndarray:
        """Indices of the dataset's files with more than ``min_pixels`` pixels of a class."""
        return candidate_indices(self._files.get(str(class_id), []), self._indices.get, min_pixels)

    def largest(self, class_id: int) -> int:
        """Most pixels of a class in one file."""
        listed = self._files.get(str(class_id), [])
        return max((pixels for path, pixels in listed if path in self._indices), default=0)

    def _own(self, paths: Iterable[str], listing: str) -> dict[str, int]:
        """The dataset's among the paths of a statistics file, and their indices."""
        path = os.path.join(self.dataset.data_root, listing)
        return listed_files(paths, self.dataset.label_names, self.dataset.seg_map_dir, path)

    def _check_files(self) -> None:
        dataset = self.dataset
        advice = f'run {dataset.statistics_command()}'
        if not self.counts:
            raise ValueError(f'{self.path} names none of the label maps in {dataset.seg_map_dir}: {advice}')
        if len(self.counts) < len(dataset):
            print_log(
                f'{self.path} lacks {len(dataset) - len(self.counts)} of {len(dataset)} label maps, which are never '
                f'sampled: {advice}',
                logger='current',
                level=logging.WARNING,
            )

    def _check_classes(self) -> None:
        found = {int(key) for stats in self.counts for key in stats if key != 'file'}
        foreign = sorted(class_id for class_id in found if not 0 <= class_id < self.dataset.num_classes)
        if foreign:
            raise ValueError(
                f'{self.path} counts classes {foreign}, but the dataset has {self.dataset.num_classes} classes'
            )


def candidate_indices(files: Iterable[Sequence], lookup: Callable[[str], int | None], min_pixels: int) -> np.ndarray:
    """Indices of one class's files with more than ``min_pixels`` pixels of it, without files unknown to ``lookup``."""
    indices = [lookup(path) for path, pixels in files if pixels > min_pixels]
    return np.array([index for index in indices if index is not None], np.int64)


def _read_statistics(path: str, dataset: BaseSegDataset) -> Any:
    advice = f'run {dataset.statistics_command()}'
    try:
        return json.loads(Path(path).read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise FileNotFoundError(f'rare class sampling needs {path}, which does not exist: {advice}') from None
    except json.JSONDecodeError as error:
        raise ValueError(f'{path} is broken ({error}): delete it and {advice}') from None
