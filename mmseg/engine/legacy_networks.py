"""Checkpoints of originals that are no mmsegmentation: their networks' names, in ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

# A layout: checkpoint entries with the networks -> (pattern of a key, our key); the first pattern that fits counts.
Layout = Mapping[str, tuple[tuple[str, str], ...]]

PROCA: Layout = {
    'feature_extractor': ((r'backbone\.', 'backbone.'),),
    'classifier': ((r'conv2d_list\.(\d+)\.', r'decode_head.aspp_modules.\1.conv.'),),
}
PBAL: Layout = {
    'DeepLab': (
        (r'backbone\.', 'backbone.'),
        (r'aspp\.', 'decode_head.aspp.'),
        (r'decoder\.head\.', 'decode_head.conv_seg.'),
        (r'decoder\.', 'decode_head.'),
    ),
}
PRODA: Layout = {
    'ResNet101': (
        (r'layer5\.conv2d_list\.(\d+)\.0\.', r'decode_head.aspp_modules.\1.conv.'),
        (r'layer5\.conv2d_list\.(\d+)\.1\.', r'decode_head.aspp_modules.\1.gn.'),
        (r'layer5\.bottleneck\.0\.se\.', 'decode_head.channel_weights.'),
        (r'layer5\.bottleneck\.1\.', 'decode_head.bottleneck.conv.'),
        (r'layer5\.bottleneck\.2\.', 'decode_head.bottleneck.gn.'),
        (r'layer5\.head\.1\.', 'decode_head.conv_seg.'),
        (r'bn_pretrain\.', 'neck.norm.'),
        (r'(conv1|bn1|layer[1-4])\.', r'backbone.\1.'),
    ),
}
LAYOUTS = (PROCA, PBAL, PRODA)


def convert_original(checkpoint: Mapping[str, Any]) -> dict[str, Tensor] | None:
    """A segmentor's state dict of a checkpoint that keeps networks apart; None for any other checkpoint.

    ProCA (and FADA): ``feature_extractor`` and ``classifier``, saved out of parallel wrappers (``module.``). PBAL:
    ``DeepLab``, an entry of ``model_state`` and what optimizers remember; its discriminator is left out. ProDA:
    ``ResNet101``, an entry of ``model_state`` and prototypes (``read_prototypes`` reads those).

    Raises:
        ValueError: a key in such a checkpoint that is not known.
    """
    for layout in LAYOUTS:
        if all(isinstance(checkpoint.get(network), Mapping) for network in layout):
            state: dict[str, Tensor] = {}
            for network, rules in layout.items():
                entry = checkpoint[network]
                for key, value in entry.get('model_state', entry).items():
                    state[our_name(key, network, rules)] = value
            return _with_counters(state)
    return None


def our_name(key: str, network: str, rules: tuple[tuple[str, str], ...]) -> str:
    """A key of an original's network under our name, by the rules of a layout; ``network`` is for the message.

    Raises:
        ValueError: no rule fits.
    """
    plain = key.removeprefix('module.')
    for pattern, ours in rules:
        if re.match(pattern, plain):
            return re.sub(f'^{pattern}', ours, plain)
    raise ValueError(f'{network} holds {key}, which belongs to no network that is known here')


def _with_counters(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Batch norms that were frozen count no batches."""
    norms = [key.removesuffix('running_mean') for key in state if key.endswith('.running_mean')]
    return {f'{norm}num_batches_tracked': torch.zeros((), dtype=torch.int64) for norm in norms} | state
