"""Learning rates before the steps of given iterations, from the registered schedules and their closed form."""

import numpy as np

from mmseg.engine.schedulers import poly_rate


def run(case):
    for number, item in enumerate(case.meta['items']):
        options = _options(item['schedule'])
        ours = [
            [poly_rate(float(base), int(t), item['max_iters'], **options) for base in case.inputs[f'base_lr{number}']]
            for t in case.inputs[f'iterations{number}']
        ]
        np.testing.assert_allclose(ours, case.arrays[f'lr{number}'], rtol=1e-6)
        if 'lr_exact' in item:
            np.testing.assert_allclose(ours, np.array(item['lr_exact'], np.float64), rtol=1e-9)


def _options(schedule):
    """Our names for an ``lr_config`` of the original schema."""
    schedule = dict(schedule)
    warmup = schedule.pop('warmup', None)
    options = {'power': schedule.pop('power', 1.0), 'min_lr': schedule.pop('min_lr', 0.0)}
    policy = schedule.pop('policy', 'poly')
    assert policy in ('poly', 'fixed'), policy
    if policy == 'fixed':
        options = {'power': 0.0, 'min_lr': 0.0}
    if warmup is not None:
        assert warmup == 'linear', warmup
        options['warmup_iters'] = schedule.pop('warmup_iters', 0)
        options['warmup_ratio'] = schedule.pop('warmup_ratio', 0.1)
    return options
