"""A whole step of ProDA's stages 2 and 3: losses, all gradients, the weights after SGD."""

import numpy as np
import torch

from mmseg.engine.optimizer_groups import build_optim_wrapper
from mmseg.models.data_preprocessor import SegDataPreProcessor
from mmseg.models.uda.prototype_distillation import PrototypeDistillation
from mmseg.structures import DomainBatch, TrainBatch
from tests.goldens.drivers.pbal import networks, proda_networks
from tests.goldens.drivers.pbal.proda_label_strong import IGNORE, THEIRS, changes_of, check_labels
from tests.goldens.harness import state_tensors


def run(case):
    options = case.meta['options']
    method = method_of(case, options)
    network = method.student
    step = method.prepare(
        TrainBatch(
            DomainBatch(case.tensor('src_img'), case.tensor('src_lbl')),
            DomainBatch(case.tensor('tgt_strong'), case.tensor('tgt_lbl')),
        ),
        {'strong_view': changes_of(case), 'strong_images': case.tensor('tgt_strong')},
    )
    if 'label_after_strong' in case.meta['outputs']:
        stored = case.arrays['out/label_after_strong'][:, 0]
        check_labels(step.strong_labels, stored, step.decisions['strong_view'])
        # The losses then are those of the case's labels, whatever ties decided.
        step.strong_labels = torch.from_numpy(np.where(stored == THEIRS, IGNORE, stored)).long()
    wrapper = optimizer_of(method, options)
    log = method.run_passes(step)
    weight = options.get('distillation', 1.0)
    ours = {
        'loss_source_ce': log['decode.loss_seg'],
        'target_ce': log['trg.decode.loss_seg'],
        'loss_target': log['trg.decode.loss_seg'] + log['trg.loss_distil'],
    }
    if weight:
        ours['kd'] = log['trg.loss_distil'] / weight
    for name, value in ours.items():
        if name in case.meta['outputs']:
            networks.check(case, name, value)
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    gradients = {name: value.grad for name, value in network.named_parameters()}
    check_table(case, 'grad_student', gradients)
    wrapper.step()
    after = dict(network.named_parameters())
    check_table(case, 'delta_student', {name: after[name].detach() - before[name] for name in before})


def method_of(case, options):
    """The method as published, with the case's two networks, without dropout."""
    settings = {}
    for role in ('student', 'teacher'):
        state = case.inputs[role]
        settings[role] = {
            'type': 'EncoderDecoder',
            **proda_networks.config(len(state['layer5.head.1.weight']), 'bn_pretrain.weight' in state),
        }
    method = PrototypeDistillation(
        proda_networks.build(case, 'student'),
        data_preprocessor=SegDataPreProcessor(mean=[0.0] * 3, std=[255.0] * 3),
        teachers=[{'name': 'before', 'model': settings['teacher']}],
        distillation='published',
        weight=options.get('distillation', 1.0),
        strong_view={'replay': 'published', 'label_stride': options.get('scale', 4)},
    ).double()
    state = state_tensors(case.inputs['teacher'])
    ours = {proda_networks.name_in_segmentor(key): value for key, value in state.items()}
    method.teachers.by_name['before'].set_state(ours)
    return method.train()


def optimizer_of(method, options):
    """SGD with the case's two rates."""
    factor = options['lr_head'] / options['lr_backbone']
    fast = {'decode_head': {'lr_mult': factor}, 'neck': {'lr_mult': factor}}
    optimizer = {
        'type': 'SGD',
        'lr': options['lr_backbone'],
        'momentum': options['momentum'],
        'weight_decay': options['weight_decay'],
    }
    return build_optim_wrapper(method, {'optimizer': optimizer, 'paramwise_cfg': {'custom_keys': fast}})


def check_table(case, table, ours):
    named = {name: ours[proda_networks.name_in_segmentor(name)] for name in case.meta['outputs'][table]['names']}
    assert all(isinstance(value, torch.Tensor) for value in named.values())
    networks.check_table(case, table, named)
