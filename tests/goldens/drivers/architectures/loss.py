"""Losses alone: value, gradient with respect to the logits, accuracy, for each variant of a case."""

from __future__ import annotations

from mmseg.models.losses import accuracy
from mmseg.registry import MODELS
from tests.goldens.drivers.architectures import compare
from tests.goldens.harness import Case

CALL_OPTIONS = ('ignore_index', 'avg_factor', 'reduction_override')


def run(case: Case) -> None:
    ours = {}
    for name, variant in case.meta['variants'].items():
        logits = case.tensor(variant['logit']).requires_grad_()
        labels = case.tensor(variant['label'])
        weight = case.tensor(variant['weight']) if variant.get('weight') else None
        options = {key: variant[key] for key in CALL_OPTIONS if key in variant}
        loss = MODELS.build(variant['loss']).double()(logits, labels, weight=weight, **options)
        loss.sum().backward()
        ours |= {f'{name}.loss': loss, f'{name}.grad': logits.grad, f'{name}.acc': accuracy(logits.detach(), labels)}
    compare.outputs(case, ours)
