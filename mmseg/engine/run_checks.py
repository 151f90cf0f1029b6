"""Mistakes in a config that would otherwise show late, or as something else."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from mmengine.logging import print_log
from torch import nn

from mmseg.datasets.transforms import LoadDepth


def check_seed(seed: int | None) -> None:
    """A seed that all generators take.

    Raises:
        ValueError: it is none.
    """
    if seed is not None and not (isinstance(seed, int) and 0 <= seed < 2**32):
        raise ValueError(f'seed {seed}: expected a whole number from 0 to 2**32 - 1')


def check_classes(method: nn.Module, dataset: Any, key: str) -> None:
    """The network and a data set have the same number of classes.

    Too many in the network would show in validation only, too few as a failed assertion on the GPU.

    Args:
        method: with the network, its student.
        dataset: what does not name its classes passes.
        key: of the data set in the config.

    Raises:
        ValueError: the numbers differ.
    """
    student: Any = getattr(method, 'student', None)
    network = getattr(student, 'num_classes', None)
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes')
    if network is not None and classes and network != len(classes):
        cascade = isinstance(student.decode_head, nn.ModuleList)
        setting = 'model.num_classes' if cascade else 'model.decode_head.num_classes'
        raise ValueError(
            f'the network has {network} classes, the data set of {key} {len(classes)}: set '
            f'{setting}={len(classes)}{"" if cascade else " (auxiliary heads too)"}, or label_map'
        )


def check_class_order(classes: Sequence[str], others: Sequence[str], what: str, other: str) -> None:
    """Two that go together number the same classes alike; names that differ are only reported.

    Args:
        classes: names in the order of train ids.
        others: likewise; empty = not known.
        what: whose classes the first are, for messages.
        other: likewise.

    Raises:
        ValueError: the same names in another order.
    """
    if not others or list(classes) == list(others):
        return
    pairs = [(number, *pair) for number, pair in enumerate(zip(classes, others, strict=False)) if pair[0] != pair[1]]
    if not pairs:
        return
    number, first, second = pairs[0]
    text = f'class {number} is {first!r} in {what}, {second!r} in {other}'
    if set(classes) == set(others):
        raise ValueError(f'{text}: the same classes in another order; give both the same metainfo.classes')
    print_log(f'{text} ({len(pairs)} names differ)', 'current', logging.WARNING)


def check_depth(method: nn.Module, dataset: Any) -> None:
    """A method with depth guidance sees target images with depth.

    Whether the maps are there is the data set's affair.

    Raises:
        ValueError: the target's pipeline does not load depth.
    """
    guided = getattr(method, 'depth_guidance', None) is not None
    parts = getattr(getattr(dataset, 'target', None), 'parts', [])
    if guided and any(part.pipeline.find(LoadDepth) is None for part in parts):
        raise ValueError(
            'uda.depth_guidance needs the depth of target images: put dict(type="LoadDepth") after '
            'LoadImageFromFile into the pipeline of train_dataloader.dataset.target'
        )
