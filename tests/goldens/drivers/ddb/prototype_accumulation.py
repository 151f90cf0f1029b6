"""Running means over images of the features of predicted classes."""

import numpy as np

from mmseg.models.resize import resize
from mmseg.models.uda.components.prototypes import PrototypeBank, resized_class_sums


def run(case):
    meta, size = case.meta, case.meta['upsample']['size']
    assert (meta['upsample']['mode'], meta['upsample']['align_corners']) == ('bilinear', False)
    start = case.tensor('prototypes')
    bank = PrototypeBank(*start.shape, rule='image_mean').double()
    bank.set(start, case.tensor('counts').long())
    tolerance = meta['tolerance']['float64']
    for number in range(meta['batches']):
        labels = resize(case.tensor(f'logits{number}'), size).argmax(dim=1)
        sums = resized_class_sums(case.tensor(f'feature{number}'), labels, meta['num_classes'])
        assert sums.counts.tolist() == meta['per_batch'][number]['pixels']
        counted = sums.counts >= bank.rule.min_pixels
        assert counted.nonzero()[:, 1].tolist() == meta['per_batch'][number]['ids']
        if number == 0:
            means = (sums.sums / sums.counts[..., None])[counted]
            np.testing.assert_allclose(means, case.arrays['first_batch_means'], rtol=0, atol=tolerance)
        bank.take(sums)
    np.testing.assert_array_equal(bank.counts, case.arrays['counts'])
    largest = np.abs(case.arrays['prototypes']).max()
    np.testing.assert_allclose(bank.vectors, case.arrays['prototypes'], rtol=0, atol=tolerance * largest)
