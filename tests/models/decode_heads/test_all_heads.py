"""What every registered head must do."""

import inspect

import pytest
import torch

from mmseg.models.decode_heads import BaseDecodeHead
from mmseg.registry import MODELS
from tests.models.decode_heads.small_heads import CLASSES, HEADS, labels, levels

SIZE_OF = {'dlv2': (4, 5), 'fcn': (4, 5), 'aspp': (4, 5), 'sep_aspp_no_c1': (4, 5), 'isa': (4, 5), 'da': (4, 5)}
SIZE_OF |= {'psp': (4, 5), 'dlv2_adapter': (4, 5), 'proda': (4, 5)}
FINEST = (13, 18)

each_head = pytest.mark.parametrize('name', HEADS)


def build(name, dtype=torch.float32, **changes):
    torch.manual_seed(0)
    return MODELS.build({**HEADS[name], **changes}).to(dtype)


def test_every_registered_head_is_tested():
    registered = {
        name
        for name, entry in MODELS.module_dict.items()
        if inspect.isclass(entry) and issubclass(entry, BaseDecodeHead) and entry.__module__.startswith('mmseg.')
    }
    # These two take more than the levels of one image and have tests of their own.
    single_scale = registered - {'HRDAHead', 'PMDAV2'}
    assert single_scale == {config['type'] for config in HEADS.values()}


@each_head
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_forward_and_backward(name, dtype):
    head = build(name, dtype)
    features = levels(dtype)
    out = head(features)
    size = SIZE_OF.get(name, FINEST)
    for logits in out.logits.values():
        assert logits.shape == (2, CLASSES, *size)
        assert logits.dtype == dtype
    assert out.embedding.shape == (2, head.embedding_channels, *size)
    assert out.embedding.dtype == dtype

    losses = head.losses(out.logits, labels())
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    for parameter_name, parameter in head.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, parameter_name
            assert parameter.grad.isfinite().all(), parameter_name
    assert features[3].grad.abs().sum() > 0


@each_head
def test_evaluation_does_not_depend_on_the_batch(name):
    head = build(name, torch.float64).eval()
    features = levels(torch.float64)
    with torch.no_grad():
        both = head(features).logits['main']
        second = head([x[1:] for x in features]).logits['main']
    torch.testing.assert_close(both[1:], second)


@each_head
def test_main_logits_classify_the_embedding(name):
    head = build(name, torch.float64).eval()
    out = head(levels(torch.float64))
    torch.testing.assert_close(out.logits['main'], head.classify(out.embedding))
    if head.classifier is not None:
        torch.testing.assert_close(out.logits['main'], head.classifier(out.embedding))


@each_head
def test_bfloat16_autocast_keeps_losses_in_float32(name):
    head = build(name)
    with torch.autocast('cpu', torch.bfloat16):
        losses = head.losses(head(levels()).logits, labels())
    assert {value.dtype for key, value in losses.items() if 'loss' in key} == {torch.float32}


@each_head
def test_state_dict_round_trip_of_a_copy(name):
    head, other = build(name).eval(), build(name).eval()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1)
    other.load_state_dict(head.state_dict())
    torch.testing.assert_close(other(levels()).logits['main'], head(levels()).logits['main'])
