"""The baseline must give what the fast step gives, or its time says nothing; operations are those of the formulas."""

import pytest
import torch
from torch import nn

from benchmarks._flops import count
from benchmarks._launches import count_launches
from benchmarks._plain import make_optimizers_plain, make_plain
from benchmarks._synthetic import loader_batch
from benchmarks._timeline import Timeline
from tests.models.uda.test_dacs import AUGMENTED, method_for, sgd
from tests.models.uda.toy import random_batch

FEATURE_DISTANCE = {**AUGMENTED, 'feature_distance': {'weight': 0.5, 'classes': None}}


def trained(plain):
    method = method_for(FEATURE_DISTANCE, pretrained_loaded=True)
    if plain:
        make_plain(method)
    optimizer = sgd(method)
    if plain:
        make_optimizers_plain(optimizer)
    losses = [method.compute_gradients(random_batch(seed=7))]
    optimizer.step()
    optimizer.zero_grad()
    method.iteration = 1
    losses.append(method.compute_gradients(random_batch(seed=8)))
    return losses, list(method.model.parameters()), list(method.ema_model.parameters())


def test_the_baseline_computes_the_same():
    (ours, weights, teacher), (theirs, other_weights, other_teacher) = trained(False), trained(True)
    for mine, plain in zip(ours, theirs, strict=True):
        assert mine.keys() == plain.keys()
        for name in mine:
            assert float(mine[name]) == pytest.approx(float(plain[name]), rel=1e-6), name
    for mine, plain in zip(weights, other_weights, strict=True):
        torch.testing.assert_close(mine, plain)
        torch.testing.assert_close(mine.grad, plain.grad)
    torch.testing.assert_close(teacher, other_teacher)


@pytest.mark.parametrize('groups', [1, 4])
def test_operations_of_a_convolution_and_its_backward(groups):
    convolution = nn.Conv2d(8, 12, 3, padding=1, groups=groups)
    x = torch.randn(2, 8, 5, 6, requires_grad=True)
    forward = 2 * 12 * (8 // groups) * 9 * 2 * 5 * 6
    assert count(lambda: convolution(x.detach())) == forward
    assert count(lambda: convolution(x).sum().backward()) == 3 * forward
    assert count(lambda: convolution(x.detach()).sum().backward()) == 2 * forward


def test_operations_of_attention():
    query = torch.randn(1, 2, 16, 8, requires_grad=True)
    key = torch.randn(1, 2, 4, 8, requires_grad=True)
    attention = nn.functional.scaled_dot_product_attention
    forward = 2 * 2 * 16 * 4 * (8 + 8)
    with torch.no_grad():
        assert count(lambda: attention(query, key, key)) == forward


def test_launches_are_what_computes():
    x = torch.randn(4, 6)
    assert count_launches(lambda: x.t().reshape(4, 6)[1:]) == 1  # the copy of what lies across
    assert count_launches(lambda: torch.empty_like(x).detach()) == 0
    assert count_launches(lambda: (x + 1).mul_(2)) == 2
    assert count_launches(lambda: torch._foreach_add_([x, x], 1)) == 1


def test_made_up_batches_look_like_a_loaders():
    data = loader_batch((64, 96), 2, 5, adapts=True, depth=True)
    source, target = data['source'], data['target']
    assert source['image'].dtype == source['label'].dtype == target['depth'].dtype == torch.uint8
    assert source['image'].shape == (2, 3, 64, 96) and source['label'].shape == target['depth'].shape == (2, 64, 96)
    assert set(source['label'].unique().tolist()) <= {0, 1, 2, 3, 4, 255} and 'label' not in target


def test_a_timeline_gives_all_time_to_somebody():
    timeline = Timeline(torch.device('cpu'))
    timeline.switch('outer')
    timeline.part('inner', lambda: None)()
    timeline.switch('end')
    parts = timeline.milliseconds()
    assert set(parts) == {'outer', 'inner'} and all(value >= 0 for value in parts.values())
    assert timeline.milliseconds() == {}
