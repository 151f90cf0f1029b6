"""Stacking training samples to a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.registry import FUNCTIONS
from torch.utils.data import default_collate


@FUNCTIONS.register_module()
def collate_domains(samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Stack the tensors of flat samples, or of each domain of paired ones; ``meta`` stays a list.

    Raises:
        ValueError: samples of different size, or with different keys.
    """
    keys = samples[0].keys()
    if any(sample.keys() != keys for sample in samples):
        raise ValueError(f'samples of one batch have different keys: {[sorted(sample) for sample in samples]}')
    return {key: _stack(key, [sample[key] for sample in samples]) for key in keys}


@FUNCTIONS.register_module()
def collate_samples(samples: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """A batch of test samples as lists: images may differ in size, and one may be a list of scales."""
    return {key: [sample[key] for sample in samples] for key in samples[0]}


def _stack(key: str, values: Sequence[Any]) -> Any:
    if key == 'meta':
        return list(values)
    if isinstance(values[0], Mapping):
        return collate_domains(values)
    shapes = {tuple(value.shape) for value in values}
    if len(shapes) > 1:
        raise ValueError(f'{key} of one batch has sizes {sorted(shapes)}: put RandomCrop and Pad into the pipeline')
    return default_collate(list(values))
