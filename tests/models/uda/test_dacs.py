import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper

from mmseg.models.uda import build_method
from mmseg.models.uda.components.mixing import class_table
from mmseg.structures import TrainBatch
from tests.models.uda.toy import config, random_batch

UDA = {'type': 'DACS', 'teacher': {'alpha': 0.7}, 'pseudo_labels': {'threshold': 0.25}}
AUGMENTED = {**UDA, 'strong_augment': {'jitter_probability': 1.0, 'blur': True}}


def method_for(uda=UDA, seed=0, **settings):
    torch.manual_seed(seed)
    return build_method(config(uda, **settings)).double()


def sgd(method):
    return OptimWrapper(torch.optim.SGD(method.student.parameters(), lr=0.05, momentum=0.9))


def plain_step(student, teacher, batch, iteration, classes, threshold, alpha):
    """The algorithm without any of the components; returns the losses after their backwards."""
    momentum = min(1 - 1 / (iteration + 1), alpha)
    with torch.no_grad():
        for ours, theirs in zip(teacher.parameters(), student.parameters(), strict=True):
            ours.copy_(momentum * ours + (1 - momentum) * theirs if iteration else theirs)
        probabilities = teacher.encode_decode(batch.target.images).softmax(1)
        confidence, pseudo = probabilities.max(1)
        share = (confidence >= threshold).double().mean()
        weight = share * batch.target.valid if batch.target.valid is not None else share.expand(pseudo.shape)
        images, labels, weights = batch.target.images.clone(), pseudo.clone(), weight.clone()
        for i, chosen in enumerate(classes):
            pasted = torch.isin(batch.source.labels[i], torch.tensor(chosen))
            images[i][:, pasted] = batch.source.images[i][:, pasted]
            labels[i][pasted] = batch.source.labels[i][pasted]
            weights[i][pasted] = 1
    losses = []
    for inputs, targets, factor in ((batch.source.images, batch.source.labels, 1), (images, labels, weights)):
        logits = F.interpolate(student(inputs).logits['main'], size=targets.shape[1:], mode='bilinear')
        loss = (F.cross_entropy(logits, targets, reduction='none', ignore_index=255) * factor).mean()
        loss.backward()
        losses.append(loss.detach())
    return losses


@pytest.mark.parametrize('valid', [False, True])
def test_three_steps_equal_the_plain_algorithm(valid):
    method = method_for()
    student, teacher = copy.deepcopy(method.model), copy.deepcopy(method.ema_model)
    ours = torch.optim.SGD(method.student.parameters(), lr=0.1)
    theirs = torch.optim.SGD(student.parameters(), lr=0.1)
    for iteration in range(3):
        batch = random_batch(batch=3, seed=iteration, valid=valid)
        classes = [[0, 255, iteration], [1, 2, 3], [4, 255, 0]]
        ours.zero_grad()
        log = method.compute_gradients(batch, {'mix_classes': class_table(torch.tensor(classes))})
        theirs.zero_grad()
        source_loss, mixed_loss = plain_step(student, teacher, batch, iteration, classes, 0.25, 0.7)
        torch.testing.assert_close(log['decode.loss_seg'], source_loss)
        torch.testing.assert_close(log['mix.decode.loss_seg'], mixed_loss)
        for (name, parameter), other in zip(method.student.named_parameters(), student.parameters(), strict=True):
            torch.testing.assert_close(parameter.grad, other.grad, rtol=1e-9, atol=1e-12, msg=name)
        ours.step()
        theirs.step()
        method.iteration += 1
    for network, other in ((method.model, student), (method.ema_model, teacher)):
        for key, value in other.state_dict().items():
            torch.testing.assert_close(network.state_dict()[key], value, msg=key)


def state_of(method):
    return {key: value.clone() for key, value in method.state_dict().items()}


def train(method, wrapper, iterations):
    for iteration in iterations:
        method.train_step([{'batch': random_batch(seed=10 * iteration + part)} for part in range(2)], wrapper)


