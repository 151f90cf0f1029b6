"""A step of stage 2: labels, pseudo-labels, and the contrast in both domains."""

from mmseg.models.uda import PBALSelfTraining
from tests.goldens.drivers.pbal import networks
from tests.goldens.drivers.pbal.step import run_step


def run(case):
    options = case.meta['options']
    weights = options['weights']
    assert weights['source_ce'] == 1, 'the source loss has no weight here but the one of the head'
    method = PBALSelfTraining(
        networks.build(case, options['dropout']),
        contrast={'temperature': options['temperature'], 'weight': weights['contrast']},
        target_weight=weights['target_ce'],
    ).double()
    log = run_step(case, method)
    contrasts = {
        'contrast_source': log['src.loss_contrast'] / weights['contrast'],
        'contrast_target': log['trg.loss_contrast'] / weights['contrast'],
    }
    ours = {
        **contrasts,
        'loss_source_ce': log['decode.loss_seg'],
        'loss_target_ce': log['trg.decode.loss_seg'] / weights['target_ce'],
        'loss_contrast': sum(contrasts.values()),
        'loss_total': sum(value for name, value in log.items() if 'loss' in name),
    }
    for name in case.meta['outputs']:
        if name.startswith(('loss_', 'contrast_')):
            networks.check(case, name, ours[name])
