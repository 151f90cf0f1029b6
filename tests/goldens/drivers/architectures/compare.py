"""How results are compared with the cases of part ``architectures`` (specification, section 14)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor, nn

from tests.goldens.harness import Case, relative_error, statistics

SUMMARY = 1e-4  # relative error of the mean, std and absmax in the meta, which are rounded to six digits
NOISE = 1e-6  # gradients smaller than this share of the largest are rounding noise of the reference


def outputs(case: Case, ours: Mapping[str, Tensor], precision: str = 'float64') -> None:
    """Compare named tensors with all outputs of the case.

    Args:
        case: has ``meta.outputs`` and one stored array per output.
        ours: at least the outputs of the case; scalars may have shape ().
        precision: ``float64`` or ``float32``, in which our run was done; selects the tolerance.
    """
    expected = case.meta['outputs']
    missing = expected.keys() - ours.keys()
    assert not missing, f'{case.id}: outputs not computed: {sorted(missing)}'
    for name, facts in expected.items():
        _output(f'{case.id} {name}', ours[name].detach(), case.arrays[name], facts, case.meta['tolerance'], precision)


def _output(
    title: str, ours: Tensor, stored: np.ndarray, facts: dict[str, Any], tolerance: dict[str, Any], precision: str
) -> None:
    ours = ours.reshape(1) if ours.ndim == 0 else ours
    assert list(ours.shape) == facts['shape'], f'{title}: shape {list(ours.shape)}, expected {facts["shape"]}'
    sampled = ours.flatten()[:: facts['step']].numpy()
    stored = stored.flatten()
    assert sampled.shape == stored.shape, f'{title}: {sampled.shape} sampled entries, {stored.shape} stored'
    if stored.dtype.kind in 'iu':
        assert not ours.is_floating_point(), f'{title}: {ours.dtype}, expected integers'
        disagree = float(np.mean(sampled.astype(np.int64) != stored.astype(np.int64)))
        assert disagree <= tolerance[precision]['argmax_disagree'], f'{title}: {disagree:.2%} of the labels differ'
        return
    limit = facts['tol32'] if precision == 'float32' else tolerance[precision]['outputs']
    error = relative_error(sampled, stored)
    assert error <= limit, f'{title}: relative error {error:.2e}, limit {limit:.0e}'
    full = ours.double()
    summary = {'mean': full.mean(), 'std': full.std(unbiased=False), 'absmax': full.abs().max()}
    for key, value in summary.items():
        difference = abs(float(value) - facts[key])
        assert difference <= max(SUMMARY, limit) * facts['absmax'] + 1e-12, (
            f'{title}: {key} {float(value):.6g}, expected {facts[key]:.6g}'
        )


def gradients(case: Case, network: nn.Module, precision: str = 'float64') -> None:
    """Compare the gradients of all parameters with the case's table."""
    table = case.meta['grads']
    ours = {name: parameter.grad for name, parameter in network.named_parameters()}
    with_gradient = {name for name, gradient in ours.items() if gradient is not None}
    assert with_gradient == set(table['names']), (
        f'{case.id}: parameters with gradient differ: {sorted(with_gradient ^ set(table["names"]))[:8]}'
    )
    assert set(ours) - with_gradient == set(table['without_grad']), f'{case.id}: parameters without gradient differ'
    _rows(f'{case.id} gradient', ours, table, case.arrays['grads'], case.meta['tolerance'][precision]['grads'])


def buffers(case: Case, network: nn.Module, precision: str = 'float64') -> None:
    """Compare the running statistics of all batch norms with the case's table."""
    table = case.meta['buffers']
    limit = case.meta['tolerance'][precision]['buffers']
    _rows(f'{case.id} buffer', dict(network.named_buffers()), table, case.arrays['buffers'], limit)


def _rows(title: str, ours: Mapping[str, Tensor], table: dict[str, Any], stored: np.ndarray, limit: float) -> None:
    largest = stored[:, 0].max()
    numels = table.get('numel') or [ours[name].numel() for name in table['names']]
    for name, numel, row in zip(table['names'], numels, stored.astype(np.float64), strict=True):
        assert ours[name].numel() == numel, f'{title} {name}: {ours[name].numel()} entries, expected {numel}'
        values = statistics(ours[name])
        norm, _, absmax = row[:3]
        if norm <= NOISE * largest:
            assert values[0] <= 10 * NOISE * largest, f'{title} {name}: norm {values[0]:.2e}, expected rounding noise'
            continue
        scale = np.array([norm, norm * np.sqrt(numel)] + [absmax] * 5)
        error = np.abs(values - row) / scale
        assert error.max() <= limit, f'{title} {name}: row error {error.max():.2e}, limit {limit:.0e}'