def test_resumed_training_equals_undisturbed_bit_for_bit():
    settings = {**AUGMENTED, 'feature_distance': {'classes': [1, 3]}}
    undisturbed = method_for(settings, dropout=0.3, pretrained_loaded=True)
    frozen = copy.deepcopy(undisturbed.imnet_model)
    wrapper = sgd(undisturbed)
    train(undisturbed, wrapper, range(2))
    saved = copy.deepcopy((undisturbed.state_dict(), wrapper.state_dict(), undisturbed.training_state()))
    train(undisturbed, wrapper, range(2, 5))

    torch.manual_seed(123)
    resumed = method_for(settings, seed=99, dropout=0.3, pretrained_loaded=True)
    resumed.imnet_model = frozen  # in real runs both load the same pretrained file
    wrapper = sgd(resumed)
    resumed.load_state_dict(saved[0])
    wrapper.load_state_dict(saved[1])
    resumed.load_training_state(saved[2])
    torch.rand(11)
    train(resumed, wrapper, range(2, 5))
    expected, state = state_of(undisturbed), state_of(resumed)
    assert expected.keys() == state.keys() and any(key.startswith('ema_model.') for key in state)
    assert all(torch.equal(expected[key], state[key]) for key in expected)


def test_teacher_moves_once_per_iteration():
    method = method_for()
    teacher = copy.deepcopy(method.ema_model)
    method.iteration = 3
    wrapper = OptimWrapper(torch.optim.SGD(method.student.parameters(), lr=0.0))
    train(method, wrapper, range(1))
    for ours, before, student in zip(
        method.ema_model.parameters(), teacher.parameters(), method.model.parameters(), strict=True
    ):
        torch.testing.assert_close(ours.detach(), (0.7 * before + 0.3 * student).detach())


def test_strong_augmentation_changes_the_mixed_images_only():
    plain, augmented = method_for(), method_for(AUGMENTED)
    batch = random_batch()
    first, second = plain.prepare(batch), augmented.prepare(batch)
    assert torch.equal(first.mixed.labels, second.mixed.labels)
    assert torch.equal(first.mixed.weight, second.mixed.weight)
    assert not torch.allclose(first.mixed.images, second.mixed.images, atol=0.01)
    assert first.mixed.images.dtype == second.mixed.images.dtype == torch.float64


def test_decisions_can_be_taken_back_in():
    method = method_for(AUGMENTED)
    first = method.prepare(random_batch())
    method.seed = 1
    assert not torch.equal(method.prepare(random_batch()).mixed.images, first.mixed.images)
    again = method.prepare(random_batch(), first.decisions)
    assert torch.equal(again.mixed.images, first.mixed.images)


def test_teacher_has_batch_statistics_and_no_dropout():
    method = method_for(dropout=0.5)
    method.eval()
    method.train()
    assert method.ema_model.backbone.norm.training and not method.ema_model.backbone.dropout.training
    assert method.model.backbone.dropout.training
    assert not any(parameter.requires_grad for parameter in method.ema_model.parameters())
    method.eval()
    assert not any(module.training for module in method.modules())


def test_teacher_can_be_evaluated():
    method = method_for().eval()
    images = torch.randn(1, 3, 32, 48, dtype=torch.float64)
    student, teacher = method(images), None
    method.evaluate_teacher = True
    teacher = method(images)
    assert torch.equal(teacher, method.ema_model.encode_decode(images)) and not torch.equal(student, teacher)


def test_panel_shows_what_was_trained_on():
    method = method_for()
    method.panel_interval = 1
    train(method, sgd(method), range(1))
    images = {'source_image', 'target_image', 'mixed_image'}
    labels = {'source_label', 'pseudo_label', 'mixed_label', 'mixed_prediction'}
    weights = {'pseudo_weight', 'mixed_weight'}
    assert set(method.panel) == images | labels | weights
    assert all(method.panel[name].shape == (2, 3, 32, 48) for name in images)
    assert all(method.panel[name].shape == (2, 32, 48) for name in labels | weights)
    assert not any(tensor.requires_grad for tensor in method.panel.values())


def test_a_target_is_needed():
    batch = random_batch()
    with pytest.raises(ValueError, match='UDADataset'):
        method_for().prepare(TrainBatch(batch.source))


def test_jitter_needs_the_normalisation():
    cfg = config(AUGMENTED)
    del cfg['model']['data_preprocessor']
    with pytest.raises(ValueError, match='mean and std'):
        build_method(cfg)


def test_state_dict_names_are_those_of_published_checkpoints():
    state = method_for({**UDA, 'feature_distance': {}}, pretrained_loaded=True).state_dict()
    assert {key.split('.')[0] for key in state} == {'model', 'ema_model'}
    assert {key.split('.')[1] for key in state} == {'backbone', 'decode_head'}
