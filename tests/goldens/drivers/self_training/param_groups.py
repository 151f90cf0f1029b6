"""Learning rate and weight decay of every parameter of the student; groups may be merged, copies are left out."""

import numpy as np

from mmseg.engine.legacy_config import upgrade
from mmseg.engine.optimizer_groups import build_optim_wrapper, named_parameters
from mmseg.models.uda import build_method


def run(case):
    meta = case.meta
    names = meta['group_names']
    for number, item in enumerate(meta['items']):
        cfg = upgrade({'model': meta['model'], 'optimizer': item['optimizer']})
        # The student's parameters are the same under every method; the copies of some are in no optimizer of ours.
        method = build_method({'model': {**cfg['model'], 'pretrained': None}})
        wrapper = build_optim_wrapper(method, cfg['optim_wrapper'])
        ours = {}
        optimizer = wrapper.optimizer
        for group, members in zip(optimizer.param_groups, named_parameters(method, optimizer), strict=True):
            ours |= dict.fromkeys(members, (group['lr'], group['weight_decay']))
        recorded = zip(names, case.arrays[f'lr{number}'], case.arrays[f'wd{number}'], strict=True)
        expected = {name: (lr, decay) for name, lr, decay in recorded if name.startswith('model.')}
        # What takes part in nothing is frozen here instead of being handed to the optimizer.
        frozen = {name for name, parameter in method.named_parameters() if not parameter.requires_grad}
        assert set(ours) == set(expected) - frozen, sorted(set(ours) ^ set(expected))[:5]
        for name in ours:
            values = expected[name]
            np.testing.assert_allclose(ours[name], values, rtol=1e-6, err_msg=name)
        assert len(optimizer.param_groups) == len(set(ours.values()))
