"""Every term of the comparison of all crops with each target image."""

import numpy as np
import torch

from mmseg.models.uda.components.depth_bank import class_depth_histogram
from mmseg.models.uda.components.depth_similarity import BankIndex

TERMS, TOTAL = 2e-6, 1e-5


def run(case):
    bank = case.tensor('bank')
    target = class_depth_histogram(case.tensor('pseudo_label'), case.tensor('depth'), bank.shape[1])
    np.testing.assert_array_equal(target.numpy(), case.arrays['hist'])
    index = BankIndex(bank)
    found = index.compare(target, torch.arange(len(index)).expand(len(target), -1))
    for name, ours, tolerance in (
        ('class_cosine', found.cosine, TERMS),
        ('class_l1', found.distance, TERMS),
        ('class_similarity', found.classes, TERMS),
        ('size_cosine', found.size_cosine, TERMS),
        ('total', found.total, TOTAL),
    ):
        np.testing.assert_allclose(ours.numpy(), case.arrays[name], rtol=0, atol=tolerance, err_msg=name)
    match = index.match(target)
    np.testing.assert_array_equal(match.best.numpy(), case.arrays['best'])
    np.testing.assert_allclose(match.score.numpy(), case.arrays['score'], rtol=0, atol=TERMS)
