import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmseg.models.uda.components.contrast import PrototypeContrast, prototype_contrast
from mmseg.structures import SegOutput

C, A = 3, 4


def inputs(seed=0):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(2, A, 3, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(0, C, (2, 3, 5), generator=generator)
    labels[:, 0] = 255
    return features, labels, torch.randn(C, A, generator=generator, dtype=torch.float64)


def direct(features, labels, prototypes, temperature):
    kept = labels != 255
    rows = F.normalize(features.movedim(1, -1)[kept])
    return F.cross_entropy(rows @ F.normalize(prototypes).t() / temperature, labels[kept])


def test_equals_normalised_rows():
    features, labels, prototypes = inputs()
    expected = direct(features, labels, prototypes, 0.3)
    (gradient,) = torch.autograd.grad(expected, features)
    loss = prototype_contrast(features, labels, prototypes, 0.3)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(torch.autograd.grad(loss, features)[0], gradient)


def test_divided_by_all_positions():
    features, labels, prototypes = inputs()
    share = (labels != 255).double().mean()
    loss = prototype_contrast(features, labels, prototypes, 0.3, divisor='all')
    torch.testing.assert_close(loss, share * direct(features, labels, prototypes, 0.3))


def test_what_is_no_class_is_ignored():
    features, labels, prototypes = inputs()
    others = labels.clone()
    others[:, 0] = torch.tensor([C, 250, -1, 255, 19])
    expected = prototype_contrast(features, labels, prototypes, 0.3)
    torch.testing.assert_close(prototype_contrast(features, others, prototypes, 0.3), expected)


@pytest.mark.parametrize('divisor', ['labelled', 'all'])
def test_nothing_labelled_is_zero(divisor):
    features, labels, prototypes = inputs()
    loss = prototype_contrast(features, torch.full_like(labels, 255), prototypes, 50.0, divisor)
    loss.backward()
    assert float(loss.detach()) == 0 and not features.grad.any()


def test_feature_of_length_zero_has_a_finite_gradient():
    features, labels, prototypes = inputs()
    features = (features.detach() * 0).requires_grad_()
    prototype_contrast(features, labels, prototypes, 0.3).backward()
    assert features.grad.isfinite().all() and features.grad.abs().max() < 100


class Head(nn.Module):
    embedding_channels = A

    def __init__(self):
        super().__init__()
        self.classifier = nn.Conv2d(A, C, 1).double()


class Student:
    num_classes = C

    def __init__(self, head=None):
        self.decode_head = head or Head()


def output(embedding):
    logits = torch.zeros(2, C, 3, 5, dtype=torch.float64)
    logits[:, 1] = 5
    logits[:, 1, 2] = 0.1
    return SegOutput([], {'main': logits}, embedding)


@pytest.mark.parametrize('detach', [True, False])
def test_rows_of_the_classifier_learn_only_where_asked(detach):
    student, (features, labels, _) = Student(), inputs()
    contrast = PrototypeContrast(0.1, prototypes='classifier', detach=detach).attach(student)
    contrast(output(features), labels, student).backward()
    assert (student.decode_head.classifier.weight.grad is None) == detach
    assert not contrast.state_dict()


def test_own_prediction_where_confident():
    chosen = PrototypeContrast(threshold=0.9).confident(output(None))
    assert (chosen[:, :2] == 1).all() and (chosen[:, 2] == 255).all()
    by_logit = PrototypeContrast(threshold=0.05, confidence='logit').confident(output(None))
    assert (by_logit == 1).all()


@pytest.mark.parametrize(
    ('update', 'seen'), [('both', (True, True)), ('source', (True, False)), ('fixed', (False,) * 2)]
)
def test_domains_that_the_bank_follows(update, seen):
    features, labels, _ = inputs()
    for domain, expected in zip(('source', 'target'), seen, strict=True):
        contrast = PrototypeContrast(update=update).attach(Student()).double()
        contrast.update(output(features), labels, domain)
        assert bool(contrast.bank.counts.sum()) == expected


def test_labels_and_weights_of_the_image_size():
    student, (features, labels, _) = Student(), inputs()
    contrast = PrototypeContrast(0.1).attach(student).double()
    contrast.update(output(features), labels, 'source')
    loss = contrast(output(features), labels, student)
    large = labels.repeat_interleave(4, 1).repeat_interleave(4, 2)
    torch.testing.assert_close(contrast(output(features), large, student), loss)
    half = torch.full(large.shape, 0.5, dtype=torch.float64)
    torch.testing.assert_close(contrast(output(features), large, student, half), loss / 2)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'temperature': 0}, 'above 0'),
        ({'prototypes': 'queue'}, 'choose one of bank, classifier'),
        ({'divisor': 'some'}, 'labelled, all'),
        ({'level': 'output', 'prototypes': 'classifier'}, "level='feature'"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        PrototypeContrast(**settings)


def test_heads_that_do_not_suit():
    with pytest.raises(ValueError, match='Conv2d has no feature before its classifier'):
        PrototypeContrast().attach(Student(nn.Conv2d(A, C, 1)))
    with pytest.raises(ValueError, match='1x1 convolution'):
        PrototypeContrast(prototypes='classifier').attach(Student(nn.Conv2d(A, C, 3)))
    with pytest.raises(ValueError, match='no feature before its classifier'):
        PrototypeContrast().attach(Student()).update(output(None), torch.zeros(2, 3, 5).long(), 'source')
