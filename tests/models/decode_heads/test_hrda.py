"""HRDA's head: fusion against its formula, over every single-scale head; shares of the loss."""

import pytest
import torch
import torch.nn.functional as F

from mmseg.models.decode_heads.hrda import attention_config
from mmseg.models.detail_crop import DetailView
from mmseg.registry import MODELS
from tests.models.decode_heads.small_heads import BN, CHANNELS, CLASSES, HEADS

IMAGE, CROP = (128, 160), (64, 64)
STRIDES = (4, 8, 8, 8)
BOX = torch.tensor([32, 96, 48, 112])
DLV2 = HEADS['dlv2']


def build(single=DLV2, seed=0, **changes):
    torch.manual_seed(seed)
    settings = {key: value for key, value in single.items() if key != 'type'}
    config = {'type': 'HRDAHead', 'single_scale_head': single['type'], 'scales': [0.5, 1], **settings, **changes}
    return MODELS.build(config).double()


def levels(height, width, seed):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(2, channels, height // stride, width // stride, dtype=torch.float64, generator=generator)
        for channels, stride in zip(CHANNELS, STRIDES, strict=True)
    ]


CONTEXT = levels(IMAGE[0] // 2, IMAGE[1] // 2, 1)
DETAIL = levels(*CROP, 2)
CROPPED = DetailView(IMAGE, CROP, BOX)


def up(x):
    return F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False)


@pytest.mark.parametrize('name', HEADS)
def test_works_over_every_head(name):
    # Divisible by the number of groups where a head has group norms.
    head = build(HEADS[name], lr_loss_weight=0.2, hr_loss_weight=0.3, attention_embed_dim=12)
    out = head(CONTEXT, DETAIL, CROPPED)
    labels = torch.randint(0, CLASSES, (2, *IMAGE))
    losses = head.losses(out.logits, labels, detail_labels=labels[:, 32:96, 48:112])
    assert set(losses) == {f'{part}{key}' for part in ('', 'lr.', 'hr.') for key in ('loss_seg', 'acc_seg')}
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    for part in (head.head, head.scale_attention):
        assert any(parameter.grad is not None for parameter in part.parameters())
    assert all(p.grad.isfinite().all() for p in head.parameters() if p.grad is not None)
    assert out.embedding.shape[0] == 2
    head.eval()
    assert torch.equal(head(CONTEXT, DETAIL, CROPPED).embedding, head.head(CONTEXT).embedding)


def test_fusion_in_a_crop():
    """Stride 8: the mask is on cells of 16 pixels of the image, the detail on cells of 8."""
    head = build()
    logits = head(CONTEXT, DETAIL, CROPPED).logits
    low, fine = head.head(CONTEXT).logits['main'], head.head(DETAIL).logits['main']
    attention = head.scale_attention(CONTEXT).logits['main'].sigmoid()
    mask = torch.zeros(8, 10, dtype=torch.float64)
    mask[2:6, 3:7] = 1
    inserted = torch.zeros(2, CLASSES, 16, 20, dtype=torch.float64)
    inserted[:, :, 4:12, 6:14] = fine
    scaled = (1 - attention * mask) * low
    torch.testing.assert_close(logits['main'], up(attention * mask) * inserted + up(scaled))
    torch.testing.assert_close(logits['lr'], scaled)
    torch.testing.assert_close(logits['attention'], attention * mask)
    assert torch.equal(logits['hr'], fine) and torch.equal(logits['context'], low)


def test_mask_of_a_box_off_the_context_grid_is_truncated():
    attention = build()(CONTEXT, DETAIL, DetailView(IMAGE, CROP, torch.tensor([40, 104, 24, 88]))).logits['attention']
    rows = attention[0, 0].any(dim=1).nonzero().flatten().tolist()
    columns = attention[0, 0].any(dim=0).nonzero().flatten().tolist()
    assert (rows, columns) == ([2, 3, 4, 5], [1, 2, 3, 4])


@pytest.mark.parametrize('output', ['fused', 'LR', 'HR', 'ATT'])
def test_outputs_where_the_detail_is_everywhere(output):
    whole = levels(*IMAGE, 3)
    head = build(test_output=output)
    low, fine = head.head(CONTEXT).logits['main'], head.head(whole).logits['main']
    weight = up(head.scale_attention(CONTEXT).logits['main'].sigmoid())
    fused = weight * fine + up((1 - head.scale_attention(CONTEXT).logits['main'].sigmoid()) * low)
    expected = {
        'fused': fused,
        'LR': up(low),
        'HR': fine,
        'ATT': (weight * fused.softmax(dim=1)).sum(dim=1, keepdim=True),
    }
    torch.testing.assert_close(head(CONTEXT, whole, DetailView(IMAGE, IMAGE)).logits['main'], expected[output])


def test_published_spelling_of_the_attention_output():
    assert build(debug_output_attention=True).test_output == 'ATT'


