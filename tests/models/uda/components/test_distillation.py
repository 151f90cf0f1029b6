import pytest
import torch

from mmseg.models.uda.components.distillation import hard_targets, kl_distillation


def case(seed=0, classes=4):
    generator = torch.Generator().manual_seed(seed)
    student, teacher = torch.randn(2, 2, classes, 3, 5, generator=generator, dtype=torch.float64)
    return student.requires_grad_(), (2 * teacher).softmax(dim=1)


@pytest.mark.parametrize(('mean', 'temperature'), [('pixel', 1.0), ('pixel', 2.5), ('element', 1.0)])
def test_divergence_pixel_by_pixel(mean, temperature):
    student, teacher = case()
    total = 0.0
    for b in range(2):
        for y in range(3):
            for x in range(5):
                own = (student[b, :, y, x] / temperature).softmax(0)
                given = teacher[b, :, y, x]
                total += (given * (given / own).log()).sum().item()
    expected = total / (2 * 3 * 5 * (4 if mean == 'element' else 1))
    assert kl_distillation(student, teacher, temperature, mean).item() == pytest.approx(expected, rel=1e-12)


def test_equal_probabilities_cost_nothing_and_certain_ones_are_finite():
    student, teacher = case()
    assert kl_distillation(teacher.log(), teacher).item() == pytest.approx(0, abs=1e-12)
    certain = torch.zeros_like(teacher)
    certain[:, 1] = 1
    loss = kl_distillation(student, certain)
    assert loss.item() == pytest.approx(-student.log_softmax(1)[:, 1].mean().item())
    loss.backward()
    assert student.grad.isfinite().all()


def test_only_masked_pixels_take_part():
    student, teacher = case()
    mask = torch.zeros(2, 3, 5, dtype=torch.bool)
    assert kl_distillation(student, teacher, mask=mask).item() == 0
    mask[1, 2, 3] = True
    one = kl_distillation(student[1:, :, 2:, 3:4], teacher[1:, :, 2:, 3:4])
    assert kl_distillation(student, teacher, mask=mask).item() == pytest.approx(one.item())


def test_no_gradient_reaches_the_teacher():
    student, teacher = case()
    teacher = teacher.detach().requires_grad_()
    kl_distillation(student, teacher).backward()
    assert teacher.grad is None


def test_wrong_arguments():
    student, teacher = case()
    with pytest.raises(ValueError, match="mean is 'pixel' or 'element', not 'batch'"):
        kl_distillation(student, teacher, mean='batch')
    with pytest.raises(ValueError, match='shape|student logits of'):
        kl_distillation(student, teacher[..., :2])


def test_hard_targets():
    labels, confidence = hard_targets(torch.tensor([[[[0.2]], [[0.7]], [[0.1]]]]))
    assert labels.tolist() == [[[1]]]
    assert confidence.item() == pytest.approx(0.7)
