"""ProDA's distillation against its equations written out."""

import pytest
import torch
import torch.nn.functional as F

from mmseg.engine.precision import Precision
from mmseg.models.uda import build_method
from mmseg.models.uda.components.view_geometry import Operation, ViewChange
from mmseg.registry import MODELS
from tests.models.uda.toy import random_batch
from tests.tools.tiny_run import model_config

CLASSES = 5
PLAIN = [ViewChange(), ViewChange()]


def model(**preprocessor):
    config = model_config(CLASSES)
    del config['pretrained']
    config['decode_head']['dropout_ratio'] = 0
    config['data_preprocessor'] |= preprocessor
    return config


def build(teacher=None, **uda):
    """The method in float64 with a teacher that was made up."""
    torch.manual_seed(0)
    settings = {'teachers': [{'name': 'teacher', **({'model': teacher} if teacher else {})}], **uda}
    method = build_method({'model': model(), 'uda': {'type': 'PrototypeDistillation', **settings}}).double().train()
    made = method.teachers.by_name['teacher']
    generator = torch.Generator().manual_seed(1)
    state = made.network.state_dict()
    made.set_state({k: 0.3 * torch.randn(v.shape, generator=generator, dtype=v.dtype) for k, v in state.items()})
    return method


def batch():
    """With pseudo-labels for the target."""
    pair = random_batch(size=(32, 48))
    labels = torch.randint(0, CLASSES, (2, 8, 12), generator=torch.Generator().manual_seed(2))
    labels[0, :3] = 255
    pair.target.labels = labels.repeat_interleave(4, 1).repeat_interleave(4, 2)
    pair.source.labels = pair.source.labels.clamp(max=CLASSES - 1)
    return pair


def at_quarter(logits):
    return F.interpolate(logits, size=(8, 12), mode='bilinear') if logits.shape[2:] != (8, 12) else logits


@pytest.mark.parametrize('kind', ['kl', 'published'])
def test_losses(kind):
    method, pair = build(distillation=kind, weight=2.0), batch()
    log = method.compute_gradients(pair, {'strong_view': PLAIN})
    images = pair.target.images
    with torch.no_grad():
        q = at_quarter(method.teachers.network('teacher')(images).logits['main']).softmax(dim=1)
        logits = at_quarter(method.student(images).logits['main'])
    p = logits.softmax(dim=1)
    expected = (q * (q.log() - (p.log() if kind == 'kl' else p))).mean()
    torch.testing.assert_close(log['trg.loss_distil'], 2 * expected)
    labels = pair.target.labels[:, ::4, ::4]
    entropy = F.cross_entropy(logits, labels, ignore_index=255, reduction='sum') / labels.numel()
    torch.testing.assert_close(log['trg.decode.loss_seg'], entropy)
    torch.testing.assert_close(log['trg.kept'], (labels != 255).double().mean())


def test_the_teacher_s_probabilities_have_32_bits_whatever_the_passes_have():
    method, pair = build().float(), batch()
    method.precision = Precision('bf16')
    pair.target.images, pair.source.images = pair.target.images.float(), pair.source.images.float()
    teacher = method.prepare(pair).teacher
    assert teacher.dtype == torch.float32
    torch.testing.assert_close(teacher.sum(dim=1), torch.ones_like(teacher[:, 0]))


def test_kl_pulls_the_student_to_its_teacher():
    method, pair = build(), batch()
    pair.target.labels[:] = 255
    optimizer = torch.optim.SGD(method.student.parameters(), lr=3.0)
    values = []
    for _ in range(15):
        optimizer.zero_grad()
        values.append(method.compute_gradients(pair, {'strong_view': PLAIN})['trg.loss_distil'].item())
        optimizer.step()
        method.iteration += 1
    assert values[-1] < 0.9 * values[0]


def test_labels_follow_the_picture_and_the_padding_may_be_left_out():
    cut = [ViewChange((Operation('Hflip'),), (0, 0, 48, 16)), ViewChange()]
    method, pair = build(distil_padding=False), batch()
    step = method.prepare(pair, {'strong_view': cut})
    labels = pair.target.labels[:, ::4, ::4]
    assert (step.strong_labels[0, :4] == 255).all()
    assert torch.equal(step.strong_labels[0, 4:], labels[0].flip(1)[4:])
    assert torch.equal(step.strong_labels[1], labels[1])
    assert step.inside.tolist() == [[[False] * 12] * 4 + [[True] * 12] * 4, [[True] * 12] * 8]
    everything = build().compute_gradients(pair, {'strong_view': cut})['trg.loss_distil']
    assert method.compute_gradients(pair, {'strong_view': cut})['trg.loss_distil'] != everything


def test_a_teacher_with_its_own_normalisation():
    own = model(mean=[0.0, 0.0, 0.0], std=[255.0, 255.0, 255.0])
    method, pair = build(teacher=own), batch()
    step = method.prepare(pair, {'strong_view': PLAIN})
    mean, std = method.data_preprocessor.mean, method.data_preprocessor.std
    with torch.no_grad():
        out = method.teachers.network('teacher')((pair.target.images * std + mean) / 255)
    torch.testing.assert_close(step.teacher, at_quarter(out.logits['main']).softmax(dim=1))


def test_teacher_is_no_part_of_what_is_trained_or_saved():
    method = build()
    assert {name.split('.')[0] for name in method.state_dict()} == {'model'}
    assert {name.split('.')[0] for name, _ in method.named_parameters()} == {'model'}


def test_wrong_settings():
    with pytest.raises(ValueError, match=r'uda.distillation is one of kl, published, not mse'.replace('mse', "'mse'")):
        build(distillation='mse')
    with pytest.raises(ValueError, match='PrototypeDistillation has one teacher, got 0'):
        build_method({'model': model(), 'uda': {'type': 'PrototypeDistillation'}})
    with pytest.raises(
        ValueError, match='learns from pseudo-labels: add LoadPseudoLabels to the pipeline of the target'
    ):
        build().compute_gradients(random_batch(size=(32, 48)))
    classes = {**model(), 'decode_head': {**model()['decode_head'], 'num_classes': 3}}
    with pytest.raises(ValueError, match='teacher has 3 classes, the student 5'):
        build(teacher=classes)


def test_registered():
    assert MODELS.get('PrototypeDistillation') is not None
