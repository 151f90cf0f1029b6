"""Several datasets as one: domains that are trained on, or evaluated, together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.randomness import Draws, sample_generator, shuffled_index
from mmseg.registry import DATASETS


@DATASETS.register_module()
class ConcatDataset(Dataset):
    """Datasets of the same classes, one after the other; sample numbers mean the same as for a single one.

    Every file is drawn as often as every other, so that a dataset's share is that of its files. Each has its own
    pipeline. In configs a list of datasets stands for this.

    Args:
        datasets: the datasets, or their configs.
        test_mode: sample n is file n, in order; True if the datasets say so.

    Raises:
        ValueError: there are none, their classes differ, or two of them have one name.

    Attributes:
        parts: the datasets.
        metainfo: that of the first, and ``datasets``, all names.
    """

    def __init__(self, datasets: Sequence[dict[str, Any] | BaseSegDataset], test_mode: bool = False):
        parts = [DATASETS.build(part) if isinstance(part, Mapping) else part for part in datasets]
        if not parts:
            raise ValueError('ConcatDataset: the list of datasets is empty')
        self._set_parts([inner for part in parts for inner in part.parts])
        first, *others = self.parts
        for part in others:
            if part.metainfo['classes'] != first.metainfo['classes']:
                raise ValueError(
                    f'datasets of one list have different classes: {first.num_classes} in {first.name} '
                    f'({", ".join(first.metainfo["classes"][:3])}, ...), {part.num_classes} in {part.name} '
                    f'({", ".join(part.metainfo["classes"][:3])}, ...)'
                )
        names = tuple(part.name for part in self.parts)
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f'two datasets of one list are called {twice[0]!r}: give each its own, name=...')
        bad = [name for name in names if '.' in name or '/' in name]
        if bad:
            raise ValueError(f'dataset name {bad[0]!r}: scores are called NAME/mIoU, so it must have no "." and no "/"')
        self.metainfo = {**first.metainfo, 'datasets': names}
        self.test_mode = test_mode or all(part.test_mode for part in self.parts)
        self.seed = 0

    def _set_parts(self, parts: list[BaseSegDataset]) -> None:
        self.parts = parts
        self._ends = np.array(list(accumulate(len(part) for part in parts)), np.int64)

    @property
    def num_classes(self) -> int:
        return len(self.metainfo['classes'])

    def set_seed(self, seed: int) -> None:
        """Seed of the random decisions; call it before the loader starts its workers."""
        self.seed = seed

    def __len__(self) -> int:
        return int(self._ends[-1])

    def locate(self, index: int) -> tuple[BaseSegDataset, int]:
        """The dataset that file ``index`` belongs to, and its index there."""
        position = int(np.searchsorted(self._ends, index, side='right'))
        return self.parts[position], index - int(self._ends[position]) + len(self.parts[position])

    def with_parts(self, change: Callable[[BaseSegDataset], BaseSegDataset]) -> ConcatDataset:
        """A copy whose datasets are changed."""
        other = ConcatDataset([change(part) for part in self.parts], self.test_mode)
        other.seed = self.seed
        return other

    def image_name(self, meta: Mapping[str, Any]) -> str:
        """Path of a sample's image below its image folder, with the name of its dataset as the first folder."""
        own = next(part for part in self.parts if part.name == meta['dataset'])
        return f'{own.name}/{own.image_name(meta)}'

    def sample(self, index: int, draws: Draws) -> dict[str, Any]:
        """File ``index`` through its dataset's pipeline with these random decisions."""
        part, own = self.locate(index)
        return part.sample(own, draws)

    def __getitem__(self, number: int) -> dict[str, Any]:
        if self.test_mode:
            index = range(len(self))[number]
        else:
            index = shuffled_index(self.seed, number, len(self))
        return self.sample(index, Draws(sample_generator(self.seed, abs(number))))


def build_dataset(config: Any) -> Any:
    """A dataset from its config, or from a list of configs; datasets themselves are handed back."""
    return config if isinstance(config, Dataset) else DATASETS.build(config)
