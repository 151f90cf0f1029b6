"""What holds for every registered encoder."""

import pytest
import torch

from mmseg.models.backbones import Backbone
from mmseg.registry import MODELS

D8 = {'strides': (1, 2, 1, 1), 'dilations': (1, 1, 2, 4), 'contract_dilation': True}
X50 = {'depth': 50, 'groups': 32, 'base_width': 4}
MIT = ((64, 128, 320, 512), (4, 8, 16, 32))
CNN = (256, 512, 1024, 2048)

# type, options, channels, strides, parameters (specification, 2; None where it states none)
VARIANTS = [
    ('mit_b0', {}, (32, 64, 160, 256), (4, 8, 16, 32), 3_319_392),
    ('mit_b1', {}, *MIT, 13_151_424),
    ('mit_b2', {}, *MIT, 24_196_288),
    ('mit_b3', {}, *MIT, 44_072_128),
    ('mit_b4', {}, *MIT, 60_842_688),
    ('mit_b5', {}, *MIT, 81_443_008),
    ('MixVisionTransformer', {}, (64, 128, 256, 512), (4, 8, 16, 32), None),
    ('ResNet', {'depth': 34}, (64, 128, 256, 512), (4, 8, 16, 32), None),
    ('ResNet', {'depth': 50}, CNN, (4, 8, 16, 32), 23_508_032),
    ('ResNetV1c', {'depth': 18}, (64, 128, 256, 512), (4, 8, 16, 32), 11_195_744),
    ('ResNetV1c', {'depth': 50, **D8}, CNN, (4, 8, 8, 8), 23_527_264),
    ('ResNetV1c', {'depth': 101, **D8}, CNN, (4, 8, 8, 8), 42_519_392),
    ('ResNetV1c', {'depth': 50, 'num_stages': 3, 'out_indices': (1, 2)}, (512, 1024), (8, 16), None),
    ('ResNetV1d', {'depth': 50, **D8, 'multi_grid': (1, 2, 4)}, CNN, (4, 8, 8, 8), 23_527_264),
    ('ResNeXt', {**X50, **D8}, CNN, (4, 8, 8, 8), 23_680_358 - 700_454),
    ('ResNeXt', {**X50, 'depth': 101, **D8}, CNN, (4, 8, 8, 8), 42_829_158 - 700_454),
    ('ResNeSt', {'depth': 50, **D8}, CNN, (4, 8, 8, 8), 26_134_694 - 700_454),
    ('ResNeSt', {'depth': 101, 'stem_channels': 128, **D8}, CNN, (4, 8, 8, 8), 46_926_470 - 700_454),
    ('ResNeSt', {'depth': 200, 'stem_channels': 128, **D8}, CNN, (4, 8, 8, 8), 68_852_998 - 700_454),
    (
        'TIMMBackbone',
        {'model_name': 'tf_efficientnet_lite0', 'out_indices': (1, 2, 3, 4)},
        (24, 40, 112, 320),
        (4, 8, 16, 32),
        None,
    ),
    ('TIMMBackbone', {'model_name': 'resnet18', 'output_stride': 8}, (64, 64, 128, 256, 512), (2, 4, 8, 8, 8), None),
]


def _ids(variant):
    return f'{variant[0]}-' + '-'.join(str(value) for value in list(variant[1].values())[:2])


def build(kind, options, device='meta'):
    with torch.device(device):
        return MODELS.build({'type': kind, **options})


def test_every_registered_encoder_is_in_the_table():
    MODELS.get('mit_b0')  # imports all modules
    registered = {name for name, kind in MODELS.module_dict.items() if issubclass(kind, Backbone)}
    assert registered == {variant[0] for variant in VARIANTS}


@pytest.mark.parametrize('variant', VARIANTS, ids=_ids)
def test_levels_and_parameters(variant):
    kind, options, channels, strides, parameters = variant
    backbone = build(kind, options).eval()
    with torch.no_grad():
        levels = backbone(torch.empty(1, 3, 64, 96, device='meta'))
    assert [tuple(level.shape) for level in levels] == [
        (1, c, 64 // s, 96 // s) for c, s in zip(channels, strides, strict=True)
    ]
    assert backbone.out_channels == list(channels)
    assert not backbone.pretrained_loaded
    if parameters is not None:
        assert sum(parameter.numel() for parameter in backbone.parameters()) == parameters


SMALL = [
    ('mit_b0', {'with_cp': True}),
    ('ResNet', {'depth': 18, 'with_cp': True}),
    ('ResNeSt', {'depth': 50, 'with_cp': True, 'num_stages': 2, 'out_indices': (0, 1)}),
]


@pytest.mark.parametrize(('kind', 'options'), SMALL, ids=lambda value: value if isinstance(value, str) else None)
def test_checkpointing_changes_nothing(kind, options):
    recomputing = build(kind, options, 'cpu').double()
    plain = build(kind, {**options, 'with_cp': False}, 'cpu').double()
    plain.load_state_dict(recomputing.state_dict())
    images = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    gradients = []
    for backbone in (recomputing, plain):
        torch.manual_seed(0)  # drop path
        sum(level.square().mean() for level in backbone.train()(images)).backward()
        gradients.append([parameter.grad for parameter in backbone.parameters()])
    for ours, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize('kind', ['mit_b0', 'ResNetV1c', 'TIMMBackbone'])
def test_pretrained_must_be_a_name(kind):
    options = {'ResNetV1c': {'depth': 18}, 'TIMMBackbone': {'model_name': 'resnet18'}}.get(kind, {})
    with pytest.raises(ValueError, match='file name'):
        build(kind, {**options, 'pretrained': True})
