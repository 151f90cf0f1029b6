import copy

import pytest
import torch
from mmengine.optim import OptimWrapper

from mmseg.models.uda import Supervised, build_method
from mmseg.structures import DomainBatch, TrainBatch
from tests.models.uda.toy import ToySegmentor, config, random_batch

FEATURE_DISTANCE = {'weight': 0.1, 'classes': [1, 3], 'min_ratio': 0.75}


def gradients(method):
    return {name: parameter.grad for name, parameter in method.student.named_parameters()}


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-9, atol=1e-12)


def test_no_uda_section_is_supervised_training():
    method = build_method(config()).double()
    assert type(method) is Supervised and method.max_iters == 10
    batch = random_batch(target=False)
    log = method.compute_gradients(batch)
    student = copy.deepcopy(method.student)
    student.zero_grad()
    losses = student.losses(student(batch.source.images), batch.source.labels)
    losses['decode.loss_seg'].backward()
    assert_same(gradients(method), {name: value.grad for name, value in student.named_parameters()})
    torch.testing.assert_close(log['decode.loss_seg'], losses['decode.loss_seg'].detach())


def test_losses_that_are_maps_count_with_their_mean():
    plain = build_method(config()).double()
    mapped = copy.deepcopy(plain)
    maps = mapped.student.losses
    mapped.student.losses = lambda *arguments: {
        name: value.expand(2, 3) if 'loss' in name else value for name, value in maps(*arguments).items()
    }
    batch = random_batch(target=False)
    logs = [method.compute_gradients(batch) for method in (plain, mapped)]
    assert_same(*logs)
    assert_same(gradients(plain), gradients(mapped))


def test_source_only_is_the_supervised_part_of_a_method():
    uda = {'type': 'DACS', 'source_only': True, 'teacher': {'alpha': 0.9}, 'feature_distance': FEATURE_DISTANCE}
    method = build_method(config(uda, pretrained_loaded=True))
    assert type(method) is Supervised and method.feature_distance.weight == FEATURE_DISTANCE['weight']
    with pytest.raises(ValueError, match='teachr'):
        build_method(config({'type': 'DACS', 'source_only': True, 'teachr': {}}))


def test_accumulated_gradients_are_those_of_the_large_batch():
    method = build_method(config()).double()
    other = copy.deepcopy(method)
    for each in (method, other):
        each.student.eval()  # batch statistics would differ
    batch = random_batch(batch=4, target=False)
    parts = [
        {'batch': TrainBatch(DomainBatch(batch.source.images[i : i + 2], batch.source.labels[i : i + 2]))}
        for i in (0, 2)
    ]
    nothing = [OptimWrapper(torch.optim.SGD(each.student.parameters(), lr=0.0)) for each in (method, other)]
    method.train_step({'batch': batch}, nothing[0])
    other.train_step(parts, nothing[1])
    assert_same(gradients(method), gradients(other))


def test_feature_distance_adds_its_gradient_in_the_same_backward():
    method = build_method(config({'type': 'Supervised', 'feature_distance': FEATURE_DISTANCE}, pretrained_loaded=True))
    method = method.double()
    batch = random_batch(seed=3, target=False)
    with torch.no_grad():
        for parameter in method.imnet_model.parameters():
            parameter.add_(0.1)
    log = method.compute_gradients(batch)

    student = copy.deepcopy(method.student)
    student.zero_grad()
    out = student(batch.source.images)
    reference = method.imnet_model.backbone(batch.source.images)[-1]
    distance = (out.features[-1] - reference).norm(dim=1)
    wanted = torch.isin(batch.source.labels[:, ::8, ::8], torch.tensor(FEATURE_DISTANCE['classes']))
    assert 0 < int(wanted.sum()) < wanted.numel()
    distance = 0.1 * distance[wanted].mean()
    (student.losses(out, batch.source.labels)['decode.loss_seg'] + distance).backward()
    assert_same(gradients(method), {name: value.grad for name, value in student.named_parameters()})
    torch.testing.assert_close(log['src.loss_imnet_feat_dist'], distance.detach())
    assert log['src.fd_valid'] == 1


