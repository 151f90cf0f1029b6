"""Checkpoints of originals that are no mmsegmentation: their networks' names, in ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

# Checkpoint entries with the networks -> (pattern of a key, our key).
PROCA = {
    'feature_extractor': (r'backbone\.', 'backbone.'),
    'classifier': (r'conv2d_list\.(\d+)\.', r'decode_head.aspp_modules.\1.conv.'),
}
LAYOUTS = (PROCA,)


def convert_original(checkpoint: Mapping[str, Any]) -> dict[str, Tensor] | None:
    """A segmentor's state dict of a checkpoint that keeps networks apart; None for any other checkpoint.

    ProCA (and FADA): ``feature_extractor`` and ``classifier``, saved out of parallel wrappers (``module.``).

    Raises:
        ValueError: a key in such a checkpoint that is not known.
    """
    for layout in LAYOUTS:
        if all(isinstance(checkpoint.get(network), Mapping) for network in layout):
            state: dict[str, Tensor] = {}
            for network, (pattern, ours) in layout.items():
                for key, value in checkpoint[network].items():
                    plain = key.removeprefix('module.')
                    if not re.match(pattern, plain):
                        raise ValueError(f'{network} holds {key}, which belongs to no network that is known here')
                    state[re.sub(f'^{pattern}', ours, plain)] = value
            return _with_counters(state)
    return None


def _with_counters(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Batch norms that were frozen count no batches."""
    norms = [key.removesuffix('running_mean') for key in state if key.endswith('.running_mean')]
    return {f'{norm}num_batches_tracked': torch.zeros((), dtype=torch.int64) for norm in norms} | state
