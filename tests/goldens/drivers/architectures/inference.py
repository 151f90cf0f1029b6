"""Prediction in all modes: whole, slide, batched slide, other original sizes, mirrored images, several scales."""

from __future__ import annotations

import torch

from mmseg.models.segmentors.inference_options import InferenceOptions
from mmseg.models.segmentors.views import mirror
from mmseg.structures import SegDataSample
from tests.goldens.drivers.architectures import compare
from tests.goldens.drivers.architectures.network import build
from tests.goldens.harness import Case


@torch.no_grad()
def run(case: Case) -> None:
    network = build(case).eval()
    images = case.tensor('img')
    ours = {}
    for name, variant in case.meta['variants'].items():
        network.inference_options = InferenceOptions.from_config(variant['test_cfg'])
        flip = variant.get('flip')
        x = images if flip is None else mirror(images, flip)
        ori_shape = variant.get('ori_shape', list(images.shape[2:]))
        rescale = variant.get('rescale', True)
        if variant.get('logits'):
            ours[f'{name}.logits'] = network.inference_logits(x, ori_shape if rescale else None)
        probabilities = network.inference(x, ori_shape, flip, rescale)
        ours |= {f'{name}.prob': probabilities, f'{name}.argmax': probabilities.argmax(dim=1)}
    if 'aug' in case.meta:
        ours['aug.argmax'] = _augmented(network, case, len(images))
    compare.outputs(case, ours)


def _augmented(network: torch.nn.Module, case: Case, count: int) -> torch.Tensor:
    aug = case.meta['aug']
    network.inference_options = InferenceOptions.from_config({**aug['test_cfg'], 'flip_tta': True})
    scales = [case.tensor(f'aug_img{i}') for i in range(len(aug['sizes']))]
    samples = [SegDataSample(metainfo={'ori_shape': tuple(aug['ori_shape'])}) for _ in range(count)]
    return torch.cat([sample.pred_sem_seg.data for sample in network.predict(scales, samples)])