def test_detail_that_was_merged_from_windows():
    head, view = build().eval(), DetailView(IMAGE, CROP)
    merged = torch.randn(2, CLASSES, 16, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    out = head.combine(CONTEXT, head.head(CONTEXT), merged, view, 8)
    assert out.logits['hr'] is merged
    attention, context = out.logits['attention'], out.logits['context']
    expected = up(attention) * merged + up((1 - attention) * context)
    torch.testing.assert_close(out.logits['main'], expected)


def test_fixed_attention_has_no_weights():
    head = build(fixed_attention=0.25)
    assert head.scale_attention is None and head.unused_parts == ('scale_attention',)
    assert build().unused_parts == ()
    assert not [name for name in head.state_dict() if 'scale_attention' in name]
    attention = head(CONTEXT, DETAIL, CROPPED).logits['attention']
    assert attention.unique().tolist() == [0, 0.25]


def test_one_attention_map():
    head = build(attention_classwise=False)
    out = head(CONTEXT, DETAIL, CROPPED)
    assert out.logits['attention'].shape == (2, 1, 8, 10)
    assert head.num_classes == CLASSES


def test_attention_of_daformer_is_a_plain_fusion_of_its_own_width():
    config = attention_config(HEADS['daformer_sepaspp'], 7, 3)
    assert (config['channels'], config['num_classes'], config['decoder_params']['embed_dims']) == (7, 3, 7)
    assert config['decoder_params']['fusion_cfg'] == {
        'type': 'conv', 'kernel_size': 1, 'act_cfg': {'type': 'ReLU'}, 'norm_cfg': BN,
    }  # fmt: skip
    isa = HEADS['daformer_aspp_context']['decoder_params']['fusion_cfg']['context_cfg']
    kept = {**HEADS['daformer_sepaspp'], 'decoder_params': {'embed_dims': 4, 'fusion_cfg': isa}}
    assert attention_config(kept, 7, 3)['decoder_params']['fusion_cfg'] == isa
    assert attention_config(DLV2, 7, 3) == {**DLV2, 'num_classes': 3}
    assert HEADS['daformer_sepaspp']['decoder_params']['fusion_cfg']['type'] == 'aspp'


def test_losses_are_shared_out():
    head = build(lr_loss_weight=0.2, hr_loss_weight=0.3)
    logits = head(CONTEXT, DETAIL, CROPPED).logits
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, CLASSES, (2, *IMAGE), generator=generator)
    weight = torch.rand(2, *IMAGE, dtype=torch.float64, generator=generator)
    detail, detail_weight = labels[:, 32:96, 48:112], weight[:, 32:96, 48:112]
    losses = head.losses(logits, labels, weight, detail, detail_weight)
    for key, share, prediction, target, factor in (
        ('loss_seg', 0.5, 'main', labels, weight),
        ('lr.loss_seg', 0.2, 'lr', labels, weight),
        ('hr.loss_seg', 0.3, 'hr', detail, detail_weight),
    ):
        scores = F.interpolate(logits[prediction], size=target.shape[1:], mode='bilinear')
        expected = share * (F.cross_entropy(scores, target, reduction='none') * factor).mean()
        torch.testing.assert_close(losses[key], expected)
    assert set(build().losses(logits, labels)) == {'loss_seg', 'acc_seg'}


def test_weights_are_initialised_in_both_decoders():
    init = {'type': 'Constant', 'val': 0.5, 'override': {'name': 'aspp_modules'}}
    head = build(init_cfg=init)
    head.init_weights()
    for decoder in (head.head, head.scale_attention):
        assert decoder.aspp_modules[0].conv.weight.unique().tolist() == [0.5]


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'scales': [1]}, r'two scales.*scales=\[1\]'),
        ({'hr_loss_weight': -0.7, 'lr_loss_weight': 0.4}, 'got 0.4 and -0.7'),
        ({'hr_loss_weight': -0.1}, 'got 0.0 and -0.1'),
        ({'test_output': 'lr'}, "unknown test_output 'lr'; known: fused, LR, HR, ATT"),
    ],
)
def test_bad_settings(changes, message):
    with pytest.raises(ValueError, match=message):
        build(**changes)


def test_what_the_originals_write_into_the_head_is_taken():
    assert build(enable_hr_crop=True, hr_slide_inference=False).scale_attention is not None


def test_bad_sizes():
    with pytest.raises(ValueError, match='needs images whose sides are multiples of 16 .*, got 120x160'):
        build()(CONTEXT, DETAIL, DetailView((120, 160), CROP, BOX))
    with pytest.raises(ValueError, match='needs detail crops whose sides are multiples of 8 .*, got 60x64'):
        build()(CONTEXT, DETAIL, DetailView(IMAGE, (60, 64), BOX))


def test_no_training_on_a_part():
    head = build(test_output='HR')
    with pytest.raises(ValueError, match="test_output='HR' is for looking inside"):
        head.losses(head(CONTEXT, DETAIL, CROPPED).logits, torch.zeros(2, *IMAGE, dtype=torch.int64))
