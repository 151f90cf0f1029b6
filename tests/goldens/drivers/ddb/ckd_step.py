"""A step of the cross-path distillation with a given augmented target image."""

import numpy as np

from mmseg.engine.class_prototype_files import ClassPrototypes
from mmseg.models.resize import resize
from mmseg.models.uda import build_method
from mmseg.structures import DomainBatch, TrainBatch
from tests.goldens.drivers.ddb.networks import (
    GREY_LEVELS,
    check_logged,
    check_strided,
    check_table,
    gradients,
    model_config,
)
from tests.goldens.harness import state_tensors

TEACHERS = ('cu', 'ca')
OWN = (
    'soft_distill',
    'rectify_on_prob',
    'proto_rectify',
    'use_pl_weight',
    'pseudo_threshold',
    'soft_distill_w',
    'temp',
)
DISPLAY = ('debug_img_interval', 'print_grad_magnitude')


def run(case):
    method = build(case)
    target = DomainBatch(case.tensor('target'))
    batch = TrainBatch(DomainBatch(case.tensor('img'), case.tensor('gt')[:, 0]), target)
    step = method.prepare(batch)
    step.target_images = case.tensor('bridge_img')
    log = method.run_passes(step)

    check_logged(case, log, {'stu_src.': '', 'stu_tgt.': 'trg.'})
    tolerance = case.meta['tolerance']['float64']
    check_table(case, 'gradients', gradients(method.student), tolerance['grad_norm_rtol'])
    check_table(case, 'running_stats_student', dict(method.student.named_buffers()), tolerance['loss_rtol'])
    if 'pseudo_label' in case.arrays:
        np.testing.assert_array_equal(step.pseudo.labels, case.arrays['pseudo_label'])
    if case.meta['pixel_weight'] is not None:
        np.testing.assert_allclose(step.pseudo.weight.mean(), case.meta['pixel_weight'], rtol=tolerance['loss_rtol'])
    ensemble = step.soft_target if method.mode == 'soft' else method.ensemble(target)
    check_strided(case, 'ensemble_strided', ensemble, tolerance['ensemble_atol'])
    check_teachers(case, method, target.images)


def build(case):
    """The method with the case's settings, weights and prototypes."""
    spec = case.meta['spec']
    model = model_config(case.meta['state_dict']['keys_and_shapes'], spec)
    model['data_preprocessor'] = {'type': 'SegDataPreProcessor', **GREY_LEVELS}
    uda = {'type': 'CrossPathDistillation', 'teachers': [{'name': name} for name in TEACHERS], **settings(spec['uda'])}
    method = build_method({'model': model, 'uda': uda}).double().train()
    method.student.load_state_dict(state_tensors(case.inputs['student']))
    for name in TEACHERS:
        method.teachers.by_name[name].set_state(state_tensors(case.inputs[name]))
        if method.prototypes is not None:
            method.prototypes.set(name, ClassPrototypes(case.tensor(f'{name}_proto')))
    return method


def settings(uda):
    """The original's keys in ours."""
    uda = {key: value for key, value in uda.items() if key not in DISPLAY and (value or key in OWN)}
    soft = uda.pop('soft_distill', False)
    on_probabilities = uda.pop('rectify_on_prob', True) and not soft
    rectified = uda.pop('proto_rectify', False)
    weighting = 'batch' if uda.pop('use_pl_weight', False) else 'none'
    own = {
        'mode': 'soft' if soft else 'hard',
        'rectify': ('probability' if on_probabilities else 'logit') if rectified else None,
        'pseudo_labels': {'weighting': weighting, 'threshold': uda.pop('pseudo_threshold', 0.968)},
        'soft_weight': uda.pop('soft_distill_w', 0.1),
        'temperature': uda.pop('temp', 1),
    }
    assert not uda, f'unknown settings {uda}'
    return own


def check_teachers(case, method, images):
    """Scores, features and weights of each teacher, at image size."""
    size = images.shape[2:]
    tolerance = case.meta['tolerance']['float64']['ensemble_atol']
    for name in TEACHERS:
        out = method.teachers(name, images)
        ours = {'logits': resize(out.logits['main'], size), 'feature': resize(out.embedding, size)}
        if method.prototypes is not None:
            ours['proto_weight'] = method.prototypes.weights(name, out.embedding, size)
        for kind, tensor in ours.items():
            if f'{name}_{kind}_strided' in case.arrays:
                check_strided(case, f'{name}_{kind}_strided', tensor, tolerance)
