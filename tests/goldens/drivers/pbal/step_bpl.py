"""A step of stage 1: source labels, adversary, transport in both directions."""

from mmseg.models.uda import PBALBidirectional
from tests.goldens.drivers.pbal import networks
from tests.goldens.drivers.pbal.step import run_step
from tests.goldens.harness import state_tensors


def run(case):
    options = case.meta['options']
    weights = options['weights']
    adversarial = weights['adv'] if options['adversarial'] else 0.0
    method = PBALBidirectional(
        networks.build(case, options['dropout']),
        adversarial_weight={'main': adversarial},
        transport={'per_pixel': weights['transport'], 'per_class': weights['transport']},
    ).double()
    if method.model_D:
        method.model_D['main'].load_state_dict(state_tensors(case.inputs['discriminator']))
    log = run_step(case, method)
    ours = {
        'loss_source_ce': log['decode.loss_seg'],
        'per_pixel_term': log['trg.loss_transport_pixel'] / weights['transport'],
        'per_class_term': log['trg.loss_transport_class'] / weights['transport'],
    }
    ours['loss_transport'] = ours['per_pixel_term'] + ours['per_class_term']
    ours['loss_total'] = ours['loss_source_ce'] + weights['transport'] * ours['loss_transport']
    if method.model_D:
        ours['loss_adv'] = log['G_trg.loss.main'] / adversarial
        ours['loss_D'] = log['D_src.loss.main'] + log['D_trg.loss.main']
        ours['loss_total'] = ours['loss_total'] + log['G_trg.loss.main']
        gradients = {name: value.grad for name, value in method.model_D['main'].named_parameters()}
        networks.check_table(case, 'grad_D', gradients)
    for name in ('loss_adv', 'loss_D'):
        ours.setdefault(name, ours['loss_total'].new_zeros(()))
    for name in case.meta['outputs']:
        if name.startswith('loss_') or name.endswith('_term'):
            networks.check(case, name, ours[name])
