import pytest
import torch
import torchvision
from torch import nn

from mmseg.registry import MODELS


def build(kind='ResNet', **options):
    return MODELS.build({'type': kind, **({'depth': 50} | options)})


def meta(kind='ResNet', **options):
    with torch.device('meta'):
        return build(kind, **options)


def dilations(stage):
    return [block.conv2.dilation[0] for block in stage]


def test_key_names():
    plain, deep = meta('ResNet').state_dict(), meta('ResNetV1c').state_dict()
    assert {'conv1.weight', 'bn1.running_mean', 'layer1.0.downsample.0.weight', 'layer4.2.bn3.bias'} <= plain.keys()
    assert [key for key in deep if key.endswith('weight')][:6] == [f'stem.{i}.weight' for i in (0, 1, 3, 4, 6, 7)]
    assert 'layer1.0.downsample.1.running_var' in deep
    pooled = meta('ResNetV1d').state_dict()
    assert {'layer1.0.downsample.1.weight', 'layer2.0.downsample.2.weight'} <= pooled.keys()
    assert not any('downsample.0' in key for key in pooled)
    split = meta('ResNeSt').state_dict()
    assert {f'layer1.0.conv2.{name}.weight' for name in ('conv', 'bn0', 'fc1', 'bn1', 'fc2')} <= split.keys()
    assert not any(key.startswith('layer1.0.bn2') for key in split)


def test_contracted_dilations():
    backbone = meta(strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), contract_dilation=True)
    assert dilations(backbone.layer3) == [1, 2, 2, 2, 2, 2]
    assert dilations(backbone.layer4) == [2, 4, 4]
    assert dilations(meta(strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4)).layer4) == [4, 4, 4]


@pytest.mark.parametrize('kind', ['ResNetV1d', 'ResNeXt'])
def test_multi_grid_sets_every_block_of_the_last_stage(kind):
    backbone = meta(kind, dilations=(1, 1, 2, 4), multi_grid=(1, 2, 4), contract_dilation=True)
    assert dilations(backbone.layer4) == [1, 2, 4]
    assert [block.conv2.padding[0] for block in backbone.layer4] == [1, 2, 4]
    assert dilations(backbone.layer3)[0] == 1


def test_basic_blocks_dilate_their_first_convolution_only():
    block = meta(depth=18, dilations=(1, 1, 1, 2)).layer4[1]
    assert (block.conv1.dilation, block.conv2.dilation) == ((2, 2), (1, 1))


def test_styles():
    block = meta(style='caffe').layer2[0]
    assert (block.conv1.stride, block.conv2.stride) == ((2, 2), (1, 1))
    block = meta().layer2[0]
    assert (block.conv1.stride, block.conv2.stride) == ((1, 1), (2, 2))


def test_resnext_width():
    assert meta('ResNeXt', groups=32, base_width=4).layer1[0].conv2.weight.shape == (128, 4, 3, 3)
    assert meta('ResNeXt', groups=32, base_width=8).layer2[0].conv2.weight.shape == (512, 16, 3, 3)


def test_resnest_options():
    block = meta('ResNeSt', reduction_factor=8).layer4[0].conv2
    assert block.fc1.out_channels == 512 * 2 // 8
    assert block.conv.stride == (1, 1)
    assert [meta('ResNeSt', reduction_factor=factor).layer4[0].conv2.fc1.out_channels for factor in (3, 4, 6)] == [
        341,
        256,
        170,
    ]
    assert meta('ResNeSt', reduction_factor=6).layer1[0].conv2.fc1.out_channels == 32
    strided = meta('ResNeSt', avg_down_stride=False).layer4[0]
    assert strided.conv2.conv.stride == (2, 2)
    assert strided.avd_last is None
    assert meta('ResNeSt').layer4[0].avd_last is not None
    assert meta('ResNeSt', strides=(1, 2, 1, 1)).layer4[0].avd_last is None


