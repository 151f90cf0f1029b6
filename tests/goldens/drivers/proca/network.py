"""Backbone and classifier forward, and batch-norm buffers after a forward in training mode."""

import re

import numpy as np
import torch

from mmseg.models.resize import resize
from tests.goldens.drivers.proca import networks


def run(case):
    options = case.meta['options']
    network = networks.build(case).train(options['mode'] == 'train')
    with torch.no_grad():
        out = network(case.tensor('image'))
    feature, logits = out.embedding, out.logits['main']
    assert list(feature.shape) == case.meta['feat_shape']
    ours = {'feat': feature, 'logits': logits}
    if options['classifier_size'] is not None:
        up = resize(logits, options['classifier_size'], network.align_corners)
        ours['up'] = up
        disagree = np.mean(up.argmax(dim=1).numpy() != case.arrays['up_argmax'])
        assert disagree <= 1e-3, f'{disagree:.2%} of the labels differ'
    buffers = {f'buf:{key}': value for key, value in network.named_buffers()}
    for name, stored in case.arrays.items():
        if name != 'up_argmax':
            value = {**ours, **buffers}[re.sub(r'_every_\d+.*', '', name)]
            networks.close(name, value, stored, case.meta['rtol'], case.meta['atol_rel_to_absmax'])
