"""The guidance loss: value, gradient, and the labels that it stands for."""

import numpy as np
import torch

from mmseg.models.uda.components.depth_relabel import SoftLabels, guidance_loss, hard_share
from tests.goldens.harness import relative_error


def run(case):
    labels = case.tensor('pseudo_label')
    images, classes = case.inputs['soft_channels'].T.tolist()
    soft = SoftLabels(images, classes, case.tensor('soft_values'))
    logits = case.tensor('logits').requires_grad_()
    loss = guidance_loss(logits, labels, soft, case.tensor('weight'))
    loss.backward()
    np.testing.assert_allclose(float(loss.detach()), case.arrays['loss'], rtol=1e-5)
    np.testing.assert_allclose(float(loss.detach()), case.meta['float64_loss'], rtol=1e-6)
    assert relative_error(logits.grad.numpy(), case.arrays['grad']) < 1e-5
    _compare_labels(case, _dense(labels, soft, logits.shape[1]))


def _dense(labels, soft, num_classes):
    """Label of every class and pixel, (B, H, W, C)."""
    one_hot = (labels[..., None] == torch.arange(num_classes)).double()
    dense = one_hot * hard_share(soft, len(labels))[..., None]
    for image, index, values in zip(*soft, strict=True):
        dense[image, ..., index] += values
    return dense


def _compare_labels(case, dense):
    sampled = case.arrays['label_after_sample']
    np.testing.assert_allclose(dense[:, ::5, ::5].numpy(), sampled, rtol=0, atol=1e-6)
    np.testing.assert_allclose(dense.sum(dim=(1, 2)).numpy(), case.arrays['label_after_sum'], rtol=1e-5, atol=1e-4)
