import pytest
import torch
import torch.nn.functional as F

from mmseg.models.decode_heads import FCNHead
from mmseg.models.losses import CrossEntropyLoss, LovaszLoss
from mmseg.models.losses.lovasz import lovasz_softmax


def by_definition(probabilities, labels):
    """1 - IoU of the k most wrong pixels, step by step."""
    kept = labels.flatten() != 255
    rows, labels = probabilities.movedim(1, -1).flatten(0, 2)[kept], labels.flatten()[kept]
    losses = []
    for class_id in labels.unique():
        member = (labels == class_id).double()
        errors = (member - rows[:, class_id]).abs()
        order = errors.argsort(descending=True)
        before, loss = 0.0, 0.0
        for k, index in enumerate(order, start=1):
            chosen = member[order[:k]]
            jaccard = 1 - (member.sum() - chosen.sum()) / (member.sum() + (1 - chosen).sum())
            loss, before = loss + errors[index] * (jaccard - before), jaccard
        losses.append(loss)
    return sum(losses) / len(losses)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, 3, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(0, 3, (2, 3, 5), generator=generator)  # class 3 is absent
    labels[0, 0] = 255
    return logits, labels


def test_equals_the_definition(batch):
    logits, labels = batch
    expected = by_definition(logits.softmax(1), labels)
    ours = lovasz_softmax(logits.softmax(1), labels)
    torch.testing.assert_close(ours, expected)
    (theirs,) = torch.autograd.grad(expected, logits, retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(ours, logits)[0], theirs)


def test_nothing_labelled_is_zero(batch):
    logits, labels = batch
    loss = LovaszLoss()(logits, torch.full_like(labels, 255))
    loss.backward()
    assert float(loss.detach()) == 0 and not logits.grad.any()


def test_perfect_is_zero_and_weight_zero_is_ignored(batch):
    _, labels = batch
    perfect = 100 * F.one_hot(labels.clamp(max=3), 4).movedim(-1, 1).double()
    assert float(LovaszLoss()(perfect, labels)) == pytest.approx(0, abs=1e-9)
    wrong = perfect.roll(1, dims=1)
    weight = torch.zeros(labels.shape)
    assert float(LovaszLoss()(wrong, labels, weight)) == 0


def test_mean_over_labelled_pixels(batch):
    logits, labels = batch
    loss = CrossEntropyLoss(avg_non_ignore=True)
    torch.testing.assert_close(loss(logits, labels), F.cross_entropy(logits, labels, ignore_index=255))
    assert float(loss(logits.detach(), torch.full_like(labels, 255))) == 0


def test_a_head_may_have_several_losses(batch):
    _, labels = batch
    losses = [{'type': 'CrossEntropyLoss'}, {'type': 'LovaszLoss', 'loss_weight': 0.5}]
    head = FCNHead(in_channels=2, channels=2, num_classes=4, num_convs=1, loss_decode=losses).double()
    logits = {'main': torch.randn(2, 4, 3, 5, dtype=torch.float64)}
    result = head.losses(logits, labels)
    assert list(result) == ['loss_seg', 'loss_lovasz', 'acc_seg']
    torch.testing.assert_close(result['loss_lovasz'], 0.5 * lovasz_softmax(logits['main'].softmax(1), labels))
