import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmseg.models.uda.components.entropy import normalized_entropy
from mmseg.models.uda.components.output_space import head_weights, output_probabilities
from mmseg.structures import SegOutput


class Student:
    align_corners = False

    def __init__(self, *heads):
        self.auxiliary_heads = {head: nn.Identity() for head in heads}


class DetailStudent(Student):
    def draw_crop_box(self, images, generator):
        raise AssertionError


def test_published_weights_of_the_heads_that_are_there():
    assert head_weights(Student(), None, 'uda.x') == {'main': 0.001}
    assert head_weights(Student('aux'), None, 'uda.x') == {'main': 0.001, 'aux': 0.0002}
    assert head_weights(Student(), {'main': 1.0, 'aux': 2.0}, 'uda.x') == {'main': 1.0}


def test_a_list_of_one_auxiliary_head():
    assert head_weights(Student('aux_0'), {'main': 1.0, 'aux': 2.0}, 'uda.x') == {'main': 1.0, 'aux_0': 2.0}
    assert head_weights(Student('aux_0'), {'main': 1.0, 'aux_0': 3.0}, 'uda.x') == {'main': 1.0, 'aux_0': 3.0}


@pytest.mark.parametrize(
    ('heads', 'weights', 'words'),
    [
        (['aux'], {'main': 1.0}, 'uda.x has no weight for aux; the model predicts main, aux'),
        (['aux_0', 'aux_1'], None, 'no weight for aux_0, aux_1'),
        ([], {'main': 1.0, 'mian': 1.0}, 'uda.x has a weight for mian'),
        ([], 0.001, 'uda.x is a dict of weights by head, not 0.001'),
    ],
)
def test_weights_must_fit_the_heads(heads, weights, words):
    with pytest.raises(ValueError, match=words):
        head_weights(Student(*heads), weights, 'uda.x')


@pytest.mark.parametrize(('student', 'size'), [(Student(), (48, 64)), (DetailStudent(), (24, 32))])
def test_probabilities_at_image_size_or_half_of_it_for_detail_crops(student, size):
    logits = torch.randn(2, 5, 12, 16, dtype=torch.float64, requires_grad=True)
    out = SegOutput([], {'main': logits, 'hr': torch.zeros(1)})
    output = output_probabilities(student, out, (48, 64), ['main'])
    expected = F.interpolate(logits, size=size, mode='bilinear', align_corners=False).softmax(1)
    assert list(output) == ['main']
    torch.testing.assert_close(output['main'], expected)
    assert output['main'].requires_grad


def test_entropy_of_certainty_and_of_ignorance():
    certain = torch.zeros(1, 5, 2, 2)
    certain[:, 3] = 1
    assert torch.equal(normalized_entropy(certain), torch.zeros(1, 2, 2))
    torch.testing.assert_close(normalized_entropy(torch.full((1, 5, 2, 2), 0.2)), torch.ones(1, 2, 2))
    two = torch.tensor([0.5, 0.5, 0.0, 0.0]).view(1, 4, 1, 1)
    assert float(normalized_entropy(two)) == pytest.approx(0.5)
