"""A step of the warm-up on source images: cross-entropy and Lovász."""

import numpy as np

from mmseg.models.uda import Supervised
from mmseg.structures import DomainBatch, TrainBatch
from tests.goldens.drivers.proca import networks
from tests.goldens.drivers.proca.proca_step import train


def run(case):
    weight = case.meta['options']['LAMBDA_LOV']
    method = Supervised(networks.build(case, weight)).double().train()

    def step(i):
        log = method.compute_gradients(TrainBatch(DomainBatch(case.tensor(f'src{i}'), case.tensor(f'label{i}'))))
        ours = {'loss_seg': log['decode.loss_seg'] + log.get('decode.loss_lovasz', 0)}
        if weight:
            ours['loss_lov'] = log['decode.loss_lovasz'] / weight
        for name, values in case.meta['losses'].items():
            np.testing.assert_allclose(float(ours[name]), values[i], rtol=case.meta['rtol_losses'], err_msg=name)

    train(case, method, case.meta['inputs']['iterations'], step)
