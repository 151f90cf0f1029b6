"""HRDA networks: both scales' predictions, their fusion, losses, gradients, and the features of a feature distance."""

from __future__ import annotations

import torch
from torch import Tensor

from mmseg.models.segmentors import HRDAEncoderDecoder
from mmseg.models.segmentors.sliding_window import window_boxes
from tests.goldens.drivers.architectures import compare
from tests.goldens.drivers.architectures.network import build
from tests.goldens.harness import Case


def run(case: Case) -> None:
    ours: dict[str, Tensor] = {}
    if case.meta['do_eval']:
        ours |= _predict(case)
    if case.meta['do_train']:
        ours |= _train(case)
    compare.outputs(case, ours)


@torch.no_grad()
def _predict(case: Case) -> dict[str, Tensor]:
    network, images = build(case).eval(), case.tensor('img')
    if case.meta.get('slide_boxes') and network.hr_slide_inference:
        crop = case.meta['build']['cfg']['hr_crop_size']
        stride = [side // 2 for side in crop] if network.hr_slide_overlapping else crop
        assert [list(box) for box in window_boxes(*images.shape[2:], crop, stride)] == case.meta['slide_boxes']
    logits = network(images).logits
    upsampled = network.encode_decode(images)
    return {
        'eval_fused': logits['main'],
        'eval_lr_scaled': logits['lr'],
        'eval_hr': logits['hr'],
        'eval_logits': upsampled,
        'eval_argmax': upsampled.argmax(dim=1),
    }


def _train(case: Case) -> dict[str, Tensor]:
    network, images = build(case).train(), case.tensor('img')
    box = None if network.hr_crop_size is None else torch.tensor(case.meta['crop_box'])
    labels = case.tensor('label').squeeze(1)
    out = network(images, box)
    losses = network.losses(out, labels, case.tensor('weight') if 'weight' in case.inputs else None)
    total = sum(value.mean() for key, value in losses.items() if 'loss' in key)
    total.backward()
    compare.gradients(case, network)
    if 'buffers' in case.meta:
        compare.buffers(case, network)
    ours = {f'train.{key}': value for key, value in losses.items()} | {'train.loss': total}
    expected = {name for name in case.meta['outputs'] if name.startswith('train.')}
    assert set(ours) == expected, f'{case.id}: losses {sorted(set(ours) ^ expected)} differ'
    ours |= {'train_fused': out.logits['main'], 'train_lr_scaled': out.logits['lr'], 'train_hr': out.logits['hr']}
    return ours | _compared_features(case, network, out, labels, box)


def _compared_features(
    case: Case, network: HRDAEncoderDecoder, out, labels: Tensor, box: Tensor | None
) -> dict[str, Tensor]:
    """Last levels of the student, and those of a frozen encoder that sees the same views."""
    student = [features for features, _ in network.compared_features(out, labels)]
    if len(student) == 1:
        return {'train_feat_last': student[0]}
    with torch.no_grad():
        frozen = build(case).eval()
        reference = [frozen.extract_feat(view)[-1] for view in frozen.feature_views(case.tensor('img'), box)]
    return {f'train_feat_s{i}_last': features for i, features in enumerate(student)} | {
        f'extract_feat_s{i}_last': features for i, features in enumerate(reference)
    }
