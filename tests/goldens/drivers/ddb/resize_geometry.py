"""Sizes of resized images; the options are those of the 0.x ``Resize``."""

import numpy as np

from mmseg.datasets.randomness import Draws, sample_generator
from mmseg.datasets.transforms import Resize


def run(case):
    sizes = []
    for (height, width), row in zip(case.inputs['size'], case.meta['rows'], strict=True):
        options = dict(row['options'])
        resize = Resize(scale=tuple(options.pop('img_scale')), **options)
        results = {'img': np.zeros((height, width, 3), np.uint8), 'draws': Draws(sample_generator(0, 0))}
        sizes.append(resize(results)['img'].shape[:2])
        assert list(sizes[-1]) == row['output']
    np.testing.assert_array_equal(sizes, case.arrays['out'])
