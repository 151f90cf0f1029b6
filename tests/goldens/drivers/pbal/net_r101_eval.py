"""The network's forward in eval mode, its parameters and their learning rates."""

import torch

from mmseg.engine.optimizer_groups import parameter_groups
from tests.goldens.drivers.pbal import networks


def run(case):
    network = networks.build(case, dropout=0.1).eval()
    with torch.no_grad():
        out = network(case.tensor('image'))
        aspp = network.decode_head.aspp(out.features[-1])
    ours = {
        'feat': out.embedding,
        'out': out.logits['main'],
        'aspp': aspp,
        'backbone_c5': out.features[-1],
        'backbone_c2': out.features[0],
    }
    for name in case.meta['outputs']:
        networks.check(case, name, ours[name])
    groups = parameter_groups(network.named_parameters(), 1.0, custom_keys={'decode_head': {'lr_mult': 10.0}})
    counted = {
        f'{group["lr"]:g}x': (len(group['params']), sum(parameter.numel() for parameter in group['params']))
        for group in groups
    }
    expected = case.meta.get('param_groups', {})
    assert not expected or counted == {name: (each['count'], each['numel']) for name, each in expected.items()}
