"""How results in float64 are compared with the cases of part ``pmdav2`` (specification, section 13)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from tests.goldens.harness import Case

VALUES = 2e-6  # of the largest value of a tensor, or of a scalar
ROWS = 1e-6  # of the norm, for rows of gradients and buffers
COLUMNS = 4  # first values in a row
NOTHING = 1e-12  # what counts as zero


def outputs(case: Case, ours: Mapping[str, Tensor]) -> None:
    """Compare named tensors with all outputs of the case."""
    expected = case.meta['outputs']
    assert not expected.keys() - ours.keys(), f'{case.id}: not computed: {sorted(expected.keys() - ours.keys())}'
    for name, facts in expected.items():
        title, tensor, stored = f'{case.id} {name}', ours[name].detach(), case.arrays[name].flatten()
        assert list(tensor.shape) == facts['shape'], f'{title}: shape {list(tensor.shape)}, expected {facts["shape"]}'
        step = re.search(r'::(\d+)', facts['stored'])
        sampled = tensor.flatten()[:: int(step[1]) if step else 1].numpy()
        assert sampled.shape == stored.shape, f'{title}: {sampled.shape} sampled entries, {stored.shape} stored'
        if stored.dtype.kind in 'iu':
            agree = np.mean(sampled == stored)
            assert agree >= facts['min_agreement'], f'{title}: {agree:.4%} of the labels agree'
        else:
            error = np.abs(sampled - stored.astype(np.float64)).max() / max(facts['absmax'], NOTHING)
            assert error <= VALUES, f'{title}: off by {error:.1e} of the largest value'


def scalars(case: Case, ours: Mapping[str, Tensor]) -> None:
    """Compare losses, accuracies and counters."""
    for name, facts in case.meta['scalars'].items():
        value, expected = float(ours[name].detach()), facts['value']
        if np.isnan(expected):
            # The original's mean over no position at all; here it is 0.
            assert np.isfinite(value), f'{case.id} {name}: {value}'
            continue
        assert abs(value - expected) <= VALUES * abs(expected), f'{case.id} {name}: {value}, expected {expected}'


def rows(case: Case, ours: Mapping[str, Tensor | None]) -> None:
    """Compare the table of gradients and buffers: norm, sum and first values.

    Args:
        case: with ``meta.gradients``.
        ours: by the table's names.
    """
    zero = set(case.meta.get('analytically_zero_gradients', ()))
    largest = max((row[0] for name, row in case.meta['gradients'].items() if ':' not in name), default=1.0)
    for name, row in case.meta['gradients'].items():
        assert ours.get(name) is not None, f'{case.id}: no gradient or buffer {name}'
        flat = ours[name].detach().double().flatten()
        norm, total, *first = row
        if name in zero:
            assert float(flat.norm()) <= 1e-10 * largest, f'{case.id} {name}: {float(flat.norm()):.1e}, expected zero'
            continue
        values = torch.zeros(2 + COLUMNS, dtype=torch.float64)
        values[0], values[1] = flat.norm(), flat.sum()
        values[2 : 2 + min(COLUMNS, len(flat))] = flat[:COLUMNS]
        norm_or_nothing = max(norm, 1e-10 * largest, NOTHING)
        scale = np.full(2 + COLUMNS, norm_or_nothing)
        scale[1] *= np.sqrt(len(flat))
        error = np.abs(values.numpy() - np.array([norm, total, *first])) / scale
        assert error.max() <= ROWS, f'{case.id} {name}: off by {error.max():.1e} of the norm'


def named_gradients(network: nn.Module, prefix: str = '') -> dict[str, Tensor | None]:
    """Gradients of the parameters by name."""
    return {prefix + name: parameter.grad for name, parameter in network.named_parameters()}


def named_buffers(network: nn.Module, prefix: str = 'buffer:') -> dict[str, Tensor]:
    """Buffers, under the names of the cases."""
    return {prefix + name: buffer for name, buffer in network.named_buffers()}
