"""Pseudo-labels of given logits, their weight for the whole batch, and both kinds of margins."""

import numpy as np
import torch

from mmseg.models.uda.components.pseudo_labels import PseudoLabeler
from tests.goldens.harness import strided


def run(case):
    meta, logits = case.meta, case.tensor('logits')
    plain = PseudoLabeler(meta['threshold'])(logits)
    pixels = plain.labels.numel()
    assert abs(float(plain.weight[0, 0, 0]) * pixels - meta['pixels_above']) <= _close_calls(logits, meta['threshold'])
    np.testing.assert_allclose(float(plain.weight.mean()), meta['quality_weight'], rtol=1e-6)
    histogram = torch.bincount(plain.labels.flatten(), minlength=logits.shape[1])
    rows = PseudoLabeler(meta['threshold'], meta['ignore_top'], meta['ignore_bottom'])(logits).weight
    masked = PseudoLabeler(meta['threshold'])(logits, case.tensor('valid_pseudo_mask')[:, 0].bool()).weight
    ours = {'pseudo_label': plain.labels, 'weight_valid_mask': masked}
    for key, expected in case.arrays.items():
        if key == 'label_histogram':
            np.testing.assert_array_equal(histogram, expected)
        elif key == 'weight_row_profile_ignore':
            np.testing.assert_allclose(rows.mean(dim=2), expected, rtol=1e-6)
        else:
            name, stride = strided(key)
            np.testing.assert_allclose(ours[name][..., ::stride, ::stride], expected, rtol=1e-6, err_msg=key)


def _close_calls(logits, threshold):
    """Pixels so near to the threshold that rounding decides."""
    confidence = logits.softmax(1).max(1).values
    return int(((confidence - threshold).abs() < 1e-6).sum()) + 1e-6
