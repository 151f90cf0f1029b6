"""Dilated depthwise convolutions as sums of shifted maps: the same numbers as torch's own."""

import pytest
import torch
from torch import nn

from mmseg.models.decode_heads import shifted_conv
from mmseg.models.decode_heads.aspp import aspp_branches
from mmseg.models.decode_heads.shifted_conv import ShiftedConv2d


def both(size, kernel, dilation, memory_format=torch.contiguous_format, dtype=torch.float64):
    """Result and gradients of torch's convolution and of ours."""
    torch.manual_seed(0)
    reach = [d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True)]
    conv = ShiftedConv2d(6, 6, kernel, padding=reach, dilation=dilation, groups=6, bias=False).to(dtype)
    x = torch.randn(2, 6, *size, dtype=dtype).to(memory_format=memory_format)
    grad = torch.randn(2, 6, *size, dtype=dtype)
    results = []
    for forward in (super(ShiftedConv2d, conv).forward, conv):
        leaf = x.clone().requires_grad_()
        conv.zero_grad()
        out = forward(leaf)
        out.backward(grad)
        results.append([out.detach(), leaf.grad, conv.weight.grad.clone()])
    return results


@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ('size', 'kernel', 'dilation'),
    [
        ((9, 14), (3, 3), (2, 2)),
        ((8, 8), (3, 3), (6, 6)),
        ((8, 5), (3, 3), (8, 12)),  # only the column, or the centre, of the kernel meets the map
        ((7, 9), (5, 1), (2, 3)),
        ((6, 6), (2, 4), (2, 2)),
    ],
)
def test_it_equals_torch(size, kernel, dilation, memory_format):
    torchs, ours = both(size, kernel, dilation, memory_format)
    for expected, got in zip(torchs, ours, strict=True):
        torch.testing.assert_close(got, expected)


def test_gradients_that_nobody_wants_are_not_made():
    conv = ShiftedConv2d(4, 4, 3, padding=2, dilation=2, groups=4, bias=False)
    conv.weight.requires_grad_(False)
    x = torch.randn(1, 4, 6, 6, requires_grad=True)
    conv(x).sum().backward()
    assert x.grad is not None
    assert conv.weight.grad is None


@pytest.mark.parametrize(
    'options',
    [
        {'groups': 2, 'dilation': 2, 'padding': 2, 'bias': False},
        {'groups': 4, 'dilation': 1, 'padding': 1, 'bias': False},
        {'groups': 4, 'dilation': 2, 'padding': 1, 'bias': False},
        {'groups': 4, 'dilation': 2, 'padding': 'same', 'bias': False},
        {'groups': 4, 'dilation': 2, 'padding': 2, 'bias': True},
        {'groups': 4, 'dilation': 2, 'padding': 2, 'stride': 2, 'bias': False},
        {'groups': 4, 'dilation': 2, 'padding': 2, 'padding_mode': 'reflect', 'bias': False},
    ],
)
def test_other_convolutions_are_torchs(options, monkeypatch):
    monkeypatch.setattr(shifted_conv, '_ShiftedSum', None)
    conv = ShiftedConv2d(4, 4, 3, **options)
    x = torch.randn(1, 4, 8, 8)
    assert torch.equal(conv(x), nn.Conv2d.forward(conv, x))


def test_low_precision_and_exports_are_torchs(monkeypatch):
    monkeypatch.setattr(shifted_conv, '_ShiftedSum', None)
    conv = ShiftedConv2d(4, 4, 3, padding=2, dilation=2, groups=4, bias=False)
    x = torch.randn(1, 4, 8, 8)
    with torch.autocast('cpu', torch.bfloat16):
        assert conv(x).dtype == torch.bfloat16
    program = torch.export.export(conv, (x,))
    assert 'conv2d' in str(program.graph)


def test_separable_aspp_branches_use_it_and_keep_a_configured_convolution():
    branches = aspp_branches(4, 6, (1, 6), separable=True, norm_cfg={'type': 'BN'})
    assert [type(m) for m in branches.modules() if isinstance(m, nn.Conv2d)] == [nn.Conv2d, *[ShiftedConv2d] * 2]
    branches = aspp_branches(4, 6, (1, 6), separable=True, conv_cfg={'type': 'Conv2d'})
    assert not any(isinstance(m, ShiftedConv2d) for m in branches.modules())
