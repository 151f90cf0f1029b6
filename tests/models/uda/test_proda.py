"""ProDA's first stage: what its teacher and prototypes do, and against its equations written out."""

import copy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from mmseg.engine.precision import Precision
from mmseg.engine.prototype_files import FILES, write_prototypes
from mmseg.models.uda import build_method
from mmseg.models.uda.components.view_geometry import ViewChange
from tests.models.uda.test_prototype_distillation import CLASSES, at_quarter, batch, model
from tests.models.uda.toy import random_batch

PLAIN = [ViewChange(), ViewChange()]


def build(**uda):
    torch.manual_seed(0)
    settings = {'type': 'ProDA', 'teacher_view': 'crop', **uda}
    method = build_method({'model': model(), 'uda': settings}).double().train()
    method.prototypes.vectors.normal_(generator=torch.Generator().manual_seed(1))
    return method


def soft_batch(whole=False):
    """Crops of the upper left quarter of whole images, with soft labels of the whole."""
    pair = batch()
    pair.target.labels = None
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(2, CLASSES, 8, 12, generator=generator, dtype=torch.float64)
    pair.target.soft_labels = (3 * logits).softmax(dim=1)
    meta = {'crop_from': (64, 96), 'crop_box': (0, 32, 0, 48), 'flip': False}
    pair.target.meta = [meta, {**meta, 'flip': True}]
    if whole:
        pair.target.whole = torch.randn(2, 3, 64, 96, generator=generator, dtype=torch.float64)
    return pair


def distances(features, vectors):
    return (features[:, None] - vectors[None, :, :, None, None]).norm(dim=2)


def test_rectified_labels_and_losses():
    method, pair = build(threshold=0.3, tau=0.7), soft_batch()
    vectors = method.prototypes.vectors.clone()
    step = method.prepare(pair, {'strong_view': PLAIN})
    log = method.run_passes(step)
    out = method.student(pair.target.images)
    weights = (-0.7 * distances(at_quarter(out.embedding), vectors)).softmax(dim=1)
    soft = F.interpolate(pair.target.soft_labels, size=(16, 24), mode='bilinear')[:, :, :8, :12]
    soft = torch.stack([soft[0], soft[1].flip(2)])
    share = soft * weights / (soft * weights).sum(dim=1, keepdim=True)
    labels = share.argmax(dim=1).where(share.max(dim=1).values >= 0.3, 255)
    assert torch.equal(step.labels, labels)
    assert 0 < (labels == 255).sum() < labels.numel()
    logits = at_quarter(out.logits['main'])
    kept = labels != 255
    entropy = F.cross_entropy(logits, labels, ignore_index=255, reduction='sum') / labels.numel()
    torch.testing.assert_close(log['trg.decode.loss_seg'], 0.1 * entropy)
    torch.testing.assert_close(log['trg.loss_reg'], -0.1 * logits.log_softmax(dim=1).mean())
    torch.testing.assert_close(log['trg.kept'], kept.double().mean())
    # The same picture as strong view, the same network as teacher: nothing to agree upon.
    torch.testing.assert_close(log['strong.loss_consistency'], torch.zeros((), dtype=torch.float64), atol=1e-9, rtol=0)


@pytest.mark.parametrize('begin', range(4))
def test_crops_may_begin_anywhere_and_be_no_multiple_of_the_stride(begin):
    method, pair = build(teacher_view='whole'), soft_batch(whole=True)
    pair.target.images = pair.target.images[:, :, :30, :45]
    pair.target.meta = [{**meta, 'crop_box': (begin, begin + 30, begin, begin + 45)} for meta in pair.target.meta]
    step = method.prepare(pair)
    assert step.labels.shape == (2, 7, 11)
    assert all(torch.isfinite(value) for value in method.run_passes(step).values())


def test_without_rectification_the_soft_labels_are_taken():
    step = build(rectify=False).prepare(soft_batch(), {'strong_view': PLAIN})
    assert torch.equal(step.labels, step.soft.argmax(dim=1))


def test_consistency_has_a_gradient_for_the_features():
    method = build(ce_weight=0.0, rce_weight=0.0, regulariser=None)
    step = method.prepare(soft_batch())
    loss = method.consistent(step)['strong.loss_consistency']
    loss.backward()
    assert loss > 0
    assert method.student.backbone.first.weight.grad.abs().max() > 0
    assert method.student.decode_head.conv_seg.weight.grad is None


def test_teacher_starts_as_the_student_and_follows_slowly():
    method = build(teacher={'alpha': 0.9})
    before = {name: value.clone() for name, value in method.student.state_dict().items()}
    step = method.prepare(soft_batch())
    assert all(torch.equal(value, before[name]) for name, value in method.ema_model.state_dict().items())
    with torch.no_grad():
        method.student.decode_head.conv_seg.weight += 1
    method.finish(step)
    expected = before['decode_head.conv_seg.weight'] + 0.1
    torch.testing.assert_close(method.ema_model.decode_head.conv_seg.weight, expected)


