"""The contrast of pixels with the classifier's rows, and its gradients."""

import torch

from mmseg.models.resize import resize_labels
from mmseg.models.uda.components.contrast import prototype_contrast, prototype_logits
from tests.goldens.drivers.pbal.networks import check


def run(case):
    options = case.meta['options']
    features, weight = (case.tensor(name).requires_grad_() for name in ('feat', 'prototypes'))
    labels = resize_labels(case.tensor('label'), features.shape[2:])
    stored = case.arrays['out/label_small']
    theirs = torch.from_numpy(stored)
    assert torch.equal(labels, torch.where((theirs < 0) | (theirs >= len(weight)), 255, theirs))
    rows = weight.flatten(1)
    check(case, 'cos', prototype_logits(features, rows, 1.0))
    divisor = 'all' if 'all' in options['denominator'] else 'labelled'
    loss = prototype_contrast(features, labels, rows, options['temperature'], divisor)
    check(case, 'loss', loss)
    for name, gradient in zip(('feat', 'weight'), torch.autograd.grad(loss, (features, weight)), strict=True):
        check(case, f'grad_{name}', gradient)
