"""Learning rates of backbone and head at given iterations, and the optimizer's settings."""

import numpy as np

from mmseg.engine.optimizer_groups import build_optim_wrapper, named_parameters
from mmseg.engine.schedulers import poly_rate
from mmseg.models.uda import build_method
from tests.goldens.drivers.ddb.networks import BN

CURVE = ('max_iters', 'power', 'min_lr', 'warmup_iters', 'warmup_ratio')
DEPTHS = (50, 101)


def run(case):
    meta, wanted = case.meta, case.meta['optimizer']
    curve = {name: meta[name] for name in CURVE}
    ours = [[poly_rate(base, t, **curve) for base in (meta['base_lr'], 10 * meta['base_lr'])]
            for t in case.inputs['iteration'].tolist()]  # fmt: skip
    np.testing.assert_allclose(ours, [row[1:] for row in meta['rows']], rtol=meta['tolerance']['rows']['rtol'])
    np.testing.assert_allclose(ours, case.arrays['lr'], rtol=meta['tolerance']['lr']['rtol'])

    method = network_of(wanted)
    options = {'type': wanted['type'], 'lr': meta['base_lr'], 'betas': wanted['betas'], 'eps': wanted['eps']}
    (decay,) = wanted['weight_decay_all']
    wrapper = build_optim_wrapper(
        method,
        {
            'optimizer': {**options, 'weight_decay': decay},
            'paramwise_cfg': {'custom_keys': {'head': {'lr_mult': 10.0}}},
        },
    )
    groups = wrapper.optimizer.param_groups
    assert {(*group['betas'], group['eps'], group['weight_decay']) for group in groups} == {
        (*wanted['betas'], wanted['eps'], decay)
    }
    rates = {}
    for group, names in zip(groups, named_parameters(method, wrapper.optimizer), strict=True):
        rates |= dict.fromkeys(names, group['lr'])
    assert len(rates) == wanted['groups']
    faster = {name for name, rate in rates.items() if np.isclose(rate, 10 * meta['base_lr'])}
    assert bare(faster) == bare(wanted['head_parameters_with_10x'])


def network_of(wanted):
    """A method with the case's head, and an encoder with which it has as many parameters as the case."""
    branches = {name.partition('aspp_modules.')[2].partition('.')[0] for name in wanted['head_parameters_with_10x']}
    count = len(branches - {''})
    methods = {depth: build_method({'model': model(depth, range(6, 6 * count + 1, 6))}) for depth in DEPTHS}
    sizes = {depth: len(list(method.parameters())) for depth, method in methods.items()}
    found = [depth for depth, size in sizes.items() if size == wanted['groups']]
    assert found, f'{wanted["groups"]} parameters, but ResNets have {sizes} with {count} branches'
    return methods[found[0]]


def bare(names):
    """Names within the network, whatever the method calls it."""
    return {name.removeprefix('module.').removeprefix('stu_').removeprefix('model.') for name in names}


def model(depth, dilations):
    """The published network; the case says how many parameters it has, not how deep it is."""
    return {
        'type': 'EncoderDecoder',
        'backbone': {'type': 'ResNetV1c', 'depth': depth, 'norm_cfg': BN},
        'decode_head': {
            'type': 'DLV2AdapterHead',
            'in_channels': 2048,
            'channels': 256,
            'dilations': tuple(dilations),
            'num_classes': 19,
            'norm_cfg': BN,
        },
    }
