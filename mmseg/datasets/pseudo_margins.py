"""Margins of target images whose pseudo-labels do not count, put into the data sets' pipelines."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.concatenation import ConcatDataset
from mmseg.datasets.transforms import Compose, LoadImageFromFile, PseudoMargins, RandomCrop, Resize

Domain = BaseSegDataset | ConcatDataset
NO_MARGINS = (0, 0, 0, 0)


def with_margins(dataset: Domain, margins: Sequence[int] | Sequence[Sequence[int] | None]) -> Domain:
    """A copy of the dataset whose pipeline makes the mask of valid pixels, right after the last resize.

    Raises:
        ValueError: the pipeline has a ``PseudoMargins`` already, or nothing that loads an image; a list of margins has
            not one for each dataset.
    """
    parts = dataset.parts if isinstance(dataset, ConcatDataset) else [dataset]
    if margins and isinstance(margins[0], int):
        margins = [margins] * len(parts)  # type: ignore[list-item]
    if len(margins) != len(parts):
        raise ValueError(f'pseudo_margins lists {len(margins)} margins for {len(parts)} target data sets')
    changes = iter(margins)
    if isinstance(dataset, ConcatDataset):
        return dataset.with_parts(lambda part: _with_margins(part, next(changes)))
    return _with_margins(dataset, next(changes))


def _with_margins(dataset: BaseSegDataset, margins: Sequence[int] | None) -> BaseSegDataset:
    pipeline = dataset.pipeline
    if pipeline.find(PseudoMargins) is not None:
        raise ValueError('pseudo_margins and a PseudoMargins in the target pipeline exclude each other')
    position = pipeline.find(Resize)
    position = pipeline.find(LoadImageFromFile) if position is None else position
    if position is None:
        raise ValueError('pseudo_margins needs LoadImageFromFile in the target pipeline')
    crop = pipeline.find(RandomCrop)
    if crop is not None and crop < position:
        raise ValueError('pseudo_margins needs Resize before RandomCrop in the target pipeline')
    transforms = list(pipeline.transforms)
    transforms.insert(position + 1, PseudoMargins(margins or NO_MARGINS, dataset.margins_canvas))
    dataset = copy.copy(dataset)
    dataset.pipeline = Compose(transforms)
    return dataset
