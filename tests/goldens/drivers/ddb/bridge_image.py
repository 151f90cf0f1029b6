"""Mixed images with given jitter and blur."""

import numpy as np
import torch

from mmseg.models.uda.components.mixing import paste
from mmseg.models.uda.components.pseudo_labels import PseudoLabels
from mmseg.models.uda.components.strong_augment import StrongAugment, StrongAugmentation, blur_kernel_size
from mmseg.structures import DomainBatch
from tests.goldens.harness import sampled_like


def run(case):
    mean, std = (torch.tensor(case.meta['img_norm'][name], dtype=torch.float64) for name in ('mean', 'std'))
    augment = StrongAugment(scope='image', blur_axes='x')
    for number, item in enumerate(case.meta['cases']):
        images = mixed_image(case, number)
        drawn = StrongAugmentation()
        if f'sigma{number}' in case.inputs:
            assert [1, blur_kernel_size(item['H'])] == item['kernel_yx']
            drawn = StrongAugmentation(sigma=case.tensor(f'sigma{number}').reshape(1))
        if f'factors{number}' in case.inputs:
            factors, order = case.tensor(f'factors{number}')[None], case.tensor(f'order{number}')[None]
            drawn = StrongAugmentation(factors, order, drawn.sigma)
        ours = augment.apply(images, drawn, mean, std)[0]
        stored = case.arrays[f'out{number}']
        atol = case.meta['tolerance']['float32']['atol']
        sampled = sampled_like(ours.numpy(), stored)
        np.testing.assert_allclose(sampled, stored, rtol=0, atol=atol, err_msg=f'image {number}')


def mixed_image(case, number):
    """(1, 3, H, W) before jitter and blur."""
    mask = case.tensor(f'mask{number}').bool()
    source = DomainBatch(case.tensor(f'source{number}')[None], torch.zeros_like(mask, dtype=torch.int64))
    target = DomainBatch(case.tensor(f'target{number}')[None])
    nothing = PseudoLabels(source.labels, torch.ones(mask.shape))
    return paste(source, target, nothing, mask).images
