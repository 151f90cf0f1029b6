"""Our segmentor for a case of part ``ddb``, and how numbers are compared with the case's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from tests.goldens.harness import Case, sampled_like

BLOCKS = {6: 50, 23: 101, 36: 152}  # blocks of the third stage -> depth
BN = {'type': 'BN', 'requires_grad': True}
GREY_LEVELS = {'mean': (123.675, 116.28, 103.53), 'std': (58.395, 57.12, 57.375)}


def model_config(shapes: Mapping[str, Sequence[int]], spec: Mapping[str, Any]) -> dict[str, Any]:
    """Config of the network that has entries of these shapes."""
    blocks = {key.split('.')[2] for key in shapes if key.startswith('backbone.layer3.')}
    num_classes, channels = shapes['decode_head.conv_seg.weight'][:2]
    return {
        'type': 'EncoderDecoder',
        'backbone': {
            'type': 'ResNetV1c',
            'depth': spec.get('depth', BLOCKS[len(blocks)]),
            'strides': (1, 2, 1, 1),
            'dilations': (1, 1, 2, 4),
            'contract_dilation': True,
            'norm_cfg': BN,
            'norm_eval': False,
        },
        'decode_head': {
            'type': 'DLV2AdapterHead',
            'in_channels': shapes['decode_head.aspp_modules.0.conv.weight'][1],
            'in_index': 3,
            'channels': channels,
            'num_classes': num_classes,
            'dilations': spec.get('dilations', (6, 12)),
            'norm_cfg': BN,
            # The cases were run without dropout.
            'dropout_ratio': 0,
        },
        'test_cfg': {'mode': 'whole'},
    }


def check_logged(case: Case, ours: Mapping[str, torch.Tensor], names: Mapping[str, str]) -> None:
    """Losses and accuracies; ``names``: prefix of the case -> ours. The case's ``loss`` repeats one of them."""
    tolerance = case.meta['tolerance']['float64']['loss_rtol']
    for name, expected in case.meta['log'].items():
        if name == 'loss':
            continue
        prefix = max((prefix for prefix in names if name.startswith(prefix)), key=len)
        own = names[prefix] + name.removeprefix(prefix).replace('loss_ce', 'loss_seg')
        np.testing.assert_allclose(float(ours[own]), expected, rtol=tolerance, atol=1e-9, err_msg=name)


def check_table(case: Case, entry: str, ours: Mapping[str, torch.Tensor], rtol: float) -> None:
    """Rows of norm, sum and perhaps first values, each relative to its norm (the sum to a multiple of it)."""
    table = case.meta[entry]
    missing = set(table) - set(ours)
    assert not missing, f'{entry}: {sorted(missing)[:3]} are not there'
    for name, (norm, total, *first) in table.items():
        flat = ours[name].detach().double().flatten()
        values = [float(flat.norm()), float(flat.sum()), *flat[: len(first[0]) if first else 0].tolist()]
        expected = [norm, total, *(first[0] if first else [])]
        scale = np.full(len(expected), norm + 1e-12)
        scale[1] *= np.sqrt(flat.numel())
        error = (np.abs(np.array(values) - expected) / scale).max()
        assert error <= rtol, f'{entry} {name}: {error:.1e} of the norm, limit {rtol}'


def check_strided(case: Case, key: str, ours: torch.Tensor, atol: float) -> None:
    """A stored map with every so-manieth channel, row and column of the full one; ``atol`` of its largest value."""
    stored = case.arrays[key].astype(np.float64)
    sampled = sampled_like(ours.detach().double().numpy(), stored)
    np.testing.assert_allclose(sampled, stored, rtol=0, atol=atol * np.abs(stored).max(), err_msg=key)


def gradients(network: nn.Module) -> dict[str, torch.Tensor]:
    """Gradients of all parameters that have one."""
    return {name: value.grad for name, value in network.named_parameters() if value.grad is not None}
