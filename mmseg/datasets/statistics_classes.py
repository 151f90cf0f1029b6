"""Class frequencies of a dataset, and the settings of rare class sampling that suit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.rare_class_sampling import class_probabilities
from mmseg.datasets.statistics import Finding
from mmseg.structures import IGNORE

# DAFormer's threshold, and the size of the GTA images that it was chosen for.
PUBLISHED_MIN_PIXELS = 3000
PUBLISHED_AREA = 1914 * 1052
WANTED_CANDIDATES = 10
CLASS_TEMPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class ClassCounts:
    """Pixels per class of some label maps.

    Attributes:
        names: C classes.
        pixels: (files, C).
        ignored: (files,) pixels without a class.
    """

    names: tuple[str, ...]
    pixels: np.ndarray
    ignored: np.ndarray

    @cached_property
    def totals(self) -> np.ndarray:
        """(C,) pixels of each class in all files."""
        return self.pixels.sum(axis=0)

    @property
    def shares(self) -> np.ndarray:
        """(C,) of the labelled pixels: f_c of rare class sampling."""
        return self.totals / max(int(self.totals.sum()), 1)

    @property
    def ignored_share(self) -> float:
        """Of all pixels."""
        ignored = int(self.ignored.sum())
        return ignored / max(ignored + int(self.totals.sum()), 1)

    @property
    def images(self) -> np.ndarray:
        """(C,) files that show the class."""
        return self.candidates(0)

    @property
    def largest(self) -> np.ndarray:
        """(C,) most pixels of the class in one file."""
        return self.pixels.max(axis=0, initial=0)

    @property
    def medians(self) -> np.ndarray:
        """(C,) median pixels of the class, over the files that show it; 0 if none does."""
        return np.array([np.median(column[column > 0]) if column.any() else 0 for column in self.pixels.T])

    @property
    def absent(self) -> list[str]:
        """Names of the classes that no file shows."""
        return [name for name, total in zip(self.names, self.totals, strict=True) if total == 0]

    def candidates(self, min_pixels: int) -> np.ndarray:
        """(C,) files with more than ``min_pixels`` pixels of the class: what rare class sampling draws from."""
        return (self.pixels > min_pixels).sum(axis=0)


def count_classes(findings: Sequence[Finding], dataset: BaseSegDataset) -> ClassCounts:
    """Pixels per class of a dataset, after its ``label_map`` if it has one."""
    counts = np.stack([np.zeros(256, np.int64), *(finding.counts for finding in findings)])[1:]
    merged = np.zeros_like(counts)
    table = np.arange(256) if dataset.label_map is None else dataset.label_map.table
    for label_id, train_id in enumerate(table):
        merged[:, train_id] += counts[:, label_id]
    return ClassCounts(dataset.metainfo['classes'], merged[:, : dataset.num_classes], merged[:, IGNORE])


def suggest_min_pixels(counts: ClassCounts, area: float) -> int:
    """A ``rare_class_sampling.min_pixels`` that suits a dataset.

    The published 3000 pixels of a GTA image (1914x1052) scaled to the images' size; lowered until every class keeps ten
    files to draw from, or half of those that show it where these are fewer. Two digits, rounded down.

    Args:
        counts: of the dataset.
        area: pixels of a typical image.
    """
    limits = [PUBLISHED_MIN_PIXELS * area / PUBLISHED_AREA]
    for column in counts.pixels.T:
        shown = np.sort(column[column > 0])[::-1]
        if shown.size:
            limits.append(shown[min(WANTED_CANDIDATES, (shown.size + 1) // 2) - 1] - 1)
    lowest = max(int(min(limits)), 0)
    digits = 10 ** max(len(str(lowest)) - 2, 0)
    return lowest // digits * digits


def sampling_probabilities(counts: ClassCounts, class_temp: float) -> np.ndarray:
    """(C,) how often rare class sampling draws each class at a temperature; 0 for absent ones."""
    totals = {str(class_id): int(total) for class_id, total in enumerate(counts.totals) if total}
    classes, drawn = class_probabilities([totals], class_temp)
    probabilities = np.zeros(len(counts.names))
    probabilities[classes] = drawn
    return probabilities


def suggest_class_temp(counts: ClassCounts) -> float:
    """The published ``class_temp`` of 0.01, or the lowest at which no class takes half of all draws.

    The published one spreads the draws over the many rare ones of 19 classes; with three classes and a single rare one,
    images without that class would never be drawn.
    """
    limit = max(0.5, 1.5 / max(int((counts.totals > 0).sum()), 1))
    fitting = (temp for temp in CLASS_TEMPS if sampling_probabilities(counts, temp).max() <= limit)
    return next(fitting, CLASS_TEMPS[-1])
