"""The contrast loss and its gradient."""

import numpy as np

from mmseg.models.uda.components.contrast import prototype_contrast
from tests.goldens.drivers.proca import networks


def run(case):
    meta = case.meta
    features = case.tensor('feat').requires_grad_()
    # Positions in a row.
    grid, labels = features.t()[None, :, None], case.tensor('labels')[None, None]
    loss = prototype_contrast(grid, labels, case.tensor('proto'), meta['options']['tau'])
    loss.backward()
    np.testing.assert_allclose(float(loss.detach()), case.arrays['loss'][0], rtol=meta['rtol'])
    networks.close('gradient', features.grad, case.arrays['grad_feat'], meta['rtol'], meta['atol_rel_to_absmax'])
    np.testing.assert_allclose(float(features.grad.norm()), meta['grad_norm'], rtol=meta['rtol'])
