"""ProDA's network in eval mode, and which of its parameters learn ten times as fast."""

import torch

from mmseg.engine.optimizer_groups import parameter_groups
from tests.goldens.drivers.pbal import networks, proda_networks


def run(case):
    network = proda_networks.build(case, 'net', dropout=0.1).eval()
    with torch.no_grad():
        out = network(case.tensor('image'))
    networks.check(case, 'feat', out.embedding)
    networks.check(case, 'out', out.logits['main'])
    expected = case.meta.get('param_groups')
    if expected:
        fast = {'decode_head': {'lr_mult': 10.0}, 'neck': {'lr_mult': 10.0}}
        groups = parameter_groups(network.named_parameters(), 1.0, custom_keys=fast)
        counted = {f'{group["lr"]:g}x_distinct': len(group['params']) for group in groups}
        assert counted == {name: expected[name] for name in counted}
        assert sum(counted.values()) == expected['all_parameters']
