import math

import pytest
import torch

from mmseg.models.losses.symmetric import mrent, mrkld, reverse_cross_entropy


def test_reverse_cross_entropy_is_the_mass_on_other_classes():
    """-log 1e-4 for all probability that is not on the label, 0 for that on it."""
    logits = torch.randn(2, 4, 5, 6, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(0, 4, (2, 5, 6))
    labels[0, :2] = 255
    kept = labels != 255
    own = logits.softmax(dim=1).gather(1, labels.where(kept, 0)[:, None])[:, 0]
    expected = -math.log(1e-4) * (1 - own)[kept].mean()
    loss = reverse_cross_entropy(logits, labels)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    loss.backward()
    assert logits.grad[0, :, :2].abs().max() == 0


def test_nothing_labelled_costs_nothing():
    logits = torch.randn(1, 3, 4, 4, requires_grad=True)
    loss = reverse_cross_entropy(logits, torch.full((1, 4, 4), 255))
    loss.backward()
    assert loss.item() == 0 and logits.grad.abs().max() == 0


@pytest.mark.parametrize(('loss', 'lowest'), [(mrkld, math.log(5)), (mrent, -math.log(5))])
def test_regularisers_want_all_classes_alike(loss, lowest):
    uniform = torch.zeros(1, 5, 3, 3, dtype=torch.float64)
    assert loss(uniform).item() == pytest.approx(lowest)
    assert loss(torch.randn(1, 5, 3, 3)).item() > lowest
