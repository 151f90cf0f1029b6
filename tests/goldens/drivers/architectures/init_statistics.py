"""Initialisation without pretrained weights: every parameter's distribution."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor

from mmseg.registry import MODELS
from tests.goldens.harness import Case

FEW = 256  # parameters smaller than this say nothing about a distribution
UNIFORM = 1.85  # a uniform distribution reaches 1.73 standard deviations, a normal one with so many draws farther


def run(case: Case) -> None:
    torch.manual_seed(0)
    models = case.meta['models']
    unknown = [name for name, model in models.items() if MODELS.get(model['cfg']['type']) is None]
    for name, model in models.items():
        if name in unknown:
            continue
        network = MODELS.build(copy.deepcopy(model['cfg']))
        network.init_weights()
        ours = dict(network.named_parameters())
        assert set(ours) == set(model['params']), (
            f'{case.id} {name}: parameters differ: {sorted(set(ours) ^ set(model["params"]))[:8]}'
        )
        for key, facts in model['params'].items():
            _compare(f'{case.id} {name} {key}', ours[key].detach().double(), facts)
    assert not unknown, f'{case.id}: networks that are not built yet: {unknown}'


def _compare(title: str, ours: Tensor, facts: list) -> None:
    shape, mean, std, low, high = facts
    assert list(ours.shape) == shape, f'{title}: shape {list(ours.shape)}, expected {shape}'
    if std == 0:
        assert bool((ours == mean).all()), f'{title}: expected the constant {mean}'
        return
    count = ours.numel()
    if count < FEW:
        return
    # Both sides are one draw, hence twice the variance; six standard deviations.
    slack = 6 * math.sqrt(2 / count)
    assert abs(float(ours.mean()) - mean) <= slack * std, f'{title}: mean {float(ours.mean()):.3g}, expected {mean}'
    ratio = float(ours.std()) / std
    assert abs(ratio - 1) <= slack, f'{title}: std {float(ours.std()):.3g}, expected {std}'
    reach = float((ours - ours.mean()).abs().max() / ours.std())
    expected = max(high - mean, mean - low) / std
    assert (reach < UNIFORM) == (expected < UNIFORM), f'{title}: reaches {reach:.3g} std, expected {expected:.3g}'
