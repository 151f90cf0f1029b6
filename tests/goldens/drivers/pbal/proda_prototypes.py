"""Class means of images, the running mean over them, and the moving average of training."""

import re

import numpy as np
import torch

from mmseg.models.uda.components.prototypes import PrototypeBank, class_sums, image_means
from tests.goldens.drivers.pbal import networks


def run(case):
    options = case.meta['options']
    least = int(re.search(r'minimum (\d+) pixels', options['build'])[1])
    classes, channels = case.meta['outputs']['prototypes_mean']['shape']
    mean, moving = (
        PrototypeBank(classes, channels, rule).double()
        for rule in (
            {'type': 'image_mean', 'min_pixels': least},
            {'type': 'image_momentum', 'momentum': options['moving_momentum'], 'min_pixels': least},
        )
    )
    vectors, ids = [], []
    batches = sum(name.startswith('feat') for name in case.inputs)
    for i in range(batches):
        features, labels = case.tensor(f'feat{i}'), case.tensor(f'out{i}').argmax(dim=1)
        if f'label{i}' in case.inputs:
            labels = torch.where(labels == case.tensor(f'label{i}'), labels, 255)
        means, taken = image_means(class_sums(features, labels, classes), least, sync=False)
        image, number = taken.nonzero(as_tuple=True)
        vectors.append(means[image, number])
        ids.append(number)
        mean.update(features, labels)
    # Those of the first batch are stored.
    found = {'vectors': vectors[0], 'ids': ids[0]}
    for name, value in found.items():
        networks.check(case, name, value)
    networks.check(case, 'prototypes_mean', mean.vectors)
    np.testing.assert_array_equal(mean.counts, case.arrays['out/counts'])
    moving.set(mean.vectors, mean.counts)
    moving.update(features, labels)
    networks.check(case, 'prototypes_moving', moving.vectors)
