"""The cascade: stages read each other, all learn, the last one predicts."""

import copy

import pytest
import torch

from mmseg.models.resize import resize
from mmseg.registry import MODELS
from tests.models.segmentors.small_cascade import COARSE, FINE, build_cascade, cascade_config
from tests.models.segmentors.small_hrda import CLASSES
from tests.models.segmentors.small_networks import images

SIZE = (32, 48)
THREE = (COARSE, FINE, {**FINE, 'channels': 10})
DROPPING = ({**COARSE, 'channels': 64, 'dropout_ratio': 0.5}, FINE)


def batch():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(CLASSES, (2, *SIZE), generator=generator)
    return images(2, 3, *SIZE), labels, torch.rand(2, *SIZE, generator=generator, dtype=torch.float64)


def counters(network):
    return {name: int(value) for name, value in network.named_buffers() if 'num_batches' in name and 'decode' in name}


def test_output_holds_all_stages_and_the_last_embedding():
    for heads, names in (((COARSE, FINE), {'aux': (8, 12)}), (THREE, {'aux_0': (8, 12), 'aux_1': (4, 6)})):
        network = build_cascade(heads=heads)
        out = network(batch()[0])
        sizes = {name: tuple(x.shape[2:]) for name, x in out.logits.items()}
        assert sizes == {**names, 'main': (4, 6)}
        assert list(network.auxiliary_heads) == list(names)
        assert out.crop_box is None and len(out.features) == 2
        torch.testing.assert_close(network.decode_head[-1].conv_seg(out.embedding), out.logits['main'])


def test_stages_read_the_one_before():
    network = build_cascade(heads=THREE)
    out = network(batch()[0])
    second = network.decode_head[1](out.features, out.logits['aux_0']).logits['main']
    torch.testing.assert_close(out.logits['aux_1'], second)
    torch.testing.assert_close(out.logits['main'], network.decode_head[2](out.features, second).logits['main'])


def test_every_stage_is_weighted_and_named_as_published():
    x, labels, weight = batch()
    network = build_cascade(heads=THREE)
    out = network(x)
    losses = network.losses(out, labels, weight)
    assert list(losses) == [f'decode_{index}.{key}_seg' for index in range(3) for key in ('loss', 'acc')]
    for index, name in enumerate(['aux_0', 'aux_1', 'main']):
        logits = resize(out.logits[name], SIZE)
        plain = torch.nn.functional.cross_entropy(logits, labels, reduction='none')
        expected = (0.4 if index == 0 else 1) * (plain * weight).mean()
        torch.testing.assert_close(losses[f'decode_{index}.loss_seg'], expected)


def test_first_stage_with_several_predictions():
    several = {'type': 'DAHead', 'pam_channels': 2, **{key: COARSE[key] for key in ('channels', 'num_classes')}}
    network = build_cascade(heads=({**several, 'in_channels': 6, 'in_index': 0}, FINE))
    x, labels, _ = batch()
    out = network(x)
    assert set(out.logits) == {'aux', 'aux.pam', 'aux.cam', 'main'}
    direct = network.decode_head[0]
    expected = direct.losses(direct(out.features).logits, labels)
    losses = network.losses(out, labels)
    torch.testing.assert_close({key: losses[f'decode_0.{key}'] for key in expected}, expected)


def test_last_loss_teaches_the_first_stage_but_not_its_bias():
    """The weights of a class do not change if a constant is added to its scores."""
    network = build_cascade().train()
    x, labels, _ = batch()
    network.losses(network(x), labels)['decode_1.loss_seg'].backward()
    first = network.decode_head[0].conv_seg
    assert first.weight.grad.abs().max() > 1e-6
    assert first.bias.grad.abs().max() < 1e-12 * first.weight.grad.abs().max() + 1e-15


def test_prediction_is_the_last_stage_or_the_first():
    x = batch()[0]
    network = build_cascade()
    out = network(x)
    torch.testing.assert_close(network.encode_decode(x), resize(out.logits['main'], SIZE))
    network.inference_use_first_head = True
    network.decode_head[1].register_forward_hook(lambda *_: pytest.fail('the second stage ran'))
    torch.testing.assert_close(network.encode_decode(x), resize(out.logits['aux'], SIZE))


def test_running_statistics_of_earlier_stages_move_twice_in_training_alone():
    x = batch()[0]
    for repeat, expected in ((True, 2), (False, 1)):
        network = build_cascade(heads=THREE, repeat_norm_update=repeat).train()
        network(x)
        counts = counters(network)
        earlier = {counts[name] for name in counts if not name.startswith('decode_head.2.')}
        assert earlier == {expected} and counts['decode_head.2.pm.bottleneck.bn.num_batches_tracked'] == 1
        teacher = copy.deepcopy(network)
        teacher.encode_decode(x)  # as a teacher in train mode looks at images
        assert all(teacher_count == counts[name] + 1 for name, teacher_count in counters(teacher).items())


def test_repeating_equals_running_the_stage_twice():
    x = batch()[0]
    network = build_cascade().train()
    head = copy.deepcopy(network.decode_head[0])
    features = network(x).features
    head(features)
    head(features)
    for name, value in head.named_buffers():
        torch.testing.assert_close(network.decode_head[0].get_buffer(name), value)


def test_loss_and_next_stage_see_different_channels_dropped():
    network = build_cascade(heads=DROPPING).train()
    seen = []
    network.decode_head[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    out = network(batch()[0])
    assert (seen[0] - out.logits['aux']).abs().max() > 1e-3
    network.eval()
    out = network(batch()[0])
    torch.testing.assert_close(seen[1], out.logits['aux'])


def test_num_classes_is_set_for_all_stages_at_once():
    network = build_cascade(num_classes=3)
    assert network.num_classes == 3
    assert {x.shape[1] for x in network(batch()[0]).logits.values()} == {3}


def test_all_stages_are_initialised():
    network = build_cascade(heads=THREE)
    for head in network.decode_head:
        torch.nn.init.constant_(head.conv_seg.bias, 1)
    network.backbone.init_weights = lambda: None
    network.init_weights()
    assert not any(head.conv_seg.bias.any() for head in network.decode_head)
    assert all(head.conv_seg.weight.std() < 0.02 for head in network.decode_head)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'decode_head': COARSE}, 'must list num_stages=2 heads, got one dict'),
        ({'num_stages': 3}, 'num_stages=3 heads, got a list of 2'),
        ({'heads': (FINE, FINE)}, r'decode_head\[0\]: PMDAV2 refines another prediction'),
        ({'heads': (COARSE, COARSE)}, r'decode_head\[1\]: FCNHead does not read the stage before'),
        ({'heads': (COARSE, {**FINE, 'num_classes': 7})}, r'the stages predict \[5, 7\] classes'),
        ({'auxiliary_head': COARSE}, 'remove auxiliary_head'),
    ],
)
def test_what_is_no_cascade_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(cascade_config(**changes))


def test_a_crop_box_is_refused():
    with pytest.raises(ValueError, match='no detail crop'):
        build_cascade()(batch()[0], torch.tensor([0, 8, 0, 8]))
