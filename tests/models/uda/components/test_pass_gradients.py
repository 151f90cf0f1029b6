"""Gradients of passes are summed as autograd sums them."""

import pytest
import torch
from torch import nn

from mmseg.models.uda.components.pass_gradients import added_together


def networks():
    torch.manual_seed(0)
    return nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)])


def gradients(layers, together):
    """Of three passes: the first two reach the first layer, the last the second; none reaches the third."""
    torch.manual_seed(1)
    for number in (0, 0, 1):
        loss = layers[number](torch.randn(3, 4)).square().sum()
        if together:
            with added_together([layers, layers[0]]):  # a network that two optimizers have
                loss.backward()
        else:
            loss.backward()
    return [weight.grad for weight in layers.parameters()]


def test_sums_are_autograds():
    for ours, theirs in zip(gradients(networks(), True), gradients(networks(), False), strict=True):
        assert (ours is None) == (theirs is None)
        assert ours is None or torch.equal(ours, theirs)


def test_gradients_before_an_error_stay():
    layers = networks()
    before = gradients(layers, True)
    values = [None if gradient is None else gradient.clone() for gradient in before]
    with pytest.raises(RuntimeError, match='no loss'), added_together([layers]):
        layers[0](torch.ones(1, 4)).sum().backward()
        raise RuntimeError('no loss')
    for weight, gradient, value in zip(layers.parameters(), before, values, strict=True):
        assert weight.grad is gradient and (value is None or torch.equal(gradient, value))
