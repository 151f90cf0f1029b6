"""The learning rate before the step of an iteration."""

import numpy as np

from mmseg.engine.schedulers import poly_rate


def run(case):
    inputs = case.inputs
    columns = zip(inputs['base_lr'], inputs['iteration'], inputs['max_iter'], inputs['power'], strict=True)
    ours = [poly_rate(float(base), int(t), int(length), float(power)) for base, t, length, power in columns]
    np.testing.assert_allclose(ours, case.meta['values'], rtol=case.meta['rtol'])
    np.testing.assert_allclose(1e4 * np.array(ours), case.arrays['lr'], rtol=1e-6)
