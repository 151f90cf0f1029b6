from dataclasses import replace

import pytest
import torch

from mmseg.engine.optimizer_groups import build_optim_wrapper
from mmseg.models.resize import resize_labels
from mmseg.models.uda import build_method
from mmseg.models.uda.components.contrast import prototype_contrast
from mmseg.models.uda.components.transport import transport_costs
from mmseg.structures import TrainBatch
from tests.models.uda import toy
from tests.tools.tiny_run import model_config

C = 5
SGD = {'optimizer': {'type': 'SGD', 'lr': 0.1}}
ADAM = {'optimizer': {'type': 'Adam', 'lr': 1e-3}}


def build(kind, dtype=torch.float64, **uda):
    torch.manual_seed(0)
    model = {**model_config(C), 'data_preprocessor': {'type': 'SegDataPreProcessor'}}
    model.pop('pretrained')
    method = build_method({'model': model, 'uda': {'type': kind, **uda}, 'train_cfg': {'max_iters': 10}}).to(dtype)
    method.student.eval()
    return method


def batch(pseudo_labels=False, seed=0):
    data = toy.random_batch(size=(64, 96), seed=seed)
    return TrainBatch(
        data.source, replace(data.target, labels=data.source.labels.flip(0)) if pseudo_labels else data.target
    )


def test_stage_1_is_adversarial_training_and_transport():
    data = batch()
    plain = build('AdvSeg', discriminator_loss='Vanilla', adversarial_weight={'main': 0.01, 'aux': 0.0})
    method = build('PBALBidirectional')
    method.load_state_dict(plain.state_dict())
    log, expected = method.compute_gradients(data), plain.compute_gradients(data)
    out = plain.student(data.target.images)
    rows = plain.student.decode_head.conv_seg.weight.detach().flatten(1)
    costs = transport_costs(out.embedding, out.logits['main'], rows)
    sum(0.1 * cost for cost in costs).backward()
    expected['trg.loss_transport_pixel'], expected['trg.loss_transport_class'] = (0.1 * cost.detach() for cost in costs)
    assert log.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(log[name], value, msg=name)
    for (name, ours), theirs in zip(method.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-9, atol=1e-12, msg=name)


def test_warm_up_is_stage_1_without_transport():
    log = build('PBALBidirectional', transport=None).compute_gradients(batch())
    assert 'G_trg.loss.main' in log and not any('transport' in name for name in log)


def test_without_an_adversary_there_is_one_optimizer_and_no_discriminator():
    method = build('PBALBidirectional', adversarial_weight={'main': 0, 'aux': 0})
    assert not method.model_D and set(method.optimizer_modules()) == {'main'}
    method.panel_interval = 1
    step = method.prepare(batch())
    log = method.run_passes(step)
    method.update(build_optim_wrapper(method, SGD))
    method.finish(step)
    assert not any(name.startswith(('G_', 'D_')) for name in log) and 'target_image' in method.panel


def test_main_optimizer_leaves_the_discriminator_alone():
    wrapper = build_optim_wrapper(build('PBALBidirectional'), {'main': SGD, 'discriminator': ADAM})
    counts = {
        name: sum(p.numel() for g in w.optimizer.param_groups for p in g['params']) for name, w in wrapper.items()
    }
    method = build('PBALBidirectional')
    assert counts['main'] == sum(p.numel() for p in method.model.parameters())
    assert counts['discriminator'] == sum(p.numel() for p in method.model_D.parameters())


def test_stage_2_contrasts_both_domains_with_live_prototypes():
    method, data = build('PBALSelfTraining', contrast={'weight': 0.5}, target_weight=2.0), batch(pseudo_labels=True)
    log = method.compute_gradients(data)
    student = method.student
    ours = [parameter.grad.clone() for parameter in student.parameters()]
    student.zero_grad()
    rows = student.decode_head.conv_seg.weight.flatten(1)
    total = 0
    for name, domain, weight in (('src', data.source, 1.0), ('trg', data.target, 2.0)):
        out = student(domain.images)
        labels = resize_labels(domain.labels, out.embedding.shape[2:])
        contrast = 0.5 * prototype_contrast(out.embedding, labels, rows, 0.07, 'all')
        torch.testing.assert_close(log[f'{name}.loss_contrast'], contrast.detach())
        total = total + contrast + weight * student.losses(out, domain.labels)['decode.loss_seg']
    total.backward()
    for gradient, parameter in zip(ours, student.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=1e-9, atol=1e-12)


def test_a_batch_without_any_pseudo_label_is_no_nan():
    data = batch(pseudo_labels=True)
    data.target.labels.fill_(255)
    method = build('PBALSelfTraining')
    log = method.compute_gradients(data)
    assert float(log['trg.loss_contrast']) == float(log['trg.decode.loss_seg']) == 0
    assert all(p.grad.isfinite().all() for p in method.student.parameters())


def test_published_normalisation_of_target_images():
    data = batch(pseudo_labels=True)
    method = build('PBALSelfTraining', legacy_target_norm=True)
    images = method.prepare(data).target.images
    mean, std = method.data_preprocessor.mean, method.data_preprocessor.std
    torch.testing.assert_close((255 * images - mean) / std, data.target.images)
    assert build('PBALSelfTraining').prepare(data).target.images is data.target.images


@pytest.mark.parametrize(
    ('kind', 'uda', 'words'),
    [
        ('PBALBidirectional', {'transport': {'per_pixel': -1}}, 'uda.transport: weights are at least 0'),
        (
            'PBALBidirectional',
            {'transport': {'weight': 1}},
            "uda.transport: PrototypeTransport has no setting 'weight'",
        ),
        ('PBALBidirectional', {'adversarial_weight': 0.01}, 'uda.adversarial_weight is a dict'),
        ('PBALSelfTraining', {'target_weight': -1}, 'uda.target_weight is at least 0'),
        ('PBALSelfTraining', {'contrast': {'temperature': 0}}, 'temperature is above 0'),
    ],
)
def test_config_mistakes(kind, uda, words):
    with pytest.raises(ValueError, match=words):
        build(kind, **uda)


def test_a_classifier_without_rows_is_refused():
    model = {'type': 'ToySegmentor', 'data_preprocessor': {'type': 'ToyPreprocessor'}}
    for kind, key in (('PBALBidirectional', 'uda.transport'), ('PBALSelfTraining', 'uda.contrast')):
        with pytest.raises(ValueError, match=f'{key}: .* does not classify with a 1x1 convolution'):
            build_method({'model': model, 'uda': {'type': kind}, 'train_cfg': {'max_iters': 10}})


def test_missing_pseudo_labels_are_explained():
    with pytest.raises(ValueError, match='no pseudo-labels; make them .*LoadPseudoLabels'):
        build('PBALSelfTraining').prepare(batch())
