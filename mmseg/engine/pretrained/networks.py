"""Saying in words which network a set of weights belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

DEEP_STEM = ('stem.0.weight', 'stem.3.weight', 'stem.6.weight')


def network_of(state: Mapping[str, Tensor]) -> str | None:
    """A network's name from its weights in our layout, e.g. ``mit_b5``; None for kinds that are not known."""
    if 'patch_embed1.proj.weight' in state:
        return _mix_transformer(state)
    if 'layer1.0.conv1.weight' in state:
        return _residual(state)
    return None


def _mix_transformer(state: Mapping[str, Tensor]) -> str:
    # Encoders import this package: at the top they would import each other.
    from mmseg.models.backbones import mix_transformer

    stages = [i for i in range(1, 9) if f'patch_embed{i}.proj.weight' in state]
    widths = tuple(len(state[f'patch_embed{i}.proj.weight']) for i in stages)
    blocks = tuple(_count(state, f'block{i}') for i in stages)
    for size in (getattr(mix_transformer, f'MiTB{i}') for i in range(6)):
        if (size.widths, size.blocks) == (widths, blocks):
            return f'mit_b{size.__name__[-1]}'
    return f'a Mix Transformer of {_list(widths)} channels and {_list(blocks)} blocks'


def _residual(state: Mapping[str, Tensor]) -> str | None:
    from mmseg.models.backbones.resnet import ResNeSt, ResNet

    kind = 'bottleneck' if 'layer1.0.conv3.weight' in state else 'basic'
    blocks = tuple(_count(state, f'layer{i}') for i in range(1, 5))
    known = {entry: depth for depth, entry in (ResNeSt.depths | ResNet.depths).items()}
    if (kind, blocks) not in known:
        return None
    depth = known[kind, blocks]
    if 'layer1.0.conv2.fc1.weight' in state:
        return f'ResNeSt-{depth}{_stem(state)}'
    middle = state.get('layer1.0.conv2.weight')
    groups = middle.shape[0] // middle.shape[1] if middle is not None and middle.ndim == 4 else 1
    if groups > 1 and middle is not None:
        return f'ResNeXt-{depth} {groups}x{middle.shape[1]}d{_stem(state)}'
    shortcut = state.get('layer2.0.downsample.1.weight')
    pooled = ', pooling shortcuts' if shortcut is not None and shortcut.ndim == 4 else ''
    return f'ResNet-{depth}{_stem(state)}{pooled}'


def _stem(state: Mapping[str, Tensor]) -> str:
    if all(key in state for key in DEEP_STEM):
        return f' with a deep stem ({_list([len(state[key]) for key in DEEP_STEM])} channels)'
    return ' with a plain 7x7 stem' if 'conv1.weight' in state else ''


def _count(state: Mapping[str, Tensor], stage: str) -> int:
    found = (re.match(rf'{stage}\.(\d+)\.', key) for key in state)
    return len({match[1] for match in found if match})


def _list(numbers: object) -> str:
    return '-'.join(map(str, numbers))  # type: ignore[call-overload]
