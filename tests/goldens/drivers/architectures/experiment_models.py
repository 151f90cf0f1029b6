"""Published architecture names -> model configs, numbers of parameters, and the optimizer's groups."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.config import Config

from experiments import EXPERIMENTS
from mmseg.engine.legacy_config import upgrade
from mmseg.evaluation.evaluate import build_networks
from mmseg.experiments import training_name
from tests.experiments.resolved import resolved_config
from tests.goldens.drivers.self_training.experiments import comparable, first_difference
from tests.goldens.harness import Case


def run(case: Case) -> None:
    for entry in case.meta['entries']:
        trainings = {training_name(training): training for training in EXPERIMENTS[entry['exp']]()}
        assert entry['name'] in trainings, f'experiment {entry["exp"]} has no {entry["name"]}'
        check(entry, resolved_config(trainings[entry['name']]))


def check(entry: dict[str, Any], ours: Config) -> None:
    for key, theirs in (('name_uda', 'uda'), ('name_encoder', 'encoder'), ('name_decoder', 'decoder')):
        assert ours[key] == entry[theirs], entry['name']
    # How images are normalised is a part of the model here, of the data there.
    found = {key: value for key, value in comparable(ours.model).items() if key != 'data_preprocessor'}
    expected = comparable(upgrade(Config({'model': entry['model']})).model)
    assert found == expected, f'{entry["name"]}: {first_difference(found, expected, "model")}'
    main = ours.optim_wrapper.get('main', ours.optim_wrapper)
    assert comparable(main.get('paramwise_cfg') or {'custom_keys': {}}) == entry['paramwise_cfg'], entry['name']

    with torch.device('meta'):
        network = build_networks(ours)[1]
    counted = {
        'total': _parameters(network),
        'backbone': _parameters(network.backbone),
        'decode_head': _parameters(network.decode_head),
        'state_keys': len(network.state_dict()),
    }
    assert counted == entry['parameters'], entry['name']


def _parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
