"""Whole networks: predictions in evaluation; features, losses and gradients in training."""

from __future__ import annotations

import torch

from tests.goldens.drivers.architectures import compare
from tests.goldens.drivers.architectures.network import build
from tests.goldens.harness import Case


def run(case: Case) -> None:
    ours = {}
    images = case.tensor('img')
    if case.meta['do_eval']:
        network = build(case).eval()
        with torch.no_grad():
            logits = network.encode_decode(images)
            ours['eval_head_logits'] = network(images).logits['main']
        ours |= {'eval_logits': logits, 'eval_argmax': logits.argmax(dim=1)}
    if case.meta['do_train']:
        network = build(case).train()
        out = network(images)
        weight = case.tensor('weight') if 'weight' in case.inputs else None
        losses = network.losses(out, case.tensor('label').squeeze(1), weight)
        assert {*losses, 'loss'} == set(case.meta['log_keys']), f'{case.id}: loss keys {sorted(losses)}'
        total = sum(value.mean() for key, value in losses.items() if 'loss' in key)
        total.backward()
        ours |= {f'train_feat{i}': feature for i, feature in enumerate(out.features)}
        ours |= {f'train.{key}': value for key, value in losses.items()} | {'train.loss': total}
        compare.gradients(case, network)
        if 'buffers' in case.meta:
            compare.buffers(case, network)
    compare.outputs(case, ours)
