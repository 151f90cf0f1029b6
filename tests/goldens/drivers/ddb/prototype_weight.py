"""Distances of features to prototypes, and the classes' weights."""

import numpy as np
import torch

from mmseg.models.uda.components.prototype_distance import prototype_distances, prototype_weights


def run(case):
    for dtype, name in ((torch.float64, 'float64'), (torch.float32, 'float32')):
        distances = prototype_distances(case.tensor('feature', dtype), case.tensor('prototypes', dtype))
        ours = {'distance': distances, 'weight': prototype_weights(distances)}
        for key, values in ours.items():
            atol = case.meta['tolerance'][name]['atol']
            np.testing.assert_allclose(values, case.arrays[key], rtol=0, atol=atol, err_msg=f'{key} in {name}')
