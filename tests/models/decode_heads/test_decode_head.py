"""The common base: levels, classifier, initialisation, loss, errors."""

import pytest
import torch

from mmseg.models.resize import resize
from mmseg.registry import MODELS
from tests.models.decode_heads.small_heads import ALL_BN, CHANNELS, CLASSES, HEADS, ONE_BN, daformer, labels, levels


def build(name, **changes):
    torch.manual_seed(0)
    return MODELS.build({**HEADS[name], **changes})


def test_classifier_starts_small_and_other_layers_do_not():
    head = build('segformer', channels=200, num_classes=40)
    before = head.linear_pred.weight.clone()
    head.init_weights()
    assert head.conv_seg.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert not head.conv_seg.bias.any()
    assert head.linear_pred.weight.equal(before)


def test_init_cfg_replaces_the_default():
    init_cfg = {'type': 'Normal', 'std': 0.5, 'override': {'name': 'aspp_modules'}}
    head = build('dlv2', init_cfg=init_cfg)
    head.init_weights()
    weights = torch.cat([module.conv.weight.flatten() for module in head.aspp_modules])
    assert weights.std().item() == pytest.approx(0.5, rel=0.05)
    assert not any(module.conv.bias.any() for module in head.aspp_modules)


def test_resize_concat_selects_resized_levels():
    head = build('fcn_resize_concat', in_index=[1, 3], in_channels=[CHANNELS[1], CHANNELS[3]])
    features = levels()
    expected = torch.cat([features[1], resize(features[3], (7, 9))], dim=1)
    torch.testing.assert_close(head.level(features), expected)
    assert head.in_channels == CHANNELS[1] + CHANNELS[3]


def test_dropout_acts_behind_the_embedding():
    head = build('fcn', dropout_ratio=0.9, norm_cfg=None).train()
    features = levels()
    first, second = head(features), head(features)
    torch.testing.assert_close(first.embedding, second.embedding)
    assert not torch.equal(first.logits['main'], second.logits['main'])


class TestLoss:
    def test_is_cross_entropy_of_upsampled_logits_over_all_pixels(self):
        head = build('fcn').double()
        logits = head(levels(torch.float64)).logits
        log_probability = resize(logits['main'], (52, 72)).log_softmax(dim=1)
        y = labels()
        picked = -log_probability.gather(1, y.clamp(max=CLASSES - 1)[:, None])[:, 0]
        expected = picked[y != 255].sum() / y.numel()
        losses = head.losses(logits, y)
        assert losses['loss_seg'].item() == pytest.approx(expected.item())
        correct = (log_probability.argmax(1) == y).sum().item()
        assert losses['acc_seg'].item() == pytest.approx(100 * correct / y.numel())
        assert not losses['acc_seg'].requires_grad

    def test_pixel_weight_scales_each_pixel(self):
        head = build('fcn').double()
        logits = head(levels(torch.float64)).logits
        weight = torch.zeros(2, 52, 72, dtype=torch.float64)
        assert head.losses(logits, labels(), weight)['loss_seg'].item() == 0
        weight[0] = 2
        only_first = labels()
        only_first[1] = 255
        expected = 2 * head.losses(logits, only_first)['loss_seg']
        torch.testing.assert_close(head.losses(logits, labels(), weight)['loss_seg'], expected)

    def test_ignore_index_is_an_option(self):
        head = build('fcn', ignore_index=3).double()
        logits = head(levels(torch.float64)).logits
        assert head.losses(logits, torch.full((2, 52, 72), 3))['loss_seg'].item() == 0

    def test_16_bit_logits_are_raised_before_they_are_upsampled(self):
        head = build('fcn')
        logits = head(levels()).logits['main'].detach().bfloat16()
        low, high = (head.loss(x, labels())['loss_seg'] for x in (logits, logits.float()))
        assert low.dtype == torch.float32
        assert low == high

    @pytest.mark.parametrize(
        ('y', 'weight', 'message'),
        [
            (labels()[:, None], None, r'labels must be int64 of shape \(2, H, W\), got torch.int64 \(2, 1, 52, 72\)'),
            (labels()[:1], None, r'labels must be int64 of shape \(2, H, W\)'),
            (labels().byte(), None, 'got torch.uint8'),
            (labels(), torch.ones(2, 1, 52, 72), r'pixel weight of shape \(2, 1, 52, 72\), expected'),
            (labels(), torch.ones(2, 52, 36), 'pixel weight of shape'),
        ],
    )
    def test_wrong_shapes_are_named(self, y, weight, message):
        head = build('fcn')
        with pytest.raises(ValueError, match=message):
            head.losses(head(levels()).logits, y, weight)


def test_settings_without_effect_are_taken():
    assert MODELS.build({**ONE_BN, 'type': 'FCNHead', 'sampler': None, 'decoder_params': {}})


def test_a_context_layer_has_its_own_rule_of_resizing():
    layer = {'type': 'aspp', 'sep': False, 'dilations': (1,), 'pool': True, 'norm_cfg': None, 'act_cfg': None}
    fusion = {**layer, 'context_cfg': {**layer, 'align_corners': True}}
    module = next(part for part in MODELS.build(daformer(fusion)).modules() if getattr(part, 'context_layer', None))
    assert (module.align_corners, module.context_layer.align_corners) == (False, True)


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        ({**ONE_BN, 'type': 'FCNHead', 'sampler': {'type': 'OHEMPixelSampler'}}, 'there is no sampler='),
        ({**ALL_BN, 'type': 'FCNHead'}, 'FCNHead reads one level'),
        ({**ONE_BN, 'type': 'UPerHead'}, 'UPerHead reads several levels'),
        ({**HEADS['segformer'], 'in_channels': CHANNELS[:3]}, 'lists of equal length'),
        ({**HEADS['daformer_sepaspp'], 'in_channels': CHANNELS[:3]}, 'lists of equal length'),
        ({**ONE_BN, 'type': 'FCNHead', 'input_transform': 'concat'}, "unknown input_transform 'concat'"),
        ({**ONE_BN, 'type': 'FCNHead', 'num_convs': 0}, 'needs channels=24, got 6'),
        ({**HEADS['dlv2'], 'channels': 5, 'norm_cfg': None}, 'DLV2Head has no channels, norm_cfg'),
        ({**HEADS['segformer'], 'decoder_params': {}}, 'expected embed_dim and conv_kernel_size'),
        ({**HEADS['segformer'], 'decoder_params': {'embed_dim': 8, 'dims': 8}}, 'expected embed_dim'),
        ({**HEADS['daformer_conv'], 'decoder_params': {'embed_dims': 8}}, 'expected embed_dims, embed_cfg'),
        ({**HEADS['daformer_conv'], 'align_corners': True}, 'align_corners=False only'),
        (daformer({'type': 'conv', 'kernel_size': 1}, dims=[8, 8]), '2 embed_dims for 4 levels'),
        (daformer({'type': 'attention'}), "unknown layer type 'attention'.*known: id, mlp, conv"),
        (daformer({'type': 'conv', 'kernel_size': 1}, embed={'type': 'id'}), "'id' keeps its 8 channels, but 10"),
        (daformer({'type': 'isa', 'isa_channels': 4, 'in_conv_kernel_size': None}), '40 channels come in, 6 wanted'),
    ],
)
def test_configs_that_make_no_sense_are_refused(config, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(config)
