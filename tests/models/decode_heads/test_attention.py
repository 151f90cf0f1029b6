"""Attention of DANet and ISANet against loops written from the formulas."""

import math

import pytest
import torch
import torch.nn.functional as F

from mmseg.models.decode_heads.da import ChannelAttention, PositionAttention
from mmseg.models.decode_heads.interlaced_attention import SelfAttention, attend_interlaced
from mmseg.registry import MODELS
from tests.models.decode_heads.small_heads import HEADS, labels, levels


def random_map(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_position_attention_is_unscaled_softmax_over_keys():
    torch.manual_seed(0)
    attention = PositionAttention(6, 2).double()
    attention.gamma.scale.data.fill_(0.7)
    x = random_map(2, 6, 3, 4)
    q, k, v = attention.query_project(x), attention.key_project(x), attention.value_project(x)
    expected = torch.empty_like(x)
    for b in range(2):
        for y in range(3):
            for z in range(4):
                share = torch.einsum('c,chw->hw', q[b, :, y, z], k[b]).flatten().softmax(0).reshape(3, 4)
                expected[b, :, y, z] = 0.7 * (share * v[b]).sum((1, 2)) + x[b, :, y, z]
    torch.testing.assert_close(attention(x), expected)


def test_channel_attention_prefers_unlike_channels():
    attention = ChannelAttention().double()
    attention.gamma.scale.data.fill_(0.7)
    x = random_map(2, 6, 3, 4)
    flat = x.flatten(2)
    energy = torch.einsum('bcn,bdn->bcd', flat, flat)
    share = (energy.max(dim=-1, keepdim=True).values - energy).softmax(dim=-1)
    expected = 0.7 * torch.einsum('bcd,bdn->bcn', share, flat).reshape_as(x) + x
    torch.testing.assert_close(attention(x), expected)


def test_both_start_as_identity():
    x = random_map(1, 6, 3, 4)
    torch.testing.assert_close(PositionAttention(6, 2).double()(x), x)
    torch.testing.assert_close(ChannelAttention().double()(x), x)


def test_danet_has_three_losses():
    head = MODELS.build({**HEADS['da'], 'dropout_ratio': 0}).double()
    logits = head(levels(torch.float64)).logits
    losses = head.losses(logits, labels())
    assert set(losses) == {f'{a}.{b}_seg' for a in ('pam_cam', 'pam', 'cam') for b in ('loss', 'acc')}
    for name, prediction in {'pam_cam': 'main', 'pam': 'pam', 'cam': 'cam'}.items():
        torch.testing.assert_close(losses[f'{name}.loss_seg'], head.loss(logits[prediction], labels())['loss_seg'])


def attend_positions(attention, x, positions):
    """softmax(q k / sqrt(d)) v among the listed positions of one map (C, h, w), then the output convolution."""
    points = torch.stack([x[:, y, z] for y, z in positions], dim=1)[None, :, :, None]
    q, k, v = (p(points)[0, :, :, 0] for p in (attention.query_project, attention.key_project, attention.value_project))
    share = (q.T @ k / math.sqrt(len(q))).softmax(dim=-1)
    return attention.output_project((v @ share.T)[None, :, :, None])[0, :, :, 0]


@pytest.mark.parametrize('size', [(4, 6), (5, 7), (1, 1)])
@pytest.mark.parametrize('num_convs', [1, 2])
def test_interlaced_attention_joins_far_then_near_positions_and_zero_padding(size, num_convs):
    torch.manual_seed(0)
    rows, columns = 2, 3
    far, near = (SelfAttention(4, 3, num_convs, act_cfg=None).double() for _ in range(2))
    x = random_map(1, 4, *size)
    height, width = -(-size[0] // rows) * rows, -(-size[1] // columns) * columns
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    padded = F.pad(x, (left, width - size[1] - left, top, height - size[0] - top))[0]

    def attended(attention, source, groups):
        result = torch.empty_like(source)
        for positions in groups:
            values = attend_positions(attention, source, positions)
            for i, (y, z) in enumerate(positions):
                result[:, y, z] = values[:, i]
        return result

    pixels = [(y, z) for y in range(height) for z in range(width)]
    same_offset = [
        [(y, z) for y, z in pixels if (y % rows, z % columns) == (a, b)] for a in range(rows) for b in range(columns)
    ]
    same_window = [
        [(y, z) for y, z in pixels if (y // rows, z // columns) == (a, b)]
        for a in range(height // rows)
        for b in range(width // columns)
    ]
    expected = attended(near, attended(far, padded, same_offset), same_window)
    expected = expected[:, top : top + size[0], left : left + size[1]]
    torch.testing.assert_close(attend_interlaced(x, (rows, columns), far, near)[0], expected)
