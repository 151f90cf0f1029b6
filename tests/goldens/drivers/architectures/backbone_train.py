"""Encoders in training mode: features, gradients of a fixed linear form of them, running statistics."""

from __future__ import annotations

from tests.goldens.drivers.architectures import compare
from tests.goldens.drivers.architectures.network import build
from tests.goldens.harness import Case


def run(case: Case) -> None:
    network = build(case).train()
    images = case.tensor('img').requires_grad_()
    features = network(images)
    loss = sum((feature * case.tensor(f'cotangent{i}')).mean() for i, feature in enumerate(features))
    loss.backward()
    ours = {f'feat{i}': feature for i, feature in enumerate(features)} | {'loss': loss, 'img_grad': images.grad}
    compare.outputs(case, ours)
    compare.gradients(case, network)
    if 'buffers' in case.meta:
        compare.buffers(case, network)