def test_empty_feature_distance_leaves_the_gradients_as_without():
    settings = {'type': 'Supervised', 'feature_distance': {'classes': [4]}}
    method = build_method(config(settings, pretrained_loaded=True)).double()
    plain = build_method(config()).double()
    plain.model.load_state_dict(method.model.state_dict())
    batch = random_batch()
    batch.source.labels[batch.source.labels == 4] = 0
    log = method.compute_gradients(batch)
    plain.compute_gradients(batch)
    assert_same(gradients(method), gradients(plain))
    assert log['src.loss_imnet_feat_dist'] == 0 and log['src.fd_valid'] == 0


def test_feature_distance_to_classes_that_the_network_does_not_have():
    settings = {'type': 'Supervised', 'feature_distance': {'classes': [1, 4, 5, 17]}}
    with pytest.raises(ValueError, match=r'classes has \[5, 17\], but the network has classes 0 to 4'):
        build_method(config(settings, pretrained_loaded=True))


def test_frozen_encoder_stays_frozen_and_out_of_checkpoints():
    method = build_method(config({'type': 'Supervised', 'feature_distance': FEATURE_DISTANCE}, pretrained_loaded=True))
    method.train()
    assert not any(module.training for module in method.imnet_model.modules())
    assert not any(parameter.requires_grad for parameter in method.imnet_model.parameters())
    state = method.state_dict()
    assert state and all(key.startswith('model.') for key in state)
    assert all(module is method.model for module in method.trainable_modules())
    before = copy.deepcopy(dict(method.imnet_model.named_parameters()))
    method.load_state_dict(state)
    assert all(torch.equal(before[name], value) for name, value in method.imnet_model.named_parameters())
    with pytest.raises(RuntimeError, match='model.decode_head.bias'):
        method.load_state_dict({key: value for key, value in state.items() if key != 'model.decode_head.bias'})


def test_feature_distance_without_pretrained_weights():
    method = build_method(config({'type': 'Supervised', 'feature_distance': FEATURE_DISTANCE}))
    with pytest.raises(ValueError, match=r'model\.pretrained'):
        method.init_weights()
    with pytest.raises(ValueError, match=r'model\.pretrained'):
        method.double().compute_gradients(random_batch())
    method.imnet_model.backbone.pretrained_loaded = True
    method.compute_gradients(random_batch())


def test_feature_distance_behind_a_neck():
    uda = {'type': 'Supervised', 'feature_distance': {}}
    with pytest.raises(ValueError, match='behind a neck with weights of its own'):
        build_method(config(uda, neck=torch.nn.Conv2d(1, 1, 1)))
    # A neck that only rearranges levels is a part of the reference too.
    reference = build_method(config(uda, neck=torch.nn.Identity(), pretrained_loaded=True)).imnet_model
    assert isinstance(reference.neck, torch.nn.Identity)


def test_further_networks_need_the_config():
    with pytest.raises(ValueError, match='config of the model'):
        Supervised(ToySegmentor(), feature_distance={})


def test_predictions_come_from_the_student():
    method = build_method(config()).eval()
    images = torch.randn(2, 3, 32, 48)
    expected = method.model.encode_decode(images).argmax(1)
    predicted = method.val_step({'inputs': images, 'data_samples': None})
    assert torch.equal(torch.stack(predicted), expected)
    assert torch.equal(method(images).argmax(1), expected)
    with pytest.raises(ValueError, match='loss'):
        method(images, mode='loss')


def test_strong_augmentation_of_the_source_images():
    preprocessor = {'type': 'SegDataPreProcessor', 'mean': [127.5] * 3, 'std': [127.5] * 3}
    cfg = config({'type': 'Supervised', 'source_augment': {'jitter_probability': 1.0}})
    cfg['model']['data_preprocessor'] = preprocessor
    method, batch = build_method(cfg), random_batch(target=False)
    step, again = method.prepare(batch), method.prepare(batch)
    assert (step.source.images != batch.source.images).any()
    torch.testing.assert_close(step.source.images, again.source.images)
    torch.testing.assert_close(step.source.labels, batch.source.labels)
    # A published source-only wrapper has one for the mixed images, which are not there.
    source_only = {'type': 'DACS', 'source_only': True, 'strong_augment': {}}
    assert build_method(config(source_only)).source_augment is None


def test_strong_augmentation_needs_to_know_the_normalisation():
    cfg = config({'type': 'Supervised', 'source_augment': {}})
    with pytest.raises(ValueError, match='data_preprocessor with mean and std'):
        build_method({**cfg, 'model': {**cfg['model'], 'data_preprocessor': {'type': 'BaseDataPreprocessor'}}})
