"""Training side of the segmentor: forward, losses of all heads, building."""

import pytest
import torch

from mmseg.models.resize import resize
from mmseg.registry import MODELS
from tests.models.segmentors.small_networks import CLASSES, NegatingNeck, TwoLevelEncoder, build, fcn, images

AUX = fcn(6, index=0, loss_decode={'type': 'CrossEntropyLoss', 'loss_weight': 0.4})


def batch():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(CLASSES, (2, 16, 24), generator=generator)
    weight = torch.rand(2, 16, 24, generator=generator, dtype=torch.float64)
    return images(2, 3, 16, 24), labels, weight


def test_forward_gives_features_logits_and_embedding():
    network = build()
    out = network(images(2, 3, 16, 24))
    assert [tuple(x.shape) for x in out.features] == [(2, 6, 8, 12), (2, 8, 4, 6)]
    assert {key: tuple(x.shape) for key, x in out.logits.items()} == {'main': (2, CLASSES, 4, 6)}
    torch.testing.assert_close(network.decode_head.conv_seg(out.embedding), out.logits['main'])
    assert out.crop_box is None


def test_features_are_those_behind_the_neck():
    plain, necked = build(), build(neck={'type': NegatingNeck})
    x = images(1, 3, 16, 24)
    for a, b in zip(plain(x).features, necked(x).features, strict=True):
        torch.testing.assert_close(a, -b)
    assert not torch.equal(plain(x).logits['main'], necked(x).logits['main'])


def test_losses_have_the_published_names():
    x, labels, weight = batch()
    for auxiliary, names in [(None, []), (AUX, ['aux']), ([AUX, AUX], ['aux_0', 'aux_1'])]:
        network = build(auxiliary_head=auxiliary)
        out = network(x)
        assert set(out.logits) == {'main', *names}
        losses = network.losses(out, labels, weight)
        assert list(losses) == [f'{name}.{key}_seg' for name in ['decode', *names] for key in ('loss', 'acc')]


def test_losses_of_an_auxiliary_head_with_several_predictions():
    aux = {**AUX, 'type': 'DAHead', 'pam_channels': 2}
    for key in ('num_convs', 'kernel_size', 'concat_input'):
        aux.pop(key)
    network = build(auxiliary_head=[fcn(6, index=0), aux])
    x, labels, _ = batch()
    out = network(x)
    assert set(out.logits) == {'main', 'aux_0', 'aux_1', 'aux_1.pam', 'aux_1.cam'}
    losses = network.losses(out, labels)
    direct = network.auxiliary_head[1]
    expected = direct.losses(direct(out.features).logits, labels)
    assert expected.keys() == {key.removeprefix('aux_1.') for key in losses if key.startswith('aux_1.')}
    torch.testing.assert_close(losses['aux_1.cam.loss_seg'], expected['cam.loss_seg'])


def test_pixel_weight_reaches_a_list_of_auxiliary_heads_but_not_a_single_one():
    x, labels, weight = batch()
    results = {}
    for name, auxiliary in [('aux', AUX), ('aux_0', [AUX])]:
        network = build(auxiliary_head=auxiliary)
        out = network(x)
        results[name] = [network.losses(out, labels, w) for w in (weight, None)]
    weighted, plain = results['aux']
    assert weighted['aux.loss_seg'] == plain['aux.loss_seg']
    assert weighted['decode.loss_seg'] != plain['decode.loss_seg']
    weighted, plain = results['aux_0']
    assert weighted['aux_0.loss_seg'] != plain['aux_0.loss_seg']


def test_encode_decode_is_the_main_prediction_at_input_size():
    network = build(auxiliary_head=AUX)
    x = images(2, 3, 17, 23)
    torch.testing.assert_close(network.encode_decode(x), resize(network(x).logits['main'], (17, 23)))


def test_a_crop_box_is_refused():
    with pytest.raises(ValueError, match='EncoderDecoder has no detail crop'):
        build()(images(1, 3, 16, 16), crop_box=torch.tensor([0, 8, 0, 8]))


def test_pretrained_goes_to_the_backbone():
    config = {'type': TwoLevelEncoder}
    assert build(backbone=config, pretrained='a.pth').backbone.pretrained == 'a.pth'
    assert config == {'type': TwoLevelEncoder}
    assert build(backbone={**config, 'pretrained': 'b.pth'}, pretrained=None).backbone.pretrained == 'b.pth'
    with pytest.raises(ValueError, match='pretrained is set both in the segmentor and in its backbone'):
        build(backbone={**config, 'pretrained': 'b.pth'}, pretrained='a.pth')


def test_init_weights_initialises_all_heads():
    network = build(
        decode_head=fcn(8, channels=300, num_classes=30), auxiliary_head=[fcn(6, channels=300, num_classes=30)]
    )
    network.init_weights()
    for head in (network.decode_head, network.auxiliary_head[0]):
        assert head.conv_seg.weight.std().item() == pytest.approx(0.01, rel=0.05)


def test_keys_of_the_state_dict():
    prefixes = {key.split('.')[0] for key in build(auxiliary_head=AUX, neck={'type': NegatingNeck}).state_dict()}
    assert prefixes == {'backbone', 'decode_head', 'auxiliary_head'}
    keys = build(auxiliary_head=[AUX, AUX]).state_dict()
    assert 'auxiliary_head.1.conv_seg.weight' in keys


def test_unknown_type_is_named():
    with pytest.raises(KeyError, match='NoSuchEncoder'):
        build(backbone={'type': 'NoSuchEncoder'})


def test_properties():
    network = build(decode_head=fcn(8, num_classes=7, align_corners=True))
    assert network.num_classes == 7
    assert network.align_corners
    assert isinstance(network, MODELS.get('EncoderDecoder'))
