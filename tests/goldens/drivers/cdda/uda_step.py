"""One iteration of self-training with depth guidance: the decisions, losses, gradients, samples, teacher, statistics.

Runs once for each region of the weights that the case has results of.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config

from mmseg.models.uda import build_method
from mmseg.models.uda.components.depth_relabel import REGIONS
from mmseg.models.uda.components.mixing import class_table
from mmseg.models.uda.components.pseudo_labels import JudgedLabels, PseudoLabeler
from mmseg.structures import DomainBatch, TrainBatch
from tests.goldens.harness import state_tensors

MODELS = Path(__file__).parents[4] / 'configs/_base_/models'
BASES = {'EncoderDecoder': 'daformer_sepaspp_mitb5.py', 'HRDAEncoderDecoder': 'hrda_daformer_sepaspp_mitb5.py'}
LOSSES, ACCURACIES = 1e-4, 0.05  # relative; absolute in percent
NORMS, ENTRIES = 5e-3, 2e-2  # of gradients, relative to their norm
STATE = 1e-4  # of buffers and of the teacher's parameters
SAMPLES = 2e-5  # of weights and soft values; images are within the rounding of their normalisation


class GivenLabels(PseudoLabeler):
    """Labels and confidences are decisions of the case; the teacher is asked all the same."""

    def give(self, labels, confident):
        self.given = labels, confident

    def judge(self, predicted):
        labels, confident = self.given
        share = confident.to(predicted.confidence.dtype).mean()
        return JudgedLabels(labels, share.expand(labels.shape).clone(), confident)


def run(case):
    for region in case.meta['results']:
        with tempfile.TemporaryDirectory() as folder:
            # Without guidance the regions are one, whatever the case calls its only result.
            method = _method(case, region if region in REGIONS else REGIONS[0], Path(folder))
            step = method.prepare(_batch(case), _decisions(case, method))
            log = method.run_passes(step)
        _compare_decisions(case, region, step)
        _compare_log(case, region, log)
        _compare_gradients(case, region, method.student)
        _compare_samples(case, region, step)
        _compare_state(case, method)


def _model(case):
    given = case.meta['config']
    cfg = Config.fromfile(MODELS / BASES[case.meta['model']])['model'].to_dict()
    cfg['pretrained'] = None
    cfg['backbone'] = {'type': given['backbone'].split()[0], 'drop_path_rate': 0.0}
    head = cfg['decode_head']
    head.update(in_channels=given['in_channels'], channels=given['decoder_channels'], dropout_ratio=given['dropout'])
    head['decoder_params']['embed_dims'] = given['embed_dims']
    if case.meta['model'] == 'HRDAEncoderDecoder':
        head.update(attention_embed_dim=given['attention_embed_dim'], hr_loss_weight=given['hr_loss_weight'])
        names = ('hr_crop_size', 'scales', 'feature_scale')
        cfg.update({name: given[name] for name in names})
    return cfg


def _method(case, region, folder):
    given = case.meta['uda']
    uda = {
        'type': 'DACS',
        'teacher': {'alpha': given['alpha']},
        'pseudo_labels': {
            'threshold': given['pseudo_threshold'],
            'ignore_top': given['ignore_top'],
            'ignore_bottom': given['ignore_bottom'],
        },
        'feature_distance': {
            'weight': given['fd_lambda'],
            'classes': given['fd_classes'],
            'min_ratio': given['fd_min_ratio'],
        },
        'depth_guidance': {
            'bank': str(_write_bank(case, folder)),
            'reweight_threshold': float(case.inputs['reweight_threshold']),
            'relabel_threshold': float(case.inputs['relabel_threshold']),
            'threshold_decay': 0,  # the thresholds are those in force
            'ignore_classes': case.inputs['ignore_classes'].tolist(),
            'weight_region': region,
            'guidance_flag': 'last',
        },
    }
    assert not given['color_jitter'] and not given['blur'], 'the cases have no augmentation'
    if given['mask_mode'] is not None:
        block = {'type': 'block', 'mask_ratio': 0.7, 'mask_block_size': given['mask_block_size']}
        uda['masking'] = {'mode': given['mask_mode'].removesuffix('aug'), 'generator': block}
    preprocessor = {'type': 'SegDataPreProcessor', **{name: case.inputs[name].tolist() for name in ('mean', 'std')}}
    method = build_method({'model': {**_model(case), 'data_preprocessor': preprocessor}, 'uda': uda}).double().train()
    labeler = GivenLabels(**uda['pseudo_labels'])
    labeler.give(case.tensor('pseudo_label'), case.tensor('confident'))
    method.pseudo_labels = labeler
    method.iteration = case.meta['iteration']
    method.student.load_state_dict(state_tensors(case.inputs['student']))
    method.ema_model.load_state_dict(state_tensors(case.inputs['teacher']))
    encoder = {key: value for key, value in state_tensors(case.inputs['imnet']).items() if 'backbone.' in key}
    weights = {key.removeprefix('backbone.'): value for key, value in encoder.items()}
    method.imnet_model.backbone.load_state_dict(weights)
    method.imnet_model.backbone.pretrained_loaded = True
    return method


def _write_bank(case, folder):
    """The case's bank as files; only labels of the crops that replace an image are in the case."""
    bank, pictures = case.inputs['bank'], case.inputs['bank_image']
    labels = np.full(pictures.shape[:3], 255, np.uint8)
    for slot, number in enumerate(case.meta['depth_guidance']['replace_index']):
        if number >= 0:
            labels[number] = case.inputs['replaced_gt'][slot, 0]
    for name, files in (('images', pictures[..., ::-1]), ('labels', labels)):
        (folder / name).mkdir()
        for number, picture in enumerate(files):
            cv2.imwrite(str(folder / name / f'{number}.png'), picture)
    torch.save(torch.from_numpy(bank), folder / f'{case.meta["dataset"]}_{len(bank)}_distribution.pth')
    return folder


