"""Names and shapes of the published network, its size, and what each parameter's learning rate is."""

from __future__ import annotations

import copy

import torch

from mmseg.engine.legacy_config import upgrade
from mmseg.engine.optimizer_groups import build_optim_wrapper, named_parameters
from mmseg.models.uda import build_method
from tests.goldens.harness import Case


def run(case: Case) -> None:
    meta = case.meta
    cfg = upgrade({'model': copy.deepcopy(meta['model']), 'optimizer': meta['optimizer']})
    with torch.device('meta'):
        method = build_method(cfg)
    student = method.student
    assert {key: list(value.shape) for key, value in student.state_dict().items()} == meta['state']
    assert sum(parameter.numel() for parameter in student.parameters()) == meta['parameters']
    counts = {'num_keys': len(meta['state']), 'num_parameters': meta['parameters']}
    assert {name: int(case.arrays[name]) for name in counts} == counts
    for part, count in meta['parameters_by_part'].items():
        assert sum(parameter.numel() for parameter in student.get_submodule(part).parameters()) == count, part
    optimizer = build_optim_wrapper(method, cfg['optim_wrapper']).optimizer
    ours = {}
    for group, names in zip(optimizer.param_groups, named_parameters(method, optimizer), strict=True):
        key = f'{group["lr"]:g}/{group["weight_decay"]:g}'
        ours[key] = sorted(name.removeprefix('model.') for name in names)
    assert ours == {key: sorted(names) for key, names in meta['groups'].items()}
