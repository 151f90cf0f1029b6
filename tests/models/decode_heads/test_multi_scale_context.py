"""Strip convolutions of several sizes, and the tall ones that are safe on every CPU."""

import pytest
import torch
import torch.nn.functional as F

from mmseg.models.decode_heads.multi_scale_context import MultiScaleContext
from mmseg.models.decode_heads.tall_conv import TallConv2d

CONV = {'norm_cfg': {'type': 'BN'}, 'act_cfg': {'type': 'ReLU'}}


def build(*arguments, **options):
    torch.manual_seed(0)
    return MultiScaleContext(*arguments, **options, **CONV).double().eval()


def level(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_sum_of_input_and_branches_is_projected():
    context = build(6, 4, (3, 5), branches_groups=2)
    x = level(2, 6, 7, 9)
    total = x + sum(branch(x) for branch in context.convs)
    torch.testing.assert_close(context(x), context.conv2(total))
    assert context(x).shape == (2, 4, 7, 9)


def test_a_branch_looks_at_a_square():
    """One bright pixel reaches b x b positions."""
    context = build(2, 2, [5], branches_groups=1, out_project=False)
    x = torch.zeros(1, 2, 11, 11, dtype=torch.float64, requires_grad=True)
    context(x)[0, :, 5, 5].sum().backward()
    reach = x.grad.abs().sum(dim=1)[0].nonzero()
    assert reach.amin() >= 3 and reach.amax() <= 7


def test_branches_read_the_raw_input_behind_a_projection():
    context = build(4, 3, [3], in_project=True, in_project_kernel_size=3)
    x = level(1, 4, 6, 6)
    torch.testing.assert_close(context(x), context.conv2(context.conv0(x) + context.convs[0](x)))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'branches': [7, 10]}, 'odd numbers'),
        ({'branches': []}, 'odd numbers'),
        ({'branches': [3], 'branches_groups': 4}, 'does not divide the in_channels=6'),
        ({'branches': [3], 'channels': 4}, 'channels=4 must be in_channels=6'),
        ({'branches': [3], 'out_project': False}, 'without out_project'),
    ],
)
def test_settings_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        build(6, 4, **options)


@pytest.mark.parametrize('height', [10, 11, 24])
def test_tall_convolutions_equal_plain_ones(height):
    """Heights 10 and 11 with kernel 21 break oneDNN's weight gradient, so the convolution is turned on its side."""
    torch.manual_seed(0)
    tall = TallConv2d(8, 8, (21, 1), padding=(10, 0), groups=2)
    x = level(2, 8, height, 9).float().requires_grad_()
    assert tall.is_risky(x) == (height < 21)
    out = tall(x)
    upstream = level(*out.shape)
    out.backward(upstream.float())
    plain_x, weight = x.detach().double().requires_grad_(), tall.weight.detach().double().requires_grad_()
    plain = F.conv2d(plain_x, weight, tall.bias.detach().double(), padding=(10, 0), groups=2)
    plain.backward(upstream)
    for ours, expected in ((out, plain), (x.grad, plain_x.grad), (tall.weight.grad, weight.grad)):
        torch.testing.assert_close(ours.double(), expected, rtol=1e-4, atol=1e-4)


def test_no_tall_kernel_learns_on_a_low_map():
    """What reaches the library in a whole context's training step on the heights that break it."""
    context = MultiScaleContext(8, 4, [21], branches_groups=1, **CONV).train()
    kernels = []

    class Watch(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            if func is F.conv2d:
                kernels.append(tuple(args[1].shape[2:]))
            return func(*args, **(kwargs or {}))

    with Watch():
        context(torch.randn(2, 8, 10, 12)).sum().backward()
    assert kernels == [(1, 21), (1, 21), (1, 1)]


@torch.no_grad()
def test_prediction_does_not_turn_maps():
    tall = TallConv2d(4, 4, (21, 1), padding=(10, 0))
    assert not tall.is_risky(torch.zeros(1, 4, 10, 9))
