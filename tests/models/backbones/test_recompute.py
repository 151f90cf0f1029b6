"""Encoders that recompute their activations: a batch counts once in running statistics, or not at all."""

import copy

import pytest
import torch
from torch import nn

from mmseg.engine.sync_batch_norm import synchronised
from mmseg.models.backbones.recompute import CountOnce, recomputed
from mmseg.models.uda.components.batch_statistics import fixed_running_statistics
from mmseg.registry import MODELS

ENCODERS = {
    'resnet': {'type': 'ResNet', 'depth': 18, 'num_stages': 2, 'out_indices': (0, 1)},
    'timm': {'type': 'TIMMBackbone', 'model_name': 'test_efficientnet'},  # its blocks, in its own code
    'timm by levels': {'type': 'TIMMBackbone', 'model_name': 'test_resnet'},
}


def encoder(name, with_cp):
    torch.manual_seed(0)
    return MODELS.build({**ENCODERS[name], 'with_cp': with_cp}).double().train()


def images(seed=0):
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def trained(network, fixed=False):
    """Gradients and statistics of two forward passes, one of them with fixed statistics if asked, and one backward."""
    if fixed:
        with fixed_running_statistics(network):
            first = network(images())
    else:
        first = network(images())
    sum(level.square().mean() for level in [*first, *network(images(1))]).backward()
    return [parameter.grad for parameter in network.parameters()], dict(network.named_buffers())


def batches(network):
    return {int(value) for key, value in network.named_buffers() if key.endswith('num_batches_tracked')}


@pytest.mark.parametrize('fixed', [False, True])
@pytest.mark.parametrize('name', ENCODERS)
def test_statistics_and_gradients_are_those_without(name, fixed):
    network = encoder(name, with_cp=True)
    gradients, statistics = trained(network, fixed)
    expected_gradients, expected = trained(encoder(name, with_cp=False), fixed)
    assert batches(network) == {2 - fixed}
    torch.testing.assert_close(statistics, expected)
    torch.testing.assert_close(gradients, expected_gradients)


@pytest.mark.parametrize('name', ENCODERS)
def test_norms_work_as_always_afterwards(name):
    network = encoder(name, with_cp=True)
    trained(network, fixed=True)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert all(norm.track_running_stats and norm.num_batches_tracked == 1 for norm in norms)
    with torch.no_grad():
        network(images(2))
        assert batches(network) == {2}
        network.eval()
        for norm in norms:
            norm.train()  # as AdaBN does
        network(images(2))
    assert batches(network) == {3}


@pytest.mark.parametrize('name', ENCODERS)
def test_a_copy_counts_in_its_own_statistics(name):
    network = encoder(name, with_cp=True)
    trained(network)
    trained(twin := copy.deepcopy(network))
    assert batches(network) == {2} and batches(twin) == {4}


@pytest.mark.parametrize('name', ENCODERS)
def test_synchronised_norms_count_once_too(name):
    network = encoder(name, with_cp=True)
    trained(network)
    trained(synchronised(network))
    assert batches(network) == {4}


def test_norms_in_eval_mode_stay_as_they_are():
    block = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4).eval(), nn.BatchNorm2d(4, track_running_stats=False))
    seen = []
    block[1].register_forward_hook(lambda norm, inputs, output: seen.append(norm.running_mean))
    recomputed(block, torch.randn(2, 3, 4, 4, requires_grad=True)).sum().backward()
    assert len(seen) == 2 and all(mean is block[1].running_mean for mean in seen)
    assert block[1].num_batches_tracked == 0 and not block[2].track_running_stats


def test_statistics_come_back_after_an_error():
    network = nn.Sequential(nn.BatchNorm2d(3))
    mean = network[0].running_mean
    with CountOnce().forward(network):
        network(torch.ones(1, 3, 2, 2))
    assert network[0].running_mean is mean and network[0].num_batches_tracked == 1
    with pytest.raises(ValueError, match='expected 4D input'):
        network(torch.ones(3))
    assert network[0].running_mean is mean and network[0].num_batches_tracked == 1
