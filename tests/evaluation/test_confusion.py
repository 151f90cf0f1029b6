import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg.evaluation.confusion import (
    class_scores,
    confusion_matrix,
    count_pixels,
    frequency_weighted_iou,
    overall_accuracy,
    present_mean,
    scattered_histogram,
)


def brute_force(prediction, label, classes, ignore=255):
    matrix = np.zeros((classes, classes), int)
    for p, y in zip(prediction.ravel(), label.ravel(), strict=True):
        if y != ignore:
            matrix[y, p] += 1
    return matrix


@st.composite
def label_pairs(draw):
    classes = draw(st.integers(1, 6))
    pixels = draw(st.integers(1, 60))
    ids = st.lists(st.integers(0, classes - 1), min_size=pixels, max_size=pixels)
    label = np.array(draw(ids))
    label[draw(st.lists(st.booleans(), min_size=pixels, max_size=pixels))] = 255
    return np.array(draw(ids)), label, classes


@given(label_pairs())
@settings(max_examples=60, deadline=None)
def test_matrix_and_scores_equal_brute_force(pair):
    prediction, label, classes = pair
    matrix = confusion_matrix(torch.tensor(prediction), torch.tensor(label), classes)
    expected = brute_force(prediction, label, classes)
    assert matrix.dtype == torch.int64
    np.testing.assert_array_equal(matrix.numpy(), expected)
    scores = class_scores(matrix)
    valid = label != 255
    for c in range(classes):
        right = np.sum((prediction == c) & (label == c) & valid)
        predicted, labelled = np.sum((prediction == c) & valid), np.sum((label == c) & valid)
        for name, above, below in (
            ('IoU', right, predicted + labelled - right),
            ('Acc', right, labelled),
            ('Recall', right, labelled),
            ('Precision', right, predicted),
            ('Dice', 2 * right, predicted + labelled),
        ):
            assert scores[name][c].item() == pytest.approx(above / below if below else np.nan, nan_ok=True)
    assert overall_accuracy(matrix).item() == pytest.approx(
        np.mean((prediction == label)[valid]) if valid.any() else np.nan, nan_ok=True
    )


@given(st.lists(st.integers(0, 9), max_size=300))
@settings(max_examples=30, deadline=None)
def test_histogram_of_gpus_equals_bincount(values):
    cell = torch.tensor(values, dtype=torch.int32)
    expected = torch.bincount(cell, minlength=10)
    counted = scattered_histogram(cell, 10)
    assert counted.dtype == torch.int64 and torch.equal(counted, expected)


def test_counting_reads_nothing_on_the_host():
    """On the meta device, which holds no values, reading one is an error."""
    maps = torch.empty(2, 4, 5, dtype=torch.uint8, device='meta')
    counts, extremes = count_pixels(maps[0], maps[1], 19)
    assert counts.shape == (19, 19) and extremes.shape == (4,)


@given(label_pairs(), st.randoms())
@settings(max_examples=30, deadline=None)
def test_mean_iou_does_not_depend_on_the_order_of_classes(pair, random):
    prediction, label, classes = pair
    order = list(range(classes))
    random.shuffle(order)
    table = np.full(256, 255)
    table[:classes] = order

    def mean_iou(p, y):
        matrix = confusion_matrix(torch.tensor(p), torch.tensor(y), classes)
        return present_mean(class_scores(matrix)['IoU']).item()

    assert mean_iou(table[prediction], table[label]) == pytest.approx(mean_iou(prediction, label), nan_ok=True)


def test_relabelled_perfect_prediction_scores_zero():
    label = torch.arange(5).repeat(4)
    matrix = confusion_matrix((label + 1) % 5, label, 5)
    assert present_mean(class_scores(matrix)['IoU']) == 0
    assert present_mean(class_scores(confusion_matrix(label, label, 5))['IoU']) == 1


def test_fscore_is_nan_where_precision_or_recall_is():
    matrix = confusion_matrix(torch.tensor([1, 0]), torch.tensor([0, 0]), 2)
    scores = class_scores(matrix)
    assert scores['IoU'][1] == 0
    assert scores['Fscore'][1].isnan()
    assert scores['Dice'][1] == 0


@pytest.mark.parametrize(
    ('prediction', 'label', 'message'),
    [
        ([0, 1], [0, 24], 'label map holds class id 24, the data set has 2 classes'),
        ([0, 18], [0, 1], 'prediction holds class id 18'),
        ([0, -1], [0, 1], 'prediction holds class id -1'),
        ([7, 0], [0, -4], 'label map holds class id -4'),
    ],
)
def test_ids_outside_the_classes(prediction, label, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(torch.tensor(prediction), torch.tensor(label), 2)


def test_predictions_on_ignored_pixels_may_be_anything():
    assert confusion_matrix(torch.tensor([0, 99, -7]), torch.tensor([1, 255, 255]), 2).tolist() == [[0, 0], [1, 0]]


def test_many_classes_do_not_overflow():
    matrix = confusion_matrix(torch.tensor([299, 299], dtype=torch.int16), torch.tensor([298, 299]), 300)
    assert matrix.sum() == 2 and matrix[298, 299] == 1 and matrix[299, 299] == 1


def test_other_ignore_index_and_uint8():
    matrix = confusion_matrix(
        torch.tensor([0, 200, 1], dtype=torch.uint8), torch.tensor([0, 7, 0], dtype=torch.uint8), 2, 7
    )
    assert matrix.tolist() == [[1, 1], [0, 0]]


def test_frequency_weighted_iou_weighs_classes_by_their_pixels():
    matrix = torch.tensor([[6, 2, 0], [1, 1, 0], [0, 0, 0]])  # the third class occurs nowhere
    assert float(frequency_weighted_iou(matrix)) == pytest.approx(0.8 * 6 / 9 + 0.2 * 1 / 4)
