"""PMDAv2's head."""

import pytest
import torch

from mmseg.models.decode_heads.prototype_matching import image_prototypes
from mmseg.models.resize import resize
from mmseg.registry import MODELS
from tests.models.decode_heads.small_heads import CLASSES, ONE_BN, labels, levels


def build(**options):
    torch.manual_seed(0)
    settings = {'type': 'PMDAV2', 'feat_channels': 4, 'bottleneck_kernel_size': (3, 5), **options}
    return MODELS.build({**ONE_BN, **settings})


def scores(size=(4, 5), dtype=torch.float32):
    return torch.randn(2, CLASSES, *size, generator=torch.Generator().manual_seed(3), dtype=dtype)


def test_forward_and_backward_reach_everything():
    head, features, previous = build(), levels(), scores().requires_grad_()
    out = head(features, previous)
    assert out.logits['main'].shape == (2, CLASSES, 4, 5) and out.embedding.shape == (2, 6, 4, 5)
    head.losses(out.logits, labels())['loss_seg'].backward()
    assert all(parameter.grad.isfinite().all() for parameter in head.parameters())
    assert features[3].grad.abs().sum() > 0 and previous.grad.abs().sum() > 0


def test_parts_are_put_together_as_defined():
    head = build(scale=2.0).double().eval()
    features, previous = levels(torch.float64), scores(dtype=torch.float64)
    context = head.ms(features[3])
    matched = head.pm(context, image_prototypes(context, previous, scale=2.0))
    torch.testing.assert_close(head(features, previous).logits['main'], head.conv_seg(matched))


def test_scores_of_another_size_are_resized():
    head = build().double().eval()
    features, previous = levels(torch.float64), scores((8, 10), torch.float64)
    expected = head(features, resize(previous, (4, 5)))
    torch.testing.assert_close(head(features, previous).logits['main'], expected.logits['main'])


def test_evaluation_does_not_depend_on_the_batch():
    head = build().double().eval()
    features, previous = levels(torch.float64), scores(dtype=torch.float64)
    both = head(features, previous).logits['main']
    torch.testing.assert_close(both[1:], head([x[1:] for x in features], previous[1:]).logits['main'])


def test_plain_convolutions_of_any_odd_size():
    for size in (1, 3, 5):
        head = build(bottleneck_kernel_size=size)
        assert head.ms.conv.weight.shape[2:] == (size, size)
        assert head(levels(), scores()).logits['main'].shape[2:] == (4, 5)


def test_bfloat16_autocast_keeps_losses_in_float32_and_statistics_finite():
    head = build()
    with torch.autocast('cpu', torch.bfloat16):
        losses = head.losses(head(levels(), scores().bfloat16()).logits, labels())
    losses['loss_seg'].backward()
    assert losses['loss_seg'].dtype == torch.float32
    assert all(buffer.isfinite().all() for buffer in head.buffers())


def test_a_network_of_16_bits():
    head = build().eval()
    expected = head(levels(), scores()).logits['main']
    ours = head.bfloat16()([level.bfloat16() for level in levels()], scores().bfloat16()).logits['main']
    assert ours.dtype == torch.bfloat16
    torch.testing.assert_close(ours.float(), expected, rtol=0.1, atol=0.1)


def test_settings_of_the_context_are_handed_on():
    head = build(context={'out_project_kernel_size': 3})
    assert head.ms.conv2.conv.kernel_size == (3, 3)


def test_a_head_alone_is_refused():
    with pytest.raises(ValueError, match='PMDAV2 refines the prediction of another head'):
        build()(levels())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'bottleneck_kernel_size': 4}, 'bottleneck_kernel_size=4 is even'),
        ({'bottleneck_kernel_size': [3, 4]}, 'odd numbers'),
        ({'bottleneck_kernel_size': 3, 'context': {'in_project': True}}, 'settings of branches'),
    ],
)
def test_settings_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)
