"""Decode heads alone: logits in evaluation, losses and gradients in training."""

from __future__ import annotations

import torch

from tests.goldens.drivers.architectures import compare
from tests.goldens.drivers.architectures.network import build
from tests.goldens.harness import Case


def run(case: Case) -> None:
    count = sum(name.startswith('feat') for name in case.inputs)
    features = [case.tensor(f'feat{i}') for i in range(count)]
    labels = case.tensor('label').squeeze(1)
    weight = case.tensor('weight') if 'weight' in case.inputs else None

    with torch.no_grad():
        ours = {'eval_logits': build(case).eval()(features).logits['main']}

    head = build(case).train()
    for feature in features:
        feature.requires_grad_()
    losses = head.losses(head(features).logits, labels, weight)
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    ours |= {f'train.{key}': value for key, value in losses.items()}
    ours |= {f'feat{i}_grad': feature.grad for i, feature in enumerate(features) if feature.grad is not None}

    expected = {name for name in case.meta['outputs'] if name.startswith(('train.', 'feat'))}
    computed = ours.keys() - {'eval_logits'}
    assert computed == expected, f'{case.id}: losses and input gradients {sorted(computed ^ expected)} differ'
    compare.outputs(case, ours)
    compare.gradients(case, head)
    if 'buffers' in case.meta:
        compare.buffers(case, head)
