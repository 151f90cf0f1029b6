"""Kullback-Leibler divergence of a student from a teacher, and its gradient."""

import numpy as np

from mmseg.models.uda.components.distillation import kl_distillation


def run(case):
    temperature = case.meta['temp']
    student = case.tensor('student_logits').requires_grad_()
    teacher = (case.tensor('teacher_logits') / temperature).softmax(dim=1)
    loss = kl_distillation(student, teacher, temperature)
    loss.backward()
    tolerance = case.meta['tolerance']['float64']
    np.testing.assert_allclose(loss.item(), case.meta['value'], rtol=tolerance)
    stored = case.arrays['grad_logits']
    np.testing.assert_allclose(student.grad, stored, rtol=0, atol=tolerance * np.abs(stored).max())
