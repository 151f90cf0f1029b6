"""Lovász-softmax and cross-entropy, with ignored pixels and missing classes."""

import numpy as np

from mmseg.models.losses import CrossEntropyLoss
from mmseg.models.losses.lovasz import lovasz_softmax
from tests.goldens.drivers.proca import networks


def run(case):
    meta, labels = case.meta, case.tensor('labels')
    logits = case.tensor('logits').requires_grad_()
    loss = lovasz_softmax(logits.softmax(dim=1), labels)
    loss.backward()
    np.testing.assert_allclose(float(loss.detach()), case.arrays['loss'][0], rtol=meta['rtol'])
    networks.close('gradient', logits.grad, case.arrays['grad_logits'], meta['rtol'], meta['atol_rel_to_absmax'])
    np.testing.assert_allclose(float(logits.grad.norm()), meta['grad_norm'], rtol=meta['rtol'])
    ce = CrossEntropyLoss(avg_non_ignore=True)(logits, labels)
    np.testing.assert_allclose(float(ce.detach()), meta['ce'], rtol=meta['rtol'])
