"""Updates of prototypes and counts."""

import numpy as np

from mmseg.models.uda.components.prototypes import PrototypeBank
from tests.goldens.drivers.proca import networks

UPDATES = ('feat', 'labels')


def run(case):
    meta, options = case.meta, case.meta['options']
    bank = bank_of(options, options['num_classes'], options['feature_num'])
    bank.set(case.tensor('proto0'), case.tensor('amount0'))
    reference = case.tensor('amount0').numpy()
    for i, stored in enumerate(case.arrays['proto']):
        before = bank.counts.clone()
        bank.update(case.tensor(f'feat{i}'), case.tensor(f'labels{i}'))
        networks.close(f'proto {i}', bank.vectors, stored, meta['rtol'], meta['atol_rel_to_absmax'])
        reference = original_counts(options, reference, (bank.counts - before).numpy())
        np.testing.assert_array_equal(reference, case.arrays['amount'][i])


def bank_of(options, num_classes, channels):
    """The bank that the original's options describe, in float64."""
    return PrototypeBank(num_classes, channels, rule_of(options)).double()


def rule_of(options):
    """Our rule for the original's options."""
    if options.get('USE_MOMENTUM', options.get('use_momentum')):
        return {'type': 'momentum', 'momentum': options.get('MOMENTUM', options.get('momentum', 0.9))}
    return 'pixel_mean'


def original_counts(options, before, new):
    """What the original counts; in momentum mode, by mistake, all pixels of the batch for each class of it."""
    if rule_of(options) == 'pixel_mean':
        return before + new
    return before + np.where(new > 0, new.sum(), 0)
