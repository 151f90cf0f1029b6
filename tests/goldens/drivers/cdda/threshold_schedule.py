"""Thresholds at given iterations."""

import numpy as np

from mmseg.models.uda.components.depth_guidance import DepthGuidance


def run(case):
    for number in range(len(case.meta['configs'])):
        names = ('reweight_threshold', 'relabel_threshold', 'threshold_decay')
        guidance = DepthGuidance(**{name: float(case.inputs[f'c{number}_{name}']) for name in names})
        ours = [guidance.thresholds(int(iteration)) for iteration in case.inputs['iterations']]
        np.testing.assert_allclose(ours, case.arrays[f'c{number}'], rtol=0, atol=1e-6)
