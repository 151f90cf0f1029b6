import math

import pytest
import torch
from torch import nn

from mmseg.models.backbones.drop_path import DropPath
from mmseg.models.backbones.mix_transformer import MixVisionTransformer
from mmseg.models.backbones.mix_transformer_blocks import Attention
from mmseg.registry import MODELS


def tiny(**options):
    sizes = {'embed_dims': (8, 16, 24, 32), 'num_heads': (1, 2, 3, 4), 'depths': (1, 2, 1, 1), 'qkv_bias': True}
    return MixVisionTransformer(**sizes, **options)


def test_attention_is_softmax_of_scaled_products():
    torch.manual_seed(0)
    attention = Attention(12, 3, qkv_bias=True, sr_ratio=2).double()
    x = torch.randn(2, 6, 4, 12, dtype=torch.float64)

    reduced = attention.norm(attention.sr(x.permute(0, 3, 1, 2)).flatten(2).transpose(1, 2))
    query = attention.q(x.flatten(1, 2))
    key, value = attention.kv(reduced).split(12, dim=-1)
    heads = []
    for head in range(3):
        channels = slice(4 * head, 4 * head + 4)
        scores = query[..., channels] @ key[..., channels].transpose(1, 2) / math.sqrt(4)
        heads.append(scores.softmax(dim=-1) @ value[..., channels])
    expected = attention.proj(torch.cat(heads, dim=-1)).view(2, 6, 4, 12)

    torch.testing.assert_close(attention(x), expected)


def test_memory_layout_does_not_matter():
    backbone = tiny().double().eval()
    images = torch.randn(2, 3, 64, 96, dtype=torch.float64)
    expected = backbone(images)
    for ours, level in zip(backbone(images.to(memory_format=torch.channels_last)), expected, strict=True):
        torch.testing.assert_close(ours, level)


@pytest.mark.parametrize('name', ['mit_b0', 'mit_b5'])
def test_norm_epsilons(name):
    with torch.device('meta'):
        backbone = MODELS.build({'type': name})
    for key, module in backbone.named_modules():
        if isinstance(module, nn.LayerNorm):
            behind_convolution = key.startswith('patch_embed') or key.endswith('attn.norm')
            assert module.eps == (1e-5 if behind_convolution else 1e-6), key


@pytest.mark.parametrize(('size', 'levels'), [(29, (8, 4, 2, 1)), (65, (17, 9, 5, 3))])
def test_odd_sizes_are_rounded_up(size, levels):
    shapes = [level.shape[2:] for level in tiny().eval()(torch.zeros(1, 3, size, size))]
    assert shapes == [(n, n) for n in levels]


def test_too_small_images_are_refused():
    with pytest.raises(ValueError, match='28x40 pixels are too small.*29'):
        tiny()(torch.zeros(1, 3, 28, 40))


def test_unsplittable_width_is_refused():
    with pytest.raises(ValueError, match='10 channels cannot be split into 3 heads'):
        MixVisionTransformer(embed_dims=(10, 16, 24, 32), num_heads=(3, 2, 3, 4))


@pytest.mark.parametrize('kind', ['mit_b0', 'MixVisionTransformer'])
def test_settings_without_effect_are_taken(kind):
    idle = {
        'style': 'pytorch',
        'pretrained': None,
        'img_size': 224,
        'patch_size': 4,
        'drop_rate': 0.0,
        'init_cfg': None,
    }
    with torch.device('meta'):
        assert MODELS.build({'type': kind, **idle})
        assert MODELS.build({'type': kind, 'in_chans': 4}).patch_embed1.proj.in_channels == 4
    with pytest.raises(ValueError, match='not drop_rate=0.1 or attn_drop_rate=0'):
        MODELS.build({'type': kind, 'drop_rate': 0.1})
    with pytest.raises(ValueError, match='no init_cfg, but pretrained names the weights'):
        MODELS.build({'type': kind, 'init_cfg': {'type': 'Pretrained', 'checkpoint': 'a.pth'}})


def test_a_published_size_is_fixed():
    with pytest.raises(ValueError, match='depths of a published size are fixed; take MixVisionTransformer'):
        MODELS.build({'type': 'mit_b0', 'depths': (1, 1, 1, 1)})


def test_drop_path_grows_linearly():
    backbone = tiny(drop_path_rate=0.4)
    rates = [
        getattr(block.drop_path, 'drop_prob', 0.0) for i in range(1, 5) for block in getattr(backbone, f'block{i}')
    ]
    assert rates == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert isinstance(backbone.block1[0].drop_path, nn.Identity)


def test_drop_path_drops_samples_and_keeps_the_mean():
    torch.manual_seed(0)
    drop = DropPath(0.3).train()
    out = drop(torch.ones(20000, 2, 3))
    flat = out.flatten(1)
    assert (flat == flat[:, :1]).all(), 'a sample is dropped as a whole'
    assert flat[:, 0].unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert abs(float(flat[:, 0].mean()) - 1) < 6 * math.sqrt(0.3 / 0.7 / 20000)
    assert torch.equal(drop.eval()(out), out)


def test_drop_path_draws_anew_for_each_residual():
    torch.manual_seed(0)
    block = tiny(drop_path_rate=0.9).train().block4[0]
    masks = []
    block.drop_path.register_forward_hook(lambda module, inputs, out: masks.append(out.flatten(1).any(dim=1)))
    block(torch.randn(64, 2, 2, 32))
    assert len(masks) == 2
    assert not torch.equal(*masks)


@pytest.mark.parametrize('rate', [1.0, -0.1])
def test_impossible_drop_rate(rate):
    with pytest.raises(ValueError, match='drop path rate'):
        DropPath(rate)


def test_initialisation_divides_by_groups():
    torch.manual_seed(0)
    backbone = MODELS.build({'type': 'mit_b0'})
    backbone.init_weights()
    depthwise = torch.cat([block.mlp.dwconv.dwconv.weight.detach().flatten() for block in backbone.block3])
    assert float(depthwise.std()) == pytest.approx(math.sqrt(2 / 9), rel=0.05)
    linear = backbone.block4[0].mlp.fc1
    assert float(linear.weight.detach().std()) == pytest.approx(0.02, rel=0.02)
    assert not linear.bias.any()
    assert not backbone.pretrained_loaded
