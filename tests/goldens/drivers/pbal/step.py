"""One optimizer step of a method on a case's two batches, and all that it left."""

from __future__ import annotations

from typing import Any

import torch

from mmseg.engine.optimizer_groups import build_optim_wrapper
from mmseg.structures import DomainBatch, TrainBatch
from tests.goldens.drivers.pbal import networks
from tests.goldens.harness import Case


def run_step(case: Case, method: Any) -> dict[str, torch.Tensor]:
    """Gradients, update, running statistics; checks them all and returns the log."""
    options, student = case.meta['options'], method.model
    networks.set_mode(method, options)
    sgd = {
        'optimizer': {
            'type': 'SGD',
            'lr': options['lr_backbone'],
            'momentum': options['momentum'],
            'weight_decay': options['weight_decay'],
        },
        'paramwise_cfg': {'custom_keys': {'decode_head': {'lr_mult': options['lr_head'] / options['lr_backbone']}}},
    }
    adam = {'optimizer': {'type': 'Adam', 'lr': 1e-4, 'betas': (0.9, 0.99)}}
    names = method.optimizer_modules()
    wrapper = build_optim_wrapper(method, {'main': sgd, 'discriminator': adam} if len(names) > 1 else sgd)
    labels = case.tensor('tgt_lbl') if 'tgt_lbl' in case.inputs else None
    source = DomainBatch(case.tensor('src_img'), case.tensor('src_lbl'))
    before = {key: value.clone() for key, value in student.state_dict().items()}
    log = method.compute_gradients(TrainBatch(source, DomainBatch(case.tensor('tgt_img'), labels)))
    _check(case, 'grad_net', {name: value.grad for name, value in student.named_parameters()})
    method.update(wrapper)
    changes = {key: value - before[key] for key, value in student.state_dict().items() if value.is_floating_point()}
    for table in ('delta_net', 'delta_bn'):
        _check(case, table, changes)
    return log


def _check(case: Case, table: str, ours: dict[str, torch.Tensor]) -> None:
    if table in case.meta['outputs']:
        networks.check_table(case, table, networks.by_original_name(case, table, ours))
