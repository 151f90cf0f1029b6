"""Learning rates of both parts of the network and of the discriminator; the iteration counts from 1 there."""

import numpy as np

from mmseg.engine.schedulers import poly_rate


def run(case):
    for name, stored in case.meta['outputs'].items():
        inputs = case.inputs[name]
        length, power = int(inputs['max_iter']), float(inputs['power'])
        ours = [
            [poly_rate(float(base), int(iteration), length, power) for base in inputs['base_lr']]
            for iteration in inputs['iterations']
        ]
        np.testing.assert_allclose(ours, case.arrays[f'out/{name}'], rtol=stored['tolerance']['rtol'], err_msg=name)
