"""Images and label maps at half size, before coding."""

import numpy as np

from tools.convert_datasets.mapillary_resize import half_image, half_label


def run(case):
    for number, row in enumerate(case.meta['cases']):
        image, label = case.inputs[f'image{number}'], case.inputs[f'label{number}'].astype(np.uint8)
        smaller = half_image(image), half_label(label)
        assert [list(part.shape[:2]) for part in smaller] == [row['out'], row['out']]
        np.testing.assert_array_equal(smaller[0], case.arrays[f'image{number}'])
        np.testing.assert_array_equal(smaller[1], case.arrays[f'label{number}'])
