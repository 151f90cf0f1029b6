"""Labels reduced to the size of the features."""

import numpy as np
import pytest

from mmseg.models.uda.components.feature_distance import IGNORE, downscale_label


def run(case):
    for i, item in enumerate(case.meta['items']):
        labels = case.tensor(f'gt{i}')[:, 0]
        small = downscale_label(labels, item['scale_factor'], item['min_ratio'], item['num_classes'])[:, None]
        assert str(small.dtype) == item['dtype']
        np.testing.assert_array_equal(small, case.arrays[f'out{i}'], err_msg=f'item {i}')
        assert float((small == IGNORE).double().mean()) == pytest.approx(item['ignored'], abs=1e-6)
