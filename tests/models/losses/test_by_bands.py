"""Cross entropy band by band: the loss, accuracy and gradient of all rows at once, without the full-size scores."""

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from mmseg.models.losses import CrossEntropyLoss, accuracy, cross_entropy_by_bands
from mmseg.models.resize import resize
from mmseg.registry import MODELS
from tests.models.decode_heads.small_heads import HEADS

CLASSES = 5


def batch(size, full, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, CLASSES, *size, generator=generator, dtype=dtype)
    labels = torch.randint(0, CLASSES, (2, *full), generator=generator)
    labels[:, :3] = 255
    return logits, labels, torch.rand(2, *full, generator=generator, dtype=dtype)


@pytest.mark.parametrize(('size', 'full'), [((6, 8), (24, 32)), ((5, 7), (23, 31)), ((8, 8), (12, 9))])
@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize(
    'options',
    [
        {},
        {'reduction': 'sum', 'loss_weight': 0.5},
        {'avg_non_ignore': True},
        {'class_weight': [1.0, 2.0, 0.5, 1.0, 3.0], 'loss_weight': 2.0},
    ],
)
@pytest.mark.parametrize('weighted', [False, True])
def test_it_equals_all_rows_at_once(size, full, align_corners, options, weighted):
    loss = CrossEntropyLoss(**options)
    logits, labels, weight = batch(size, full)
    weight = weight if weighted else None
    whole, banded = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    enlarged = resize(whole, full, align_corners)
    expected = loss(enlarged, labels, weight)
    (3 * expected).backward()
    got, correct = cross_entropy_by_bands(loss, banded, labels, weight, 255, align_corners, limit=7 * 2 * CLASSES * 9)
    (3 * got).backward()
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(banded.grad, whole.grad)
    assert correct == pytest.approx(accuracy(enlarged, labels).item())


def test_a_batch_without_labels_costs_nothing():
    logits, labels, _ = batch((4, 4), (16, 16))
    logits.requires_grad_()
    loss, correct = cross_entropy_by_bands(
        CrossEntropyLoss(avg_non_ignore=True), logits, torch.full_like(labels, 255), None, 255, False, limit=100
    )
    loss.backward()
    assert loss == correct == logits.grad.abs().sum() == 0


@pytest.mark.parametrize('name', ['dlv2', 'aspp'])
def test_heads_use_bands_for_large_maps_and_keep_none(name, monkeypatch):
    torch.manual_seed(0)
    head = MODELS.build(HEADS[name])
    logits = {'main': torch.randn(2, CLASSES, 8, 8)}
    labels = torch.randint(0, CLASSES, (2, 32, 32))
    full = 2 * CLASSES * 32 * 32

    def run(limit):
        monkeypatch.setattr(head, 'band_limit', limit)
        leaf = {'main': logits['main'].clone().requires_grad_()}
        sizes = []
        with saved_tensors_hooks(lambda x: sizes.append(x.numel()) or x, lambda x: x):
            losses = head.losses(leaf, labels)
        losses['loss_seg'].backward()
        return losses, leaf['main'].grad, max(sizes)

    whole, whole_grad, whole_size = run(full)
    banded, banded_grad, banded_size = run(full - 1)
    assert set(whole) == set(banded)
    for key, value in whole.items():
        torch.testing.assert_close(banded[key], value)
    torch.testing.assert_close(banded_grad, whole_grad)
    assert whole_size == full
    assert banded_size < full