def test_prototypes_move_towards_what_the_teacher_saw():
    method = build(prototype_momentum=0.5)
    step = method.prepare(soft_batch())
    features, predicted = step.seen
    before = method.prototypes.vectors.clone()
    method.finish(step)
    for number in range(CLASSES):
        expected = before[number]
        for image in range(2):
            member = predicted[image] == number
            if member.sum() >= 10:
                expected = (expected + features[image][:, member].mean(dim=1)) / 2
        torch.testing.assert_close(method.prototypes.vectors[number], expected)
    assert not torch.equal(before, method.prototypes.vectors)


def test_prototypes_follow_all_micro_batches():
    method, pair = build(prototype_momentum=0.5), soft_batch()
    seen = []
    for part in range(2):
        method.micro_batch = part
        step = method.prepare(
            pair if part == 0 else replace(pair, target=replace(pair.target, images=-pair.target.images))
        )
        seen.append(step.seen)
    expected = copy.deepcopy(method.prototypes)
    for features, predicted in seen:
        expected.update(features, predicted)
    method.finish(step)
    torch.testing.assert_close(method.prototypes.vectors, expected.vectors, rtol=0, atol=0)


def test_the_teacher_s_maps_have_32_bits_whatever_the_passes_have():
    method, pair = build().float(), soft_batch()
    method.precision = Precision('bf16')
    for domain in (pair.source, pair.target):
        domain.images = domain.images.float()
    step = method.prepare(pair)
    assert {step.seen[0].dtype, step.distances.dtype, step.nearness.dtype} == {torch.float32}


def test_teacher_that_sees_the_whole_image():
    method, pair = build(teacher_view='whole'), soft_batch(whole=True)
    step = method.prepare(pair, {'strong_view': PLAIN})
    with torch.no_grad():
        features = method.ema_model(pair.target.whole).embedding
    features = F.interpolate(features, size=(16, 24), mode='bilinear')
    assert step.seen[0].shape[2:] == (16, 24)
    crops = torch.stack([features[0, :, :8, :12], features[1, :, :8, :12].flip(2)])
    torch.testing.assert_close(step.distances, distances(crops, method.prototypes.vectors))


def test_a_step_with_everything_and_resuming_state():
    method = build()
    method.compute_gradients(soft_batch())
    state = method.state_dict()
    assert {name.split('.')[0] for name in state} == {'model', 'ema_model', 'prototypes'}
    assert 'prototypes' in method.training_state()['parts']


def test_prototypes_come_from_their_file(tmp_path):
    vectors, counts = torch.randn(CLASSES, 4), torch.arange(CLASSES)
    method = build(prototypes=str(tmp_path))
    with pytest.raises(FileNotFoundError, match='init_prototypes CONFIG CHECKPOINT --domain target --out-dir'):
        method.init_weights()
    write_prototypes(tmp_path / FILES['feature'], vectors, counts)
    method.init_weights()
    torch.testing.assert_close(method.prototypes.vectors, vectors.double())
    write_prototypes(tmp_path / FILES['feature'], vectors[:, :3], counts)
    with pytest.raises(ValueError, match=r'prototypes of 5x3 .*, the network has 5x4'):
        method.init_weights()


def test_files_of_the_original(tmp_path):
    vectors = torch.randn(CLASSES, 4)
    torch.save(vectors, tmp_path / 'prototypes_on_cityscapes_from_deeplabv2')
    torch.save({'ResNet101': {'model_state': {}, 'objective_vectors': vectors}, 'iter': 1}, tmp_path / 'stage1.pkl')
    for name in ('prototypes_on_cityscapes_from_deeplabv2', 'stage1.pkl'):
        method = build(prototypes=str(tmp_path / name))
        method.init_weights()
        torch.testing.assert_close(method.prototypes.vectors, vectors.double())
    torch.save([1, 2], tmp_path / 'list')
    with pytest.raises(ValueError, match='list: no prototypes .Proto and Amount. in it, but list'):
        build(prototypes=str(tmp_path / 'list')).init_weights()


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'regulariser': 'L2'}, "uda.regulariser is one of MRKLD, MRENT or None, not 'L2'"),
        ({'teacher_view': 'half'}, "uda.teacher_view is one of whole, crop, not 'half'"),
        ({'tau': 0.0}, 'tau is above 0 and threshold lies in 0..1, got 0.0'),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        build(**settings)


def test_data_that_lack_something():
    with pytest.raises(ValueError, match="teacher_view='whole' needs KeepWholeImage in the target pipeline"):
        build(teacher_view='whole').prepare(soft_batch())
    with pytest.raises(ValueError, match='ProDA rectifies soft labels: add LoadSoftLabels to the target pipeline'):
        build().prepare(random_batch(size=(32, 48)))
