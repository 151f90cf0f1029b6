"""A step of the original DACS repository on given logits: mixing per image, both losses, the average afterwards."""

import numpy as np
import torch
from torch import nn

from mmseg.models.losses import CrossEntropyLoss
from mmseg.models.uda.components.ema_teacher import EMATeacher
from mmseg.models.uda.components.mixing import ClassMix, class_table, present_classes
from mmseg.models.uda.components.pseudo_labels import PseudoLabeler
from mmseg.structures import DomainBatch
from tests.goldens.harness import strided

WEIGHTINGS = {'threshold_uniform': 'batch', 'threshold': 'pixel', 'False': 'none', 'None': 'none'}
ALPHA = 0.99
RELATIVE = 1e-5


def run(case):
    weighting = WEIGHTINGS[str(case.meta['pixel_weight'])]
    pseudo = PseudoLabeler(case.meta['threshold'], weighting=weighting)(case.tensor('teacher_logits'))
    source, target = DomainBatch(case.tensor('img'), case.tensor('gt')), DomainBatch(case.tensor('target_img'))
    chosen = class_table(case.tensor('chosen_classes'))
    _compare_choice(source.labels, chosen)
    mixed = ClassMix('image').apply(source, target, pseudo, chosen)

    source_logits = case.tensor('src_logits').requires_grad_()
    mixed_logits = case.tensor('mixed_logits').requires_grad_()
    labelled = (source.labels != 255).sum()
    source_loss = CrossEntropyLoss()(source_logits, source.labels, avg_factor=labelled)
    mixed_loss = CrossEntropyLoss()(mixed_logits, mixed.labels, weight=mixed.weight)
    (source_loss + mixed_loss).backward()

    ours = {
        'mixed_img': mixed.images,
        'mixed_label': mixed.labels,
        'mixed_weight': mixed.weight,
        'grad_src': source_logits.grad,
        'grad_mixed': mixed_logits.grad,
    }
    for key in case.arrays.keys() - {'ema_after_each_step'}:
        name, stride = strided(key)
        sampled, expected = ours[name].detach()[..., ::stride, ::stride], case.arrays[key]
        np.testing.assert_allclose(sampled, expected, RELATIVE, 1e-6 * np.abs(expected).max(), err_msg=key)
    np.testing.assert_allclose(float(source_loss.detach()), case.meta['loss_source'], rtol=RELATIVE)
    np.testing.assert_allclose(float(mixed_loss.detach()), case.meta['loss_mixed'], rtol=RELATIVE)
    _compare_weight(case, pseudo, mixed)
    _compare_average(case)


def _compare_choice(labels, chosen):
    """The recorded choice is one that our drawing rule can make."""
    present = present_classes(labels)
    drawn = ClassMix('image').draw(labels, torch.Generator())
    assert not (chosen & ~present).any()
    assert chosen.sum(1).tolist() == drawn.sum(1).tolist()


def _compare_weight(case, pseudo, mixed):
    if 'mean_weight' in case.meta:
        means = [float(pseudo.weight.mean()), float(mixed.weight.mean())]
        expected = case.meta['mean_weight']
        assert any(np.isclose(mean, expected, rtol=RELATIVE) for mean in means), f'{means}, expected {expected}'


def _compare_average(case):
    teacher, student = nn.Module(), nn.Module()
    teacher.register_parameter('w', nn.Parameter(case.tensor('ema_teacher')))
    for t, expected in enumerate(case.arrays['ema_after_each_step']):
        student.register_parameter('w', nn.Parameter(case.tensor('ema_student')[t]))
        EMATeacher(ALPHA).update(teacher, student, t)
        np.testing.assert_allclose(teacher.w.detach(), expected, rtol=RELATIVE)