def test_norm_eval_keeps_statistics_but_learns():
    backbone = build(depth=18, norm_eval=True)
    assert backbone.train() is backbone
    before = {key: value.clone() for key, value in backbone.named_buffers()}
    backbone(torch.randn(2, 3, 32, 32))[-1].sum().backward()
    assert all(torch.equal(value, before[key]) for key, value in backbone.named_buffers())
    assert backbone.bn1.weight.grad is not None
    assert build(depth=18).train().bn1.training


@pytest.mark.parametrize(('kind', 'stem'), [('ResNet', 'bn1'), ('ResNetV1c', 'stem')])
def test_frozen_stages(kind, stem):
    backbone = build(kind, depth=18, frozen_stages=1)
    for _ in range(2):
        backbone.train()
        frozen = [getattr(backbone, stem), backbone.layer1]
        assert not any(module.training for part in frozen for module in part.modules())
        assert not any(parameter.requires_grad for part in frozen for parameter in part.parameters())
        assert all(parameter.requires_grad for parameter in backbone.layer2.parameters())
        assert backbone.layer2.training
    assert all(p.requires_grad for p in build(kind, depth=18, frozen_stages=0).layer1.parameters())


def test_fixed_norms():
    backbone = build(depth=18, norm_cfg={'type': 'BN', 'requires_grad': False})
    assert not backbone.layer3[0].bn1.weight.requires_grad
    assert backbone.conv1.weight.requires_grad


@pytest.mark.parametrize(('kind', 'depth'), [('ResNetV1c', 18), ('ResNet', 50), ('ResNeSt', 50)])
def test_blocks_start_as_identity(kind, depth):
    backbone = build(kind, depth=depth)
    backbone.init_weights()
    for block in backbone.layer3:
        last = block.bn2 if depth == 18 else block.bn3
        assert not last.weight.any()
        assert bool((block.bn1.weight == 1).all())
    other = build(kind, depth=depth, zero_init_residual=False)
    other.init_weights()
    assert all(bool((m.weight == 1).all()) for m in other.modules() if isinstance(m, nn.BatchNorm2d))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'depth': 51}, 'no depth 51; there are 18, 34, 50, 101, 152'),
        ({'style': 'tensorflow'}, 'style must be'),
        ({'out_indices': (4,)}, 'out_indices'),
        ({'num_stages': 5}, 'num_stages'),
        ({'strides': (1, 2)}, 'as many strides'),
        ({'multi_grid': (1, 2)}, 'multi_grid needs a dilation for each of 3 blocks'),
        ({'frozen_stages': 7}, 'frozen_stages'),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        meta(**options)


def test_grouped_networks_have_no_basic_blocks():
    with pytest.raises(ValueError, match='ResNeXt: no depth 18'):
        meta('ResNeXt', depth=18)


@pytest.mark.parametrize(
    ('name', 'kind', 'options', 'theirs'),
    [
        ('resnet18', 'ResNet', {'depth': 18}, {}),
        ('resnet34', 'ResNet', {'depth': 34}, {}),
        ('resnet50', 'ResNet', {'depth': 50}, {}),
        ('resnext50_32x4d', 'ResNeXt', {'groups': 32, 'base_width': 4}, {}),
        (
            'resnet50',
            'ResNet',
            {'strides': (1, 2, 1, 1), 'dilations': (1, 1, 2, 4), 'contract_dilation': True},
            {'replace_stride_with_dilation': [False, True, True]},
        ),
    ],
)
def test_same_as_torchvision(name, kind, options, theirs):
    torch.manual_seed(0)
    reference = getattr(torchvision.models, name)(**theirs).eval()
    backbone = build(kind, **options).eval()
    missing, unexpected = backbone.load_state_dict(reference.state_dict(), strict=False)
    assert not missing
    assert all(key.startswith('fc.') for key in unexpected)
    images = torch.randn(1, 3, 64, 96)
    x = reference.maxpool(reference.relu(reference.bn1(reference.conv1(images))))
    with torch.no_grad():
        for i, level in enumerate(backbone(images)):
            x = getattr(reference, f'layer{i + 1}')(x)
            torch.testing.assert_close(level, x, rtol=1e-4, atol=1e-4)
