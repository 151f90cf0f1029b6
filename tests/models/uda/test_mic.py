"""The masked pass in every method: what it trains on, whose teacher labels it, what is drawn when."""

import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper, OptimWrapperDict

from mmseg.models.uda import build_method
from mmseg.structures import TrainBatch
from tests.models.uda.toy import NUM_CLASSES, config, model_config, random_batch

BLOCKS = {'type': 'block', 'mask_ratio': 0.5, 'mask_block_size': 8}
TARGET = {'mode': 'separatetrg', 'generator': BLOCKS}
DACS = {'type': 'DACS', 'teacher': {'alpha': 0.7}, 'pseudo_labels': {'threshold': 0.25}}
AUGMENT = {'jitter_probability': 1.0, 'blur': True}
METHODS = ['DACS', 'AdvSeg', 'MinEnt', 'Supervised']
MODES = [name + aug for name in ('separate', 'separatesrc', 'separatetrg') for aug in ('', 'aug')]


def method_for(uda, seed=0, **settings):
    torch.manual_seed(seed)
    return build_method(config(uda, **settings)).double()


def optimizers(method, lr=0.05):
    def sgd(modules):
        return OptimWrapper(torch.optim.SGD([p for m in modules.values() for p in m.parameters()], lr=lr))

    wrappers = {name: sgd(modules) for name, modules in method.optimizer_modules().items()}
    return OptimWrapperDict(**wrappers) if len(wrappers) > 1 else wrappers['main']


def masked_loss(method, step, weight=1.0):
    """The loss of the masked pass from its definition, on a copy of the student."""
    student = copy.deepcopy(method.student)
    kept = step.decisions['mask_grid'].double()
    blocks = kept.repeat_interleave(8, 2).repeat_interleave(8, 3)
    logits = F.interpolate(
        student(step.target.images * blocks).logits['main'], step.target.images.shape[2:], mode='bilinear'
    )
    loss = F.cross_entropy(logits, step.pseudo.labels, reduction='none', ignore_index=255) * step.pseudo.weight
    return weight * loss.mean()


@pytest.mark.parametrize('update', [True, False])
def test_running_statistics_of_batch_norm_follow_masked_images_or_stay(update):
    method = method_for({**DACS, 'masking': {**TARGET, 'update_statistics': update}})
    step = method.prepare(random_batch())
    before = {name: value.clone() for name, value in method.student.named_buffers()}
    expected = masked_loss(method, step)
    losses = method.masked(step)
    torch.testing.assert_close(losses['masked.decode.loss_seg'], expected)
    stayed = [torch.equal(value, before[name]) for name, value in method.student.named_buffers()]
    assert stayed and (not all(stayed) if update else all(stayed))
    method.student(step.source.images)
    assert not all(torch.equal(value, before[name]) for name, value in method.student.named_buffers())


def head(in_channels):
    options = {'channels': 4, 'num_convs': 1, 'dropout_ratio': 0, 'num_classes': NUM_CLASSES}
    return {'type': 'FCNHead', 'in_channels': in_channels, **options}


@pytest.mark.parametrize('update', [True, False])
@pytest.mark.parametrize(
    ('backbone', 'in_channels'),
    [
        ({'type': 'ResNet', 'depth': 18, 'num_stages': 1, 'out_indices': (0,)}, 64),
        ({'type': 'TIMMBackbone', 'model_name': 'test_efficientnet', 'out_indices': (2,)}, 32),
    ],
)
def test_an_encoder_that_recomputes_learns_the_same(backbone, in_channels, update):
    uda = {**DACS, 'masking': {**TARGET, 'update_statistics': update}}
    found = []
    for with_cp in (True, False):
        model = model_config(
            type='EncoderDecoder', backbone={**backbone, 'with_cp': with_cp}, decode_head=head(in_channels)
        )
        torch.manual_seed(0)
        method = build_method({'model': model, 'uda': uda, 'train_cfg': {'max_iters': 10}}).double().train()
        method.compute_gradients(random_batch())
        student = method.student
        found.append(([parameter.grad for parameter in student.parameters()], dict(student.named_buffers())))
    assert {int(value) for name, value in found[0][1].items() if 'tracked' in name} == {3 if update else 2}
    torch.testing.assert_close(*found)


