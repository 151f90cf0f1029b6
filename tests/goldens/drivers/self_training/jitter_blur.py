"""Colour jitter with given factors and order, blur with given width."""

import re

import numpy as np
import torch

from mmseg.models.uda.components.strong_augment import blur_kernel_size, color_jitter, gaussian_blur


def run(case):
    mean, std = _normalisation(case.meta['jitter_input'])
    ours = {}
    for i, item in enumerate(case.meta['jitter']):
        images = case.tensor(f'jitter_img{i}')
        batch = len(images)
        # One number of each kind, or one for each image.
        factors = case.tensor(f'factors{i}').reshape(4, -1).t().expand(batch, 4)
        order = case.tensor(f'order{i}').expand(batch, 4)
        ours[f'jitter{i}'] = color_jitter(images, factors, order, mean, std)
        assert list(images.shape) == item['shape']
    for i, item in enumerate(case.meta['blur']):
        images = case.tensor(f'blur_img{i}')
        assert [blur_kernel_size(side) for side in images.shape[2:]] == item['kernel_size']
        ours[f'blur{i}'] = gaussian_blur(images, case.tensor(f'sigma{i}').expand(len(images)))
    for key, expected in case.arrays.items():
        name, _, form = key.partition('_')
        tolerance = 2e-4 if name.startswith('jitter') else 1e-5
        np.testing.assert_allclose(_sampled(ours[name], form), expected, rtol=0, atol=tolerance, err_msg=key)


def _sampled(images, form):
    if not form:
        return images
    if form == 'borders':
        return torch.cat([images[..., 0, :].flatten(), images[..., -1, :].flatten()])
    stride = int(form.removeprefix('s'))
    return images[..., ::stride, ::stride]


def _normalisation(text):
    found = re.search(r'mean \[(.*?)\] std \[(.*?)\]', text)
    return (torch.tensor([float(v) for v in values.split(',')], dtype=torch.float64) for values in found.groups())
