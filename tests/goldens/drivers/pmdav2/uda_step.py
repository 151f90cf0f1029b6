"""One iteration of self-training with a cascade: losses, gradients, samples, teacher, running statistics."""

from __future__ import annotations

from typing import Any

from mmseg.engine.legacy_config import upgrade
from mmseg.models.uda import build_method
from mmseg.models.uda.components.mixing import class_table
from mmseg.structures import DomainBatch, TrainBatch
from tests.goldens.drivers.pmdav2 import compare
from tests.goldens.harness import Case, state_tensors, within_classes

IMAGENET = {'mean': [123.675, 116.28, 103.53], 'std': [58.395, 57.12, 57.375]}


def run(case: Case) -> None:
    method = _method(case)
    valid = case.tensor('valid_pseudo_mask')[:, 0].bool() if 'valid_pseudo_mask' in case.inputs else None
    source = DomainBatch(case.tensor('img'), case.tensor('gt')[:, 0])
    batch = TrainBatch(source, DomainBatch(case.tensor('target_img'), valid=valid))
    step = method.prepare(batch, {'mix_classes': class_table(case.tensor('mix_classes'))})
    teacher = {f'ema_after:{name}': value.clone() for name, value in method.ema_model.named_parameters()}
    # Asking the teacher again moves its running statistics once more.
    buffers = {name: value.clone() for name, value in compare.named_buffers(method.ema_model, 'ema_buffer:').items()}
    confidence = method.teacher(method.ema_model, case.tensor('target_img')).confidence
    log = method.run_passes(step)
    samples = {
        'pseudo_prob': confidence,
        'pseudo_label': step.pseudo.labels,
        'mixed_img': step.mixed.images,
        'mixed_label': step.mixed.labels[:, None],
        'mixed_weight': step.mixed.weight,
    }
    compare.outputs(case, samples)
    buffers |= compare.named_buffers(method.student)
    mixed = sum(value for key, value in log.items() if key.startswith('mix.') and 'loss' in key)
    share = (confidence >= case.meta['uda']['pseudo_threshold']).double().mean()
    compare.scalars(case, {**log, 'loss': mixed, 'confident_fraction': share, **buffers})
    compare.rows(case, {**compare.named_gradients(method.student), **teacher, **buffers})


def _method(case: Case) -> Any:
    model = case.meta['model']
    cfg = upgrade({'model': model, 'uda': {'type': 'DACS', **within_classes(case.meta['uda'], model)}})
    cfg['model']['data_preprocessor'] = {'type': 'SegDataPreProcessor', **IMAGENET}
    cfg['train_cfg'] = {'max_iters': 40000}
    method = build_method(cfg).double().train()
    method.iteration = case.meta['local_iter']
    method.student.load_state_dict(state_tensors(case.inputs['student']))
    method.ema_model.load_state_dict(state_tensors(case.inputs['teacher']))
    if 'imagenet' in case.inputs:
        weights = state_tensors(case.inputs['imagenet'])
        encoder = {key.removeprefix('backbone.'): value for key, value in weights.items() if 'backbone.' in key}
        method.imnet_model.backbone.load_state_dict(encoder)
        method.imnet_model.backbone.pretrained_loaded = True
    return method