@pytest.mark.parametrize('weight', [1.0, 0.5])
def test_masked_target_images_are_trained_with_labels_of_the_whole_ones(weight):
    method = method_for({**DACS, 'masking': {**TARGET, 'weight': weight}})
    assert [one_pass.__name__ for one_pass in method.passes()] == ['supervised', 'mixed', 'masked']
    step = method.prepare(random_batch(batch=3, valid=True))
    assert method.mic.teacher is None and 0 < float(step.pseudo.weight.mean()) < 1
    expected = masked_loss(method, step, weight)
    # The passes before change nothing but running statistics, which a student in training mode does not look at.
    log = method.run_passes(step)
    torch.testing.assert_close(log['masked.decode.loss_seg'], expected.detach())
    assert set(log) == {
        f'{prefix}decode.{name}' for prefix in ('', 'mix.', 'masked.') for name in ('loss_seg', 'acc_seg')
    }


def test_gradients_are_those_without_masks_plus_the_masked_ones():
    plain, masked = method_for(DACS), method_for({**DACS, 'masking': TARGET})
    step = masked.prepare(random_batch())
    loss = masked.masked(step)['masked.decode.loss_seg']
    extra = torch.autograd.grad(loss, list(masked.student.parameters()))
    masked.run_passes(step)
    plain.compute_gradients(random_batch())
    for parameter, before, more in zip(masked.student.parameters(), plain.student.parameters(), extra, strict=True):
        torch.testing.assert_close(parameter.grad, before.grad + more, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize('uda', METHODS)
@pytest.mark.parametrize('mode', MODES)
def test_every_mode_in_every_method(uda, mode):
    sure = {'pseudo_labels': {'threshold': 0.25}, 'strong_augment': AUGMENT}
    method = method_for({'type': uda, **sure, 'masking': {**TARGET, 'mode': mode}})
    own = uda != 'DACS' and 'src' not in mode
    assert (method.mic.teacher is not None) == own
    assert any(key.startswith('mic.teacher.ema_model.backbone.') for key in method.state_dict()) == own
    assert any(key.startswith('mic.') for key in method.state_dict()) == own
    log = method.compute_gradients(random_batch())
    assert float(log['masked.decode.loss_seg']) > 0
    step = method.prepare(random_batch())
    assert ('mask_augment' in step.decisions) == mode.endswith('aug')
    grid = step.decisions['mask_grid']
    hidden = ~grid.repeat_interleave(8, 2).repeat_interleave(8, 3)
    assert step.masked.images.masked_select(hidden).abs().max() == 0
    whole = method.mic.select(
        step.source, step.target, step.pseudo or method.mic.teacher and method.mic.teacher(step.target)
    )
    seen = whole.images.masked_select(~hidden)
    assert torch.equal(step.masked.images.masked_select(~hidden), seen) != mode.endswith('aug')


def test_pseudo_labels_come_from_the_image_without_augmentation():
    plain, augmented = (
        method_for({**DACS, 'strong_augment': AUGMENT, 'masking': {**TARGET, 'mode': f'separatetrg{aug}'}})
        for aug in ('', 'aug')
    )
    first, second = plain.prepare(random_batch()), augmented.prepare(random_batch())
    assert torch.equal(first.masked.labels, second.masked.labels)
    assert torch.equal(first.masked.weight, second.masked.weight)
    assert torch.equal(first.mixed.images, second.mixed.images), 'masks draw from generators of their own'


def test_own_teacher_follows_with_its_own_momentum_and_leaves_the_other_alone():
    settings = {**TARGET, 'alpha': 0.2, 'threshold': None}
    method, plain = method_for({**DACS, 'masking': settings}), method_for(DACS)
    plain.load_state_dict({key: value for key, value in method.state_dict().items() if not key.startswith('mic.')})
    method.iteration = plain.iteration = 5
    before, student = copy.deepcopy(method.mic.teacher.ema_model), method.student
    step, other = method.prepare(random_batch()), plain.prepare(random_batch())
    pairs = zip(method.mic.teacher.ema_model.parameters(), before.parameters(), student.parameters(), strict=True)
    for ours, old, new in pairs:
        torch.testing.assert_close(ours.detach(), (0.2 * old + 0.8 * new).detach())
    assert torch.equal(step.pseudo.labels, other.pseudo.labels) and torch.equal(step.pseudo.weight, other.pseudo.weight)
    assert torch.equal(step.masked.weight, torch.ones_like(step.masked.weight))
    assert not torch.equal(step.masked.labels, step.pseudo.labels)


def test_own_teacher_moves_once_per_iteration():
    method = method_for({'type': 'MinEnt', 'teacher': {'alpha': 0.5}, 'masking': TARGET})
    method.iteration = 9
    before = copy.deepcopy(method.mic.teacher.ema_model)
    parts = [{'batch': random_batch(seed=part)} for part in range(2)]
    method.train_step(parts, optimizers(method, lr=0.0))
    pairs = zip(method.mic.teacher.ema_model.parameters(), before.parameters(), method.model.parameters(), strict=True)
    for ours, old, student in pairs:
        torch.testing.assert_close(ours.detach(), (0.5 * old + 0.5 * student).detach())


def test_decisions_can_be_taken_back_in():
    method = method_for({**DACS, 'strong_augment': AUGMENT, 'masking': {**TARGET, 'mode': 'separateaug'}})
    first = method.prepare(random_batch())
    method.iteration = 1
    assert not torch.equal(method.prepare(random_batch()).masked.images, first.masked.images)
    again = method.prepare(random_batch(), first.decisions)
    assert torch.equal(again.masked.images, first.masked.images)


@pytest.mark.parametrize(('mode', 'became'), [('separatetrgaug', 'separatesrcaug'), ('separate', 'separatesrc')])
def test_source_only_wrapper_masks_source_images(mode, became):
    uda = {**DACS, 'source_only': True, 'strong_augment': AUGMENT, 'masking': {**TARGET, 'mode': mode}}
    method = method_for(uda)
    assert type(method).__name__ == 'Supervised' and method.source_augment is None
    assert method.mic.mode == became and not any(key.startswith(('mic', 'ema')) for key in method.state_dict())
    step = method.prepare(TrainBatch(random_batch().source))
    assert torch.equal(step.masked.labels, step.source.labels)
    assert set(method.run_passes(step)) == {
        'decode.loss_seg',
        'decode.acc_seg',
        'masked.decode.loss_seg',
        'masked.decode.acc_seg',
    }


@pytest.mark.parametrize(
    ('uda', 'words'),
    [
        ({**DACS, 'masking': {'mode': 'trg'}}, "uda.masking: mode 'trg' does not exist"),
        ({**DACS, 'masking': {'lambda': 1}}, "uda.masking: MaskedConsistency has no setting 'lambda'"),
        ({**DACS, 'masking': {'alpha': 2}}, 'alpha is a momentum between 0 and 1, not 2'),
        ({**DACS, 'masking': {'mode': 'separateaug'}}, "mode 'separateaug' needs the settings of uda.strong_augment"),
        ({'type': 'Supervised', 'masking': {'mode': 'separatesrcaug'}}, 'needs the settings of uda.strong_augment'),
    ],
)
def test_config_mistakes_are_one_clear_line(uda, words):
    with pytest.raises(ValueError, match=words) as caught:
        build_method(config(uda))
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('uda', ['DACS', 'AdvSeg', 'MinEnt', 'Supervised'])
def test_masking_a_target_that_is_not_there(uda):
    method = method_for({'type': uda, 'masking': TARGET})
    with pytest.raises(ValueError, match='UDADataset'):
        method.prepare(TrainBatch(random_batch().source))


@pytest.mark.parametrize(('mode', 'weighted'), [('separatetrg', True), ('separatesrc', False)])
def test_panel_shows_the_masked_images(mode, weighted):
    method = method_for({**DACS, 'masking': {**TARGET, 'mode': mode}})
    method.panel_interval = 1
    method.train_step({'batch': random_batch()}, optimizers(method))
    shown = {name: tensor.shape for name, tensor in method.panel.items() if name.startswith('masked')}
    expected = {'masked_image': (2, 3, 32, 48), 'masked_label': (2, 32, 48), 'masked_prediction': (2, 32, 48)}
    assert shown == expected | ({'masked_weight': (2, 32, 48)} if weighted else {})
