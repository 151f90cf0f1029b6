import json

import numpy as np
import pytest
import torch

from mmseg.models.losses import CrossEntropyLoss, accuracy


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 4, 6, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 5, (2, 4, 6), generator=generator)
    labels[0, :2] = 255
    weight = torch.rand(2, 4, 6, generator=generator, dtype=torch.float64)
    return logits, labels, weight


def by_hand(logits, labels, weight=None, class_weight=None):
    """Pixel by pixel."""
    loss = torch.zeros(labels.shape, dtype=logits.dtype)
    for b, y, x in np.ndindex(*labels.shape):
        label = int(labels[b, y, x])
        if label != 255:
            scores = logits[b, :, y, x]
            loss[b, y, x] = torch.log(torch.exp(scores).sum()) - scores[label]
            loss[b, y, x] *= 1 if class_weight is None else class_weight[label]
    return loss if weight is None else loss * weight


def test_mean_counts_ignored_pixels(batch):
    logits, labels, weight = batch
    torch.testing.assert_close(CrossEntropyLoss()(logits, labels), by_hand(logits, labels).sum() / labels.numel())
    expected = by_hand(logits, labels, weight).sum() / labels.numel()
    torch.testing.assert_close(CrossEntropyLoss()(logits, labels, weight), expected)


def test_class_weights_are_not_normalised(batch):
    factors = [0.5, 1.0, 2.0, 3.0, 0.1]
    loss = CrossEntropyLoss(class_weight=factors, loss_weight=0.4)
    expected = 0.4 * by_hand(*batch, class_weight=factors).mean()
    torch.testing.assert_close(loss(*batch), expected)
    assert not loss.state_dict(), 'class weights come from the config, not from checkpoints'


def test_reductions(batch):
    loss, expected = CrossEntropyLoss(), by_hand(*batch)
    torch.testing.assert_close(loss(*batch, reduction_override='none'), expected)
    torch.testing.assert_close(loss(*batch, reduction_override='sum'), expected.sum())
    torch.testing.assert_close(loss(*batch, avg_factor=12.5), expected.sum() / 12.5)
    torch.testing.assert_close(CrossEntropyLoss(reduction='sum')(*batch), expected.sum())
    with pytest.raises(ValueError, match='avg_factor'):
        loss(*batch, avg_factor=2, reduction_override='sum')
    with pytest.raises(ValueError, match="unknown reduction 'max'"):
        CrossEntropyLoss(reduction='max')


def test_all_ignored_is_zero_with_zero_gradient():
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    loss = CrossEntropyLoss()(logits, torch.full((1, 2, 2), 255))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


@pytest.mark.parametrize('suffix', ['.npy', '.json', '.yaml', '.pkl'])
def test_class_weights_from_a_file(batch, suffix, tmp_path):
    factors = [1.0, 2.0, 3.0, 4.0, 5.0]
    path = str(tmp_path / f'weights{suffix}')
    if suffix == '.npy':
        np.save(path, factors)
    elif suffix == '.pkl':
        import pickle

        with open(path, 'wb') as file:
            pickle.dump(factors, file)
    else:
        with open(path, 'w') as file:
            json.dump(factors, file)
    expected = CrossEntropyLoss(class_weight=factors)(*batch)
    torch.testing.assert_close(CrossEntropyLoss(class_weight=path)(*batch), expected)


def test_wrong_class_weights(batch, tmp_path):
    with pytest.raises(FileNotFoundError, match='none.npy'):
        CrossEntropyLoss(class_weight=str(tmp_path / 'none.npy'))
    with pytest.raises(ValueError, match='3 class weights for 5 classes'):
        CrossEntropyLoss(class_weight=[1, 2, 3])(*batch)
    with pytest.raises(ValueError, match='one number per class'):
        CrossEntropyLoss(class_weight=[[1.0], [2.0]])


@pytest.mark.parametrize('option', ['use_sigmoid', 'use_mask'])
def test_binary_variants_are_refused(option):
    with pytest.raises(ValueError, match='must be False'):
        CrossEntropyLoss(**{option: True})


def test_accuracy_counts_ignored_pixels_as_wrong():
    logits = torch.zeros(1, 3, 2, 2)
    logits[:, 1] = 1
    labels = torch.tensor([[[1, 1], [0, 255]]])
    assert accuracy(logits, labels).item() == 50
