"""Training steps: losses, gradients, mixed and masked samples, all networks afterwards."""

import math

import numpy as np
import torch

from mmseg.engine.legacy_config import upgrade
from mmseg.engine.optimizer_groups import build_optim_wrapper
from mmseg.models.uda import build_method
from mmseg.models.uda.components.mixing import class_table
from mmseg.registry import PARAM_SCHEDULERS
from mmseg.structures import DomainBatch, TrainBatch
from tests.goldens.harness import state_tensors, statistics, strided, within_classes

RELATIVE = 1e-5  # the cases' tolerance in float64
IMAGENET = {
    'mean': [123.675, 116.28, 103.53],
    'std': [58.395, 57.12, 57.375],
}  # any will do: only the jitter, which is off, looks at it


def run(case):
    method = _method(case)
    optimizer = build_optim_wrapper(method, _upgraded(case)['optim_wrapper'])
    schedules = _schedules(case, optimizer)
    for t in range(case.meta['options']['steps']):
        method.zero_grad()
        step = method.prepare(_batch(case, t), _decisions(case, t, method))
        log = method.run_passes(step)
        _compare_log(case, t, log)
        _compare_gradients(case, t, method.student)
        _compare_samples(case, t, step)
        _compare_discriminator(case, t, method, optimizer)
        method.update(optimizer)
        method.finish(step)
        method.iteration += 1
        for schedule in schedules:
            schedule.step()
    _compare_network(case, 'student', method.student)
    if 'teacher_params' in case.arrays:
        _compare_network(case, 'teacher', method.ema_model)
    if 'mic_teacher_params' in case.arrays and method.mic.teacher is not None:
        _compare_network(case, 'mic_teacher', method.mic.teacher.ema_model)
    if 'D_params' in case.arrays:
        parameters = dict(method.model_D.named_parameters())
        _compare_table('D params', parameters, case.meta['discriminator_names'], case.arrays['D_params'])


def _upgraded(case):
    published = {key: case.meta[key] for key in ('model', 'uda', 'optimizer')}
    return upgrade({**published, 'uda': within_classes(case.meta['uda'], case.meta['model'])})


def _method(case):
    options = case.meta['options']
    assert (options.get('color_jitter', 'off'), options.get('blur', 'off')) == ('off', 'off')
    cfg = _upgraded(case)
    cfg['model']['data_preprocessor'] = {'type': 'SegDataPreProcessor', **case.meta['inputs'].get('img_norm', IMAGENET)}
    cfg['train_cfg'] = {'max_iters': options['max_iters']}
    method = build_method(cfg).double().train()
    for module in method.modules():
        if isinstance(module, torch.nn.modules.dropout._DropoutNd):
            module.p = options['dropout']
        if hasattr(module, 'drop_prob'):
            module.drop_prob = options['drop_path']
    method.student.load_state_dict(state_tensors(case.inputs['student']))
    for name, network in (
        ('teacher', lambda: method.ema_model),
        ('mic_teacher', lambda: method.mic.teacher and method.mic.teacher.ema_model),
        ('discriminator', lambda: method.model_D),
    ):
        # Modes of the masked pass that need no teacher have none of their own.
        if name in case.inputs and network() is not None:
            network().load_state_dict(state_tensors(case.inputs[name]))
    if 'imnet' in case.inputs:
        weights = state_tensors(case.inputs['imnet'])
        encoder = {
            key.removeprefix('backbone.'): value for key, value in weights.items() if key.startswith('backbone.')
        }
        method.imnet_model.backbone.load_state_dict(encoder)
        method.imnet_model.backbone.pretrained_loaded = True
    if case.meta['uda'].get('mask_mode'):
        method.mic.weighted = _weighted_as_recorded(method.mic.weight)
    return method


def _weighted_as_recorded(weight):
    """The originals scale one loss of the masked pass alone, ours all of them."""
    return lambda losses: {
        name: weight * value if name == 'decode.loss_seg' else value for name, value in losses.items()
    }


def _batch(case, t):
    valid = case.tensor('valid_pseudo_mask')[:, 0].bool() if 'valid_pseudo_mask' in case.inputs else None
    source = DomainBatch(case.tensor('img')[t], case.tensor('gt')[t, :, 0])
    return TrainBatch(source, DomainBatch(case.tensor('target_img')[t], valid=valid))


