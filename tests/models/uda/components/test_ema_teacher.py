import copy

import pytest
import torch
from torch import nn

from mmseg.models.resize import resize
from mmseg.models.uda.components.ema_teacher import EMATeacher
from tests.models.segmentors.small_hrda import build_hrda
from tests.models.uda.toy import ToySegmentor


class DropPath(nn.Module):
    def forward(self, x):
        return x * 0 if self.training else x


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(0.5), DropPath()).double()


@pytest.mark.parametrize('alpha', [0.0, 0.7, 0.99])
def test_average_follows_the_closed_form(alpha):
    teacher, policy = network(99), EMATeacher(alpha)
    expected = None
    for iteration in range(6):
        student = network(iteration)
        weights = [parameter.detach().clone() for parameter in student.parameters()]
        momentum = min(1 - 1 / (iteration + 1), alpha)
        if iteration == 0:
            expected = weights
        else:
            expected = [momentum * t + (1 - momentum) * s for t, s in zip(expected, weights, strict=True)]
        policy.update(teacher, student, iteration)
        for ours, theirs in zip(teacher.parameters(), expected, strict=True):
            torch.testing.assert_close(ours.detach(), theirs, rtol=1e-12, atol=1e-14)


def test_first_averaging_copies_whatever_the_teacher_held():
    teacher, student = network(1), network(2)
    with torch.no_grad():
        teacher[0].weight.fill_(torch.nan)
    EMATeacher(0.99).update(teacher, student, 0)
    assert torch.equal(teacher[0].weight, student[0].weight)


def test_average_of_equal_networks_changes_nothing():
    student = network()
    teacher = copy.deepcopy(student)
    EMATeacher(0.9).update(teacher, student, 7)
    assert all(torch.equal(t, s) for t, s in zip(teacher.parameters(), student.parameters(), strict=True))


@pytest.mark.parametrize('average_buffers', [False, True])
def test_buffers_follow_only_on_request(average_buffers):
    teacher, student = network(1), network(2)
    student(torch.randn(2, 3, 8, 8).double())
    mean, var = teacher[1].running_mean.clone(), teacher[1].running_var.clone()
    EMATeacher(0.75, average_buffers=average_buffers).update(teacher, student, 10)
    share = 0.25 if average_buffers else 0.0
    torch.testing.assert_close(teacher[1].running_mean, mean + share * (student[1].running_mean - mean))
    torch.testing.assert_close(teacher[1].running_var, var + share * (student[1].running_var - var))
    assert teacher[1].num_batches_tracked == (1 if average_buffers else 0)


def test_student_is_left_alone():
    teacher, student = network(1), network(2)
    before = copy.deepcopy(student.state_dict())
    EMATeacher(0.5).update(teacher, student, 3)
    assert all(torch.equal(before[key], value) for key, value in student.state_dict().items())


def test_frozen_teacher_trains_only_its_batch_statistics():
    teacher = network().eval()
    EMATeacher().freeze(teacher)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    conv, norm, dropout, drop_path = teacher
    assert conv.training and norm.training and not dropout.training and not drop_path.training
    EMATeacher(eval_mode=True).freeze(teacher)
    assert not any(module.training for module in teacher.modules())


def test_alpha_out_of_range():
    with pytest.raises(ValueError, match='alpha'):
        EMATeacher(1.5)


@pytest.mark.parametrize('build', [ToySegmentor, build_hrda], ids=['toy', 'hrda'])
def test_predictions_are_the_largest_probabilities_whatever_the_bands(build):
    torch.manual_seed(0)
    teacher, policy = build().double(), EMATeacher(0.9, eval_mode=True)
    policy.freeze(teacher)
    images = torch.randn(2, 3, 44, 52, dtype=torch.float64)
    expected = teacher.encode_decode(images).softmax(dim=1).max(dim=1)
    for limit in (2**24, 5000, 1):
        policy.band_limit = limit
        labels, confidence = policy(teacher, images)
        torch.testing.assert_close(confidence, expected.values)
        assert torch.equal(labels, expected.indices)


def test_scores_of_low_precision_are_enlarged_in_float32():
    torch.manual_seed(0)
    teacher, policy = ToySegmentor(), EMATeacher(0.9)
    images = torch.randn(2, 3, 32, 48)
    with torch.autocast('cpu', torch.bfloat16):
        confidence = policy(teacher, images).confidence
        logits, size = teacher.small_logits(images)
    assert logits.dtype == torch.bfloat16 and confidence.dtype == torch.float32
    torch.testing.assert_close(confidence, resize(logits.detach().float(), size).softmax(dim=1).amax(dim=1))