def _batch(case):
    valid = case.tensor('valid_pseudo_mask')[:, 0].bool() if 'valid_pseudo_mask' in case.inputs else None
    source = DomainBatch(case.tensor('img'), case.tensor('gt')[:, 0])
    return TrainBatch(source, DomainBatch(case.tensor('target_img'), valid=valid, depth=case.tensor('target_depth')))


def _decisions(case, method):
    decisions = {'mix_classes': class_table(case.tensor('chosen_classes'))}
    if 'mask_grid' in case.inputs:
        decisions['mask_grid'] = case.tensor('mask_grid')
    if 'hr_crop_boxes' in case.inputs:
        names = [one_pass.__name__ for one_pass in method.passes()]
        if not case.meta['depth_guidance']['guidance']:
            names.remove('guided')
        boxes = case.tensor('hr_crop_boxes')
        decisions |= {f'crop_box_{name}': box for name, box in zip(names, boxes, strict=True)}
    return decisions


def _compare_decisions(case, region, step):
    expected, found = case.meta['depth_guidance'], step.guidance
    assert found.runs == expected['guidance']
    assert found.replacements == expected['replace_index']
    np.testing.assert_allclose(float(found.log['depth.score']), np.mean(expected['score']), rtol=1e-5)
    _compare_array(case, f'{region}_weight_after_reweight', found.weight, SAMPLES)
    soft = [list(pair) for pair in zip(found.soft.images, found.soft.classes, strict=True)]
    if 'soft_channels' in case.arrays:
        assert soft == case.arrays['soft_channels'].tolist()
        _compare_array(case, 'soft_values', found.soft.values, SAMPLES)


def _compare_log(case, region, log):
    for name, expected in case.meta['results'][region]['log'].items():
        assert name in log, f'{name} is not logged'
        value = float(log[name])
        if np.isnan(expected):
            # The originals log NaN where no scale had anything to compare; here such a scale adds 0.
            assert value > 0 if float(log['src.fd_valid']) == 1 else value == 0, name
        elif 'loss' in name:
            np.testing.assert_allclose(value, expected, rtol=LOSSES, err_msg=name)
        else:
            np.testing.assert_allclose(value, expected, rtol=0, atol=ACCURACIES, err_msg=name)


def _compare_gradients(case, region, student):
    table = case.meta['results'][region]['grads']
    gradients = {name: value.grad for name, value in student.named_parameters() if value.grad is not None}
    without = set(case.meta['no_gradient'])
    assert set(gradients) - without >= set(table), f'without gradient: {sorted(set(table) - set(gradients))}'
    assert not without & set(gradients), f'with gradient: {sorted(without & set(gradients))}'
    largest = max(row[0] for row in table.values())
    for name, row in table.items():
        if row[0] > 1e-6 * largest:
            _compare_row(f'{region} gradient of {name}', gradients[name], row, NORMS, ENTRIES)


def _compare_row(title, tensor, row, norm_tolerance, entry_tolerance):
    """A row is the norm, the sum and the first four values."""
    flat = tensor.detach().double().flatten()
    norm, _, *first = row
    assert abs(float(flat.norm()) - norm) <= norm_tolerance * norm, f'{title}: norm {float(flat.norm())}, not {norm}'
    ours = flat[: len(first)].numpy()
    error = np.abs(ours - np.array(first)[: len(ours)]).max()
    assert error <= entry_tolerance * norm, f'{title}: off by {error / norm:.1e} of the norm'


def _compare_samples(case, region, step):
    np.testing.assert_array_equal(step.mixed.labels[:, None].numpy(), case.arrays['mixed_label'])
    _compare_array(case, 'mixed_image', step.mixed.images, 1e-4)
    _compare_array(case, f'{region}_mixed_weight', step.mixed.weight, SAMPLES)
    if hasattr(step, 'masked'):
        _compare_array(case, 'masked_image', step.masked.images, 1e-4)
        _compare_array(case, f'{region}_masked_weight', step.masked.weight, SAMPLES)


def _compare_array(case, name, ours, tolerance):
    """An array of this name, or every so many rows and columns of it under ``NAME_strideN``."""
    for key in case.arrays:
        if key == name or key.startswith(f'{name}_stride'):
            stride = int(key.removeprefix(f'{name}_stride')) if key != name else 1
            sampled = ours[..., ::stride, ::stride].numpy()
            np.testing.assert_allclose(sampled, case.arrays[key], rtol=0, atol=tolerance, err_msg=key)


def _compare_state(case, method):
    for title, tensors in (
        ('bn_buffers_after_step', dict(method.student.named_buffers())),
        ('teacher_parameters_after_ema', dict(method.ema_model.named_parameters())),
    ):
        for name, row in case.meta[title].items():
            _compare_row(f'{title} {name}', tensors[name], row, STATE, STATE)