def _schedules(case, optimizer):
    """That of the discriminators' rate; the cases' main rate is constant."""
    cfg = _upgraded(case).get('param_scheduler')
    if cfg is None:
        return []
    settings = {**cfg['discriminator'], 'max_iters': case.meta['options']['max_iters']}
    return [PARAM_SCHEDULERS.build({**settings, 'optimizer': optimizer['discriminator']})]


def _decisions(case, t, method):
    decisions = {}
    if 'chosen_classes' in case.inputs:
        decisions['mix_classes'] = class_table(case.tensor('chosen_classes')[t])
    if 'mask_grid' in case.inputs:
        decisions['mask_grid'] = case.tensor('mask_grid')[t]
    if 'hr_crop_boxes' in case.inputs:
        # The passes that look at images, in their order, each drew one box.
        names = [f'crop_box_{one_pass.__name__}' for one_pass in method.passes()]
        decisions |= zip(names, case.tensor('hr_crop_boxes')[t], strict=False)
    return decisions


def _compare_log(case, t, log):
    for name, expected in case.meta['logs'][t].items():
        assert name in log, f'step {t}: {name} is not logged'
        if math.isnan(expected):
            # The originals log NaN where a scale had nothing to compare; here that scale adds 0.
            compared = float(log['src.fd_valid']) == 1
            assert float(log[name]) > 0 if compared else float(log[name]) == 0, f'step {t}: {name}'
            continue
        np.testing.assert_allclose(float(log[name]), expected, rtol=RELATIVE, err_msg=f'step {t}: {name}')


def _compare_gradients(case, t, student):
    gradients = {name: value.grad for name, value in student.named_parameters() if value.grad is not None}
    names = case.meta['grad_names']
    assert set(gradients) == set(names), f'with gradient: {sorted(set(gradients) ^ set(names))}'
    if 'grad_total_norm_per_step' in case.meta:
        total = math.sqrt(sum(float(value.square().sum()) for value in gradients.values()))
        np.testing.assert_allclose(total, case.meta['grad_total_norm_per_step'][t], rtol=RELATIVE)
    if t == 0:
        _compare_table('gradients', gradients, names, case.arrays['grads_step0'])


def _compare_samples(case, t, step):
    if case.meta.get('mixed_weight_max_min_mean'):
        weight = step.mixed.weight
        ours = [float(weight.max()), float(weight.min()), float(weight.mean())]
        np.testing.assert_allclose(ours, case.meta['mixed_weight_max_min_mean'][t], rtol=RELATIVE)
    for kind in ('mixed', 'masked'):
        if t > 0 or not hasattr(step, kind):
            continue
        batch = getattr(step, kind)
        ours = {f'{kind}_img': batch.images, f'{kind}_lbl': batch.labels[:, None], f'{kind}_weight': batch.weight}
        for key in case.arrays:
            name, stride = strided(key)
            if name in ours:
                sampled = ours[name][..., ::stride, ::stride].numpy()
                np.testing.assert_allclose(sampled, case.arrays[key], rtol=RELATIVE, err_msg=key)


def _compare_discriminator(case, t, method, optimizer):
    if 'D_grads_step0' not in case.arrays:
        return
    rates = [group['lr'] for group in optimizer['discriminator'].optimizer.param_groups]
    np.testing.assert_allclose(rates, case.meta['lr_D'][t], rtol=RELATIVE)
    gradients = {name: value.grad for name, value in method.model_D.named_parameters()}
    for name, due in (('step0', t == 0), ('last', t == case.meta['options']['steps'] - 1)):
        if due:
            _compare_table(
                f'D gradients {name}', gradients, case.meta['discriminator_names'], case.arrays[f'D_grads_{name}']
            )


def _compare_network(case, role, network):
    for kind, names, tensors in (
        ('params', case.meta['student_param_names'], dict(network.named_parameters())),
        ('buffers', case.meta['student_buffer_names'], dict(network.named_buffers())),
    ):
        assert set(tensors) >= set(names), f'{role} {kind}: missing {sorted(set(names) - set(tensors))}'
        _compare_table(f'{role} {kind}', tensors, names, case.arrays[f'{role}_{kind}'])


def _compare_table(title, tensors, names, table):
    """Rows of statistics by max |difference| over max(max |row|, 1e-4 max |table|)."""
    largest = np.abs(table).max(initial=0)
    for name, row in zip(names, table.astype(np.float64), strict=True):
        difference = np.abs(statistics(tensors[name]) - row).max()
        scale = max(np.abs(row).max(), 1e-4 * largest)
        assert difference <= RELATIVE * scale, f'{title} {name}: {difference:.3e} of {scale:.3e}'
