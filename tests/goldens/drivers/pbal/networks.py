"""PBAL's network, discriminator and step for a case, filled by the original's keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from mmseg.engine.legacy_checkpoint import load_strictly, state_dict_of
from mmseg.engine.legacy_networks import PBAL, our_name
from mmseg.models.segmentors import EncoderDecoder
from tests.goldens.harness import Case, state_tensors


def build(case: Case, dropout: float = 0.0) -> EncoderDecoder:
    """The case's network in float64 with the case's weights, which must fit exactly."""
    state = state_tensors(case.inputs['net'])
    network = EncoderDecoder(
        {
            'type': 'ResNet',
            'depth': 101,
            'strides': (1, 2, 2, 1),
            'dilations': (1, 1, 1, 2),
            'multi_grid': (2, 4, 8),
            'out_indices': (0, 3),
        },
        {
            'type': 'PBALDeepLabV3PlusHead',
            'in_channels': (256, 2048),
            'num_classes': len(state['decoder.head.weight']),
            'dropout_ratio': dropout,
            'loss_decode': {'type': 'CrossEntropyLoss', 'avg_non_ignore': True},
        },
    ).double()
    # As the original saves it.
    load_strictly(network, state_dict_of({'DeepLab': {'model_state': state}, 'iter': 1, 'best_iou': 0.0}))
    return network


def name_in_segmentor(name: str) -> str:
    """A key of the original's network as a key of the segmentor."""
    return our_name(name, 'DeepLab', PBAL['DeepLab'])


def check(case: Case, name: str, ours: torch.Tensor | np.ndarray | float) -> None:
    """One stored output, by its own tolerance in float64."""
    meta, stored = case.meta['outputs'][name], case.arrays[f'out/{name}']
    ours = ours.detach().double().numpy() if isinstance(ours, torch.Tensor) else np.asarray(ours)
    assert list(ours.shape) == list(meta['shape']), f'{name}: shape {ours.shape}, expected {meta["shape"]}'
    if 'stride' in meta:
        ours = ours.reshape(-1)[:: meta['stride']]
    tolerance = meta.get('tolerance')
    if tolerance is None:
        np.testing.assert_array_equal(ours, stored, err_msg=name)
        return
    limits = tolerance.get('float64', tolerance)
    np.testing.assert_allclose(ours, stored, rtol=limits['rtol'], atol=limits.get('atol', 0), err_msg=name)


def check_table(case: Case, table: str, tensors: dict[str, torch.Tensor], norms_only: bool = False) -> None:
    """A stored table of norm, sum and first values of each tensor, by the rule in its meta."""
    meta, stored = case.meta['outputs'][table], case.arrays[f'out/{table}'].astype(np.float64)
    limits = meta['tolerance']['float64']
    for name, expected in zip(meta['names'], stored, strict=True):
        flat = tensors[name].detach().double().flatten()
        row = np.zeros(len(expected))
        row[:2] = flat.norm(), flat.sum()
        first = flat[: len(expected) - 2].numpy()
        row[2 : 2 + len(first)] = first
        norm = max(expected[0], 1e-12)
        error = np.abs(row - expected) / norm
        assert error[0] <= limits['norm_rtol'], f'{table} {name}: norm off by {error[0]:.1e}'
        if norms_only:
            continue
        assert error[1] <= limits['value_rtol'] * np.sqrt(flat.numel()), f'{table} {name}: sum off by {error[1]:.1e}'
        assert error[2:].max() <= limits['value_rtol'], f'{table} {name}: values off by {error[2:].max():.1e}'


def by_original_name(case: Case, table: str, ours: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Our tensors under the names of a table."""
    return {name: ours[name_in_segmentor(name)] for name in case.meta['outputs'][table]['names']}


def set_mode(network: nn.Module, options: dict[str, Any]) -> None:
    """Train mode with the case's mode of batch norms."""
    network.train()
    if options['bn_mode'] == 'eval':
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
