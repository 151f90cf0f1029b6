"""A step of the self-training on given rectangles or classes."""

import numpy as np
import torch

from mmseg.models.resize import resize
from mmseg.models.uda import build_method
from mmseg.models.uda.components.mixing import box_mask, class_mask, class_table
from mmseg.structures import DomainBatch, TrainBatch
from tests.goldens.drivers.ddb.ckd_step import DISPLAY
from tests.goldens.drivers.ddb.networks import (
    GREY_LEVELS,
    check_logged,
    check_strided,
    check_table,
    gradients,
    model_config,
)
from tests.goldens.harness import state_tensors


def run(case):
    spec = case.meta['spec']
    method = build(case)
    batch = TrainBatch(DomainBatch(case.tensor('img'), case.tensor('gt')[:, 0]), DomainBatch(case.tensor('target')))
    seen = []
    method.ema_model.decode_head.register_forward_hook(lambda module, inputs, out: seen.append(out.logits['main']))
    step = method.prepare(batch, decisions(spec))
    log = method.run_passes(step)

    check_logged(case, log, {'decode.': 'decode.', 'mix.': 'mix.'})
    tolerance = case.meta['tolerance']['float64']
    check_table(case, 'gradients', gradients(method.student), tolerance['grad_norm_rtol'])
    check_table(case, 'ema_params', dict(method.ema_model.named_parameters()), tolerance['loss_rtol'])
    check_table(case, 'running_stats_model', dict(method.student.named_buffers()), tolerance['loss_rtol'])
    check_table(case, 'running_stats_ema', dict(method.ema_model.named_buffers()), tolerance['loss_rtol'])
    check_samples(case, step)
    check_strided(case, 'ema_logits_strided', resize(seen[0], spec['shape'][1:]), tolerance['logits_rtol_of_max'])


def build(case):
    """The method with the case's settings and weights."""
    spec, uda = case.meta['spec'], case.meta['spec']['uda']
    shapes = case.meta['state_dict']['keys_and_shapes']
    mixing = {'type': 'ClassMix', 'classes': 'image'} if 'classes' in spec else {'type': 'CutMix'}
    known = {
        'alpha': ('teacher', 'alpha'),
        'pseudo_threshold': ('pseudo_labels', 'threshold'),
        'pseudo_weight_ignore_top': ('pseudo_labels', 'ignore_top'),
        'pseudo_weight_ignore_bottom': ('pseudo_labels', 'ignore_bottom'),
    }
    settings = {'teacher': {'alpha': 0.99}, 'pseudo_labels': {'threshold': 0.968}}
    for key, value in uda.items():
        if key in DISPLAY or (not value and key not in known):
            continue
        section, own = known[key]
        settings[section][own] = value
    model = {**model_config(shapes, spec), 'data_preprocessor': {'type': 'SegDataPreProcessor', **GREY_LEVELS}}
    method = build_method({'model': model, 'uda': {'type': 'DACS', 'mixing': mixing, **settings}}).double().train()
    method.student.load_state_dict(state_tensors(case.inputs['model']))
    method.ema_model.load_state_dict(state_tensors(case.inputs['ema']))
    method.iteration = spec['iter']
    return method


def decisions(spec):
    """The case's mixtures as our decisions."""
    if 'classes' in spec:
        width = max(map(len, spec['classes']))
        padded = [[*classes, *[-1] * (width - len(classes))] for classes in spec['classes']]
        return {'mix_classes': class_table(torch.tensor(padded))}
    return {'mix_boxes': torch.tensor([[y1, y2, x1, x2] for y1, x1, y2, x2 in spec['boxes']])}


def check_samples(case, step):
    """The mixed images, their labels and weights."""
    labels = step.source.labels
    if 'mix_classes' in step.decisions:
        mask = class_mask(labels, step.decisions['mix_classes'])
    else:
        mask = box_mask(step.decisions['mix_boxes'], labels.shape[1:])
    np.testing.assert_array_equal(mask[:, None], case.arrays['mask'])
    np.testing.assert_array_equal(step.pseudo.labels, case.arrays['pseudo_label'])
    np.testing.assert_array_equal(step.mixed.labels[:, None], case.arrays['mixed_label'])
    np.testing.assert_allclose(step.mixed.weight, case.arrays['mixed_weight'], rtol=1e-6)
    np.testing.assert_allclose(step.pseudo.weight.max(), case.meta['pseudo_fraction'], rtol=1e-6)
    check_strided(case, 'mixed_img_strided', step.mixed.images, 1e-6)
