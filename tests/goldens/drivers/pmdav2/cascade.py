"""The cascade: every intermediate in evaluation; losses, gradients and running statistics in training."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tests.goldens.drivers.pmdav2 import compare, networks
from tests.goldens.harness import Case


def run(case: Case) -> None:
    network = networks.segmentor(case)
    if 'gt' in case.inputs:
        _train(case, network.train())
    else:
        _evaluate(case, network)


@torch.no_grad()
def _evaluate(case: Case, network: Any) -> None:
    ours: dict[str, Tensor] = {}
    for index, head in enumerate(network.decode_head):
        head.register_forward_hook(_keeper(ours, f'logits_head{index}', lambda out: out.logits['main']))
        if index:
            head.ms.register_forward_hook(_keeper(ours, f'context_features_{index}'))
            head.pm.register_forward_hook(_keeper(ours, f'matched_{index}', argument=f'prototypes_{index}'))
    images = case.tensor('img')
    logits = network.encode_decode(images)
    features = network.extract_feat(images)
    compare.outputs(case, {**ours, 'encode_decode': logits, 'argmax': logits.argmax(dim=1)})
    compare.rows(case, {f'feat{i}': feature for i, feature in enumerate(features)})


def _keeper(kept: dict[str, Tensor], name: str, select: Any = lambda out: out, argument: str | None = None) -> Any:
    def keep(module: Any, inputs: Any, out: Any) -> None:
        kept[name] = select(out)
        if argument:
            kept[argument] = inputs[1]

    return keep


def _train(case: Case, network: Any) -> None:
    weight = case.tensor('weight') if 'weight' in case.inputs else None
    losses = network.losses(network(case.tensor('img')), case.tensor('gt')[:, 0], weight)
    assert list(losses) == case.meta['loss_keys'], f'{case.id}: loss keys {list(losses)}'
    total = sum(value for key, value in losses.items() if 'loss' in key)
    *earlier, _ = network.decode_head
    named = {f'{k}.{name}': value for k, head in enumerate(earlier) for name, value in head.named_parameters()}
    last = losses[f'decode_{len(earlier)}.loss_seg']
    alone = torch.autograd.grad(last, list(named.values()), retain_graph=True, allow_unused=True)
    total.backward()
    of_last = {f'only_last_loss:decode_head.{name}': grad for name, grad in zip(named, alone, strict=True)}
    buffers = compare.named_buffers(network)
    compare.scalars(case, {**losses, 'total': total, **buffers})
    compare.rows(case, {**compare.named_gradients(network), **of_last, **buffers})
