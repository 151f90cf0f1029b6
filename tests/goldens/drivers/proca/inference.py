"""Class probabilities at label size: single scale, mirrored, several scales."""

import numpy as np
import torch

from mmseg.models.segmentors.inference_options import InferenceOptions
from mmseg.structures import SegDataSample
from tests.goldens.drivers.proca import networks
from tests.goldens.harness import sampled_like


@torch.no_grad()
def run(case):
    meta, options = case.meta, case.meta['options']
    network = networks.build(case).eval()
    size, image = tuple(meta['inputs']['label_size']), case.tensor('image')
    variants = {
        'single': {},
        'single_flip': {'flip_tta': True},
        'multi_flip': {'scales': options.get('scales_multi_flip'), 'flip_tta': True},
        'multi_noflip': {'scales': options.get('scales_multi_noflip')},
    }
    for name, stored in case.arrays.items():
        if name.startswith('argmax_'):
            continue
        changes = {key: value for key, value in variants[name].items() if value is not None}
        network.inference_options = InferenceOptions.from_config({'single_resize': True, **changes})
        (sample,) = network.predict(image, [SegDataSample(metainfo={'ori_shape': size})], probabilities=True)
        probabilities = sample.seg_logits.data[None]
        sampled = sampled_like(probabilities.numpy(), stored)
        np.testing.assert_allclose(sampled, stored, rtol=meta['rtol'], atol=meta['atol'], err_msg=name)
        if f'argmax_{name}' in case.arrays:
            disagree = np.mean(sample.pred_sem_seg.data.numpy() != case.arrays[f'argmax_{name}'])
            assert disagree <= 1e-3, f'{disagree:.2%} of the labels differ'
