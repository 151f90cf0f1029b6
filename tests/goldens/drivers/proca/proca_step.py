"""Whole adaptation steps: networks, losses, all gradients, the state after the optimizer."""

import numpy as np

from mmseg.engine.optimizer_groups import build_optim_wrapper
from mmseg.engine.schedulers import Poly
from mmseg.models.resize import resize_labels
from mmseg.structures import DomainBatch, TrainBatch
from tests.goldens.drivers.proca import networks
from tests.goldens.drivers.proca.proca_loss import Watch, check_losses, method_of

FIRST = 'first_grad_conv2d_list_0'
STRIDE = 8  # of the features


def run(case):
    method = method_of(case, networks.build(case, case.meta['options']['LAMBDA_LOV'])).train()
    steps = case.meta['inputs']['iterations']
    differing = 0

    def step(i):
        nonlocal differing
        watch = Watch(method, case.meta['options'])
        source = DomainBatch(case.tensor(f'src{i}'), case.tensor(f'label{i}'))
        small = resize_labels(source.labels, [-(-side // STRIDE) for side in source.labels.shape[1:]])
        np.testing.assert_array_equal(small.flatten(), case.arrays[f'src_mask{i}'])
        log = method.compute_gradients(TrainBatch(source, DomainBatch(case.tensor(f'tgt{i}'))))
        check_losses(case, i, log)
        disagree = watch.target_labels.flatten().numpy() != case.arrays[f'tgt_mask{i}']
        assert disagree.mean() <= 0.02, f'{disagree.mean():.2%} of the target labels differ'
        differing += int(disagree.sum())
        watch.check(case, i, differing)

    train(case, method, steps, step)


def train(case, method, steps, compute):
    """Steps of the original's optimizers and schedule; gradients and the state at the end."""
    meta, options, network = case.meta, case.meta['options'], method.student
    optimizer = {
        'type': 'SGD',
        'lr': options['BASE_LR'],
        'momentum': options['momentum'],
        'weight_decay': options['weight_decay'],
    }
    rules = {'custom_keys': {'decode_head': {'lr_mult': 10.0}}}
    wrapper = build_optim_wrapper(method, {'optimizer': optimizer, 'paramwise_cfg': rules})
    schedule = Poly(wrapper, options['MAX_ITER'], power=options['LR_POWER'])
    before = {key: value.clone() for key, value in network.state_dict().items()}
    rates = []
    for i in range(steps):
        method.zero_grad()
        compute(i)
        networks.check_rows(f'gradient {i}', networks.gradients(network), meta['grads'][i], limit(meta, 'grads'))
        if i == 0:
            gradient, stored = network.decode_head.aspp_modules[0].conv.weight.grad, case.arrays[FIRST]
            networks.close('gradient', gradient, stored, meta['rtol_arrays'], meta['rtol_arrays'])
        rates += sorted({group['lr'] for group in wrapper.param_groups})
        method.update(wrapper)
        method.iteration += 1
        schedule.step()
    np.testing.assert_allclose(rates, meta['lrs_backbone_then_classifier'], rtol=1e-9)
    after = network.state_dict()
    delta = {key: after[key] - before[key] for key in after}
    assert int(after['backbone.bn1.num_batches_tracked']) == meta['num_batches_tracked']
    networks.check_rows('change', delta, meta['delta'], limit(meta, 'delta'))


def limit(meta, what):
    return meta[f'rtol_{what}_relative_to_each_norm']
