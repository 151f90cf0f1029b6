"""The distillation term as published and as corrected, with gradients."""

from mmseg.models.uda.components.distillation import kl_distillation, published_distillation
from tests.goldens.drivers.pbal import networks


def run(case):
    teacher = case.tensor('teacher_logits').softmax(dim=1)
    losses = {
        'published': published_distillation,
        'corrected': lambda student, teacher: kl_distillation(student, teacher, mean='element'),
    }
    weight = case.meta['options']['weight']
    for name, loss in losses.items():
        student = case.tensor('student_logits').requires_grad_()
        value = weight * loss(student, teacher)
        value.backward()
        networks.check(case, f'kd_{name}', value)
        networks.check(case, f'grad_{name}', student.grad)
