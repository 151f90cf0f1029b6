"""Pairs of a labelled source image and an unlabelled target image."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log
from torch.utils.data import Dataset

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.class_balanced import ClassBalancedSampling
from mmseg.datasets.concatenation import ConcatDataset, build_dataset
from mmseg.datasets.pseudo_margins import with_margins
from mmseg.datasets.randomness import Draws, sample_generator, shuffled_index
from mmseg.datasets.rare_class_sampling import RareClassSampling
from mmseg.datasets.transforms import KeepWholeImage, LoadSoftLabels, RandomCrop
from mmseg.datasets.transforms.geometry import Box, random_box
from mmseg.registry import DATASETS

# Parts of a sample with a generator each, so that e.g. redrawn source crops leave the target image as it is.
_PAIR, _SOURCE, _TARGET = range(3)

Domain = BaseSegDataset | ConcatDataset
ORDERS = ('random', 'shuffled')
# What samples hold of the whole image that the crop is a part of.
OF_WHOLE_IMAGE = ('whole', 'soft_label')


@DATASETS.register_module()
class UDADataset(Dataset):
    """Sample n is ``dict(source=..., target=...)``, drawn from (seed, n) alone, for any integer n >= 0.

    Files are drawn uniformly, or those of the source by rare class sampling. Several sources, or targets, are one
    domain: each has the share of its files.

    Args:
        source: labelled dataset, or a list of such.
        target: unlabelled dataset of the same classes, or a list of such.
        rare_class_sampling: arguments of ``RareClassSampling``; None = every source file equally often.
        class_balanced_sampling: arguments of ``ClassBalancedSampling``, another way to choose source files.
        sync_crop_size: (height, width); the same random box cuts source and target after both pipelines.
        pseudo_margins: (top, bottom, left, right) margins of target images without pseudo-labels, in pixels of the
            target's ``margins_canvas``; of several targets one such for all, or a list of one for each (None = none).
        source_order: ``random`` draws each source file anew; ``shuffled`` takes every file once per epoch, each epoch
            in another order (DDB, PBAL, ProDA).
        target_order: the same for target files (PBAL, ProDA).

    Raises:
        ValueError: source and target have different classes, more than one way to choose source files is given, or
            ``sync_crop_size`` with a pipeline that keeps something of the whole image (ProDA).
    """

    def __init__(
        self,
        source: dict[str, Any] | Sequence[dict[str, Any]] | Domain,
        target: dict[str, Any] | Sequence[dict[str, Any]] | Domain,
        rare_class_sampling: Mapping[str, Any] | None = None,
        sync_crop_size: Sequence[int] | None = None,
        pseudo_margins: Sequence[int] | Sequence[Sequence[int] | None] | None = None,
        class_balanced_sampling: Mapping[str, Any] | None = None,
        source_order: str = 'random',
        target_order: str = 'random',
    ):
        self.source: Domain = build_dataset(source)
        self.target: Domain = build_dataset(target)
        if self.source.metainfo['classes'] != self.target.metainfo['classes']:
            raise ValueError(
                f'source and target have different classes: {len(self.source.metainfo["classes"])} in '
                f'{type(self.source).__name__}, {len(self.target.metainfo["classes"])} in {type(self.target).__name__}'
            )
        for name, order in (('source_order', source_order), ('target_order', target_order)):
            if order not in ORDERS:
                raise ValueError(f'{name} is one of {", ".join(ORDERS)}, got {order!r}')
        if source_order != 'random' and (rare_class_sampling is not None or class_balanced_sampling is not None):
            raise ValueError(
                f'source_order={source_order!r} and a sampling of source files exclude each other: keep one'
            )
        self.source_order, self.target_order = source_order, target_order
        say_if_labels_choose_crops(self.target)
        self.metainfo = self.target.metainfo
        self.sync_crop_size = tuple(sync_crop_size) if sync_crop_size else None
        if self.sync_crop_size:
            check_sync_crop(self.source, self.target)
        if pseudo_margins is not None:
            self.target = with_margins(self.target, pseudo_margins)
        self.rare_class_sampling = None
        if rare_class_sampling is not None:
            self.rare_class_sampling = RareClassSampling(self.source, **rare_class_sampling)
        self.class_balanced_sampling = None
        if class_balanced_sampling is not None:
            if rare_class_sampling is not None:
                raise ValueError('rare_class_sampling and class_balanced_sampling exclude each other: keep one')
            self.class_balanced_sampling = ClassBalancedSampling(self.source, **class_balanced_sampling)
        self.seed = 0

    def set_seed(self, seed: int) -> None:
        """Seed of the random decisions; call it before the loader starts its workers."""
        self.seed = seed

    def __len__(self) -> int:
        return len(self.source) * len(self.target)

    def __getitem__(self, number: int) -> dict[str, Any]:
        return self.pair(number)

    def pair(self, number: int, decisions: Mapping[str, Mapping[str, Iterable]] | None = None) -> dict[str, Any]:
        """Sample ``number``.

        Args:
            number: the sample number, >= 0.
            decisions: decisions handed in instead of drawn, by part (``pair``: ``target_index``, ``class``,
                ``source_index``, ``sync_box``; ``source`` and ``target``: ``scale``, ``crop_box``, ``flip``,
                ``photometric``), each a sequence in call order.
        """
        given = decisions or {}
        pair, source, target = (
            Draws(sample_generator(self.seed, number, part), given.get(name))
            for part, name in ((_PAIR, 'pair'), (_SOURCE, 'source'), (_TARGET, 'target'))
        )
        target_index = self._target_index(number, pair)
        source_sample = self._source_sample(number, pair, source)
        samples = {'source': source_sample, 'target': self.target.sample(target_index, target)}
        return self._crop_together(samples, pair) if self.sync_crop_size else samples

    def source_half(self, number: int) -> dict[str, Any]:
        """The source of sample ``number``, without loading its target."""
        pair, source = (Draws(sample_generator(self.seed, number, part)) for part in (_PAIR, _SOURCE))
        self._target_index(number, pair)  # drawn first, from the same generator
        samples = {'source': self._source_sample(number, pair, source)}
        return (self._crop_together(samples, pair) if self.sync_crop_size else samples)['source']

    def _target_index(self, number: int, draws: Draws) -> int:
        if self.target_order == 'shuffled':
            return draws('target_index', lambda _: shuffled_index(self.seed, number, len(self.target), target=True))
        return draws('target_index', lambda generator: int(generator.integers(len(self.target))))

    def _source_sample(self, number: int, pair: Draws, source: Draws) -> dict[str, Any]:
        if self.rare_class_sampling is None:
            index = pair('source_index', lambda generator: self._source_index(number, generator))
            return self.source.sample(index, source)
        class_id, index = self.rare_class_sampling.draw(pair)
        return self.rare_class_sampling.sample(index, class_id, source)

    def _source_index(self, number: int, generator: np.random.Generator) -> int:
        if self.class_balanced_sampling is not None:
            return self.class_balanced_sampling.index(number, self.seed)
        if self.source_order == 'shuffled':
            return shuffled_index(self.seed, number, len(self.source))
        return int(generator.integers(len(self.source)))

    def _crop_together(self, samples: dict[str, Any], draws: Draws) -> dict[str, Any]:
        shapes = {name: tuple(sample['image'].shape[-2:]) for name, sample in samples.items()}
        if len(set(shapes.values())) > 1:
            raise ValueError(f'sync_crop_size needs source and target crops of one size, got {shapes}')
        box = draws('sync_box', lambda generator: random_box(generator, shapes['source'], self.sync_crop_size))
        return {name: crop_sample(sample, box) for name, sample in samples.items()}


def check_sync_crop(*domains: Domain) -> None:
    """The common crop cuts the image and its maps, not what a pipeline keeps of the whole image.

    Raises:
        ValueError: a pipeline keeps such.
    """
    for part in (part for domain in domains for part in domain.parts):
        for kind in (KeepWholeImage, LoadSoftLabels):
            if part.pipeline.find(kind) is not None:
                raise ValueError(
                    f'sync_crop_size and {kind.__name__} in the pipeline of {part.name} exclude each other: leave '
                    'sync_crop_size out and use RandomCrop in the pipelines'
                )


def crop_sample(sample: Mapping[str, Any], box: Box) -> dict[str, Any]:
    """Cut a box (y1, y2, x1, x2) out of a sample's image and its maps of the same size; ``img_shape`` follows."""
    y1, y2, x1, x2 = (int(edge) for edge in box)
    size = sample['image'].shape[-2:]
    cropped = {
        key: value[..., y1:y2, x1:x2].contiguous()
        for key, value in sample.items()
        if key not in ('meta', *OF_WHOLE_IMAGE) and value.shape[-2:] == size
    }
    height, width = sample['meta']['img_shape']
    content = tuple(
        int(np.clip(left, 0, end - start)) for left, start, end in ((height - y1, y1, y2), (width - x1, x1, x2))
    )
    return {**sample, **cropped, 'meta': {**sample['meta'], 'img_shape': content, 'sync_box': (y1, y2, x1, x2)}}


def say_if_labels_choose_crops(target: Domain) -> None:
    """Warn of target pipelines whose random crops depend on labels, which adaptation should not have."""
    for part in target.parts if isinstance(target, ConcatDataset) else [target]:
        if any(isinstance(step, RandomCrop) and step.cat_max_ratio < 1 for step in part.pipeline.transforms):
            print_log(
                f'{part.name}: RandomCrop with cat_max_ratio below 1 chooses crops of the target by their labels, so '
                'this is no unsupervised adaptation',
                'current',
                logging.WARNING,
            )
