"""ResNet, ResNeXt and ResNeSt weights of torchvision, timm and OpenMMLab."""

import pytest
import torch

from mmseg.engine.pretrained import load_pretrained, read_encoder
from mmseg.registry import MODELS
from tests.engine.pretrained_layouts import prefixed, random_state, to_mmpretrain_deep_stem, to_timm_deep_stem

NARROW = {'base_channels': 8, 'stem_channels': 8}


def build(kind, **options):
    return MODELS.build({'type': kind, 'depth': 50} | options)


def without_counters(state):
    return {key: value for key, value in state.items() if not key.endswith('num_batches_tracked')}


def same(module, state):
    own = module.state_dict()
    return all(torch.equal(own[key], value) for key, value in state.items())


@pytest.mark.parametrize('kind', ['ResNetV1c', 'ResNetV1d', 'ResNeSt'])
@pytest.mark.parametrize(('layout', 'rename'), [('OpenMMLab', dict), ('timm', to_timm_deep_stem)])
def test_deep_stems(kind, layout, rename, tmp_path):
    module = build(kind, **NARROW)
    state = without_counters(random_state(module))
    classifier = {'fc.weight': torch.zeros(1000, 256), 'fc.bias': torch.zeros(1000)}
    torch.save({'state_dict': rename(state) | classifier}, tmp_path / 'weights.pth')
    load_pretrained(module, str(tmp_path / 'weights.pth'))
    assert same(module, state)
    found = read_encoder(tmp_path / 'weights.pth')
    assert found.layout.name == layout
    assert found.head == ('fc.weight', 'fc.bias')


@pytest.mark.parametrize(('kind', 'options'), [('ResNet', {}), ('ResNeXt', {'groups': 4, 'base_width': 16})])
def test_plain_stems(kind, options, tmp_path):
    module = build(kind, **NARROW, **options)
    state = random_state(module)
    torch.save(state, tmp_path / 'weights.pth')
    load_pretrained(module, str(tmp_path / 'weights.pth'))
    assert same(module, state)
    assert read_encoder(tmp_path / 'weights.pth').layout.name == 'torchvision'


@pytest.mark.parametrize('kind', ['ResNetV1c', 'ResNetV1d'])
def test_deep_stems_of_mmpretrain(kind, tmp_path):
    module = build(kind, **NARROW)
    state = random_state(module)
    head = {'head.fc.weight': torch.zeros(1000, 256), 'head.fc.bias': torch.zeros(1000)}
    torch.save({'state_dict': prefixed('backbone.', to_mmpretrain_deep_stem(state)) | head}, tmp_path / 'weights.pth')
    load_pretrained(module, str(tmp_path / 'weights.pth'))
    assert same(module, state)
    found = read_encoder(tmp_path / 'weights.pth')
    assert (found.layout.name, found.head) == ('OpenMMLab (mmpretrain)', tuple(head))


def test_names_and_shapes_are_those_of_torchvision_and_timm():
    """Against the libraries' own networks, on the meta device: no weights are drawn."""
    import timm
    import torchvision

    with torch.device('meta'):
        pairs = [
            (build('ResNet'), torchvision.models.resnet50()),
            (build('ResNet', depth=101), timm.create_model('resnet101')),
            (build('ResNeXt', groups=32, base_width=4), torchvision.models.resnext50_32x4d()),
            (build('ResNetV1c', depth=101), timm.create_model('resnet101c')),
            (build('ResNetV1d'), timm.create_model('resnet50d')),
            (build('ResNeSt'), timm.create_model('resnest50d')),
        ]
    for ours, theirs in pairs:
        own = {key: value.shape for key, value in ours.state_dict().items()}
        if 'stem.0.weight' in own:
            own = to_timm_deep_stem(own)
        foreign = {key: value.shape for key, value in theirs.state_dict().items() if not key.startswith('fc.')}
        assert own == foreign, type(ours)


@pytest.mark.parametrize(
    ('theirs', 'ours', 'message'),
    [
        (
            ('ResNet', {}),
            ('ResNetV1c', {}),
            r'ResNet-50 with a plain 7x7 stem, but the network is ResNet-50 with a deep stem \(4-4-8 channels\)',
        ),
        (('ResNetV1d', {}), ('ResNetV1c', {}), r'ResNet-50 .*, pooling shortcuts, but the network is ResNet-50'),
        (('ResNet', {}), ('ResNet', {'depth': 18}), r'ResNet-50 .* but the network is ResNet-18 with a plain'),
        (('ResNeXt', {'groups': 4, 'base_width': 16}), ('ResNet', {}), r'ResNeXt-50 4x16d with a plain .* ResNet-50'),
        (('ResNeSt', {}), ('ResNetV1d', {}), r'ResNeSt-50 with a deep stem .* is ResNet-50 with'),
    ],
)
def test_other_networks_stop_with_both_names(theirs, ours, message, tmp_path):
    theirs, ours = (build(kind, **NARROW, **options) for kind, options in (theirs, ours))
    torch.save(theirs.state_dict(), tmp_path / 'other.pth')
    with pytest.raises(ValueError, match=rf'other.pth: weights of {message}'):
        load_pretrained(ours, str(tmp_path / 'other.pth'))


def test_timm_networks_keep_timms_names(tmp_path):
    """A deep stem is renamed for our networks alone."""
    import timm

    whole = timm.create_model('resnet10t', pretrained=False)
    torch.save(whole.state_dict(), tmp_path / 'resnet10t.pth')
    backbone = MODELS.build(
        {'type': 'TIMMBackbone', 'model_name': 'resnet10t', 'pretrained': str(tmp_path / 'resnet10t.pth')}
    )
    backbone.init_weights()
    assert torch.equal(backbone.timm_model.state_dict()['conv1.0.weight'], whole.state_dict()['conv1.0.weight'])
