"""Windows: where they lie, how they are cut and merged."""

import weakref

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from mmseg.models.segmentors.sliding_window import WindowMean, cut_windows, slide, window_batches, window_boxes

sides = st.integers(1, 60)


@given(sides, sides, st.tuples(sides, sides), st.data())
def test_windows_cover_everything_and_have_one_size(height, width, crop, data):
    stride = tuple(data.draw(st.integers(1, side)) for side in crop)
    boxes = window_boxes(height, width, crop, stride)
    covered = torch.zeros(height, width, dtype=torch.bool)
    for y1, y2, x1, x2 in boxes:
        assert 0 <= y1 < y2 <= height
        assert 0 <= x1 < x2 <= width
        assert (y2 - y1, x2 - x1) == (min(crop[0], height), min(crop[1], width))
        covered[y1:y2, x1:x2] = True
    assert covered.all()
    assert len(set(boxes)) == len(boxes)
    assert boxes == sorted(boxes)


def test_last_window_is_shifted_back_to_the_border():
    assert window_boxes(10, 7, (4, 7), (4, 7)) == [(0, 4, 0, 7), (4, 8, 0, 7), (6, 10, 0, 7)]


def test_window_larger_than_the_image_shrinks_to_it():
    assert window_boxes(5, 9, (8, 6), (4, 3)) == [(0, 5, 0, 6), (0, 5, 3, 9)]


def test_windows_are_stacked_window_major():
    images = torch.arange(2 * 6.0).reshape(2, 1, 1, 6)
    boxes = [(0, 1, 0, 2), (0, 1, 4, 6)]
    assert cut_windows(images, boxes).flatten(1).tolist() == [[0, 1], [6, 7], [4, 5], [10, 11]]


@given(st.integers(1, 30), st.integers(1, 3), st.integers(0, 3000))
def test_batches_keep_order_and_bound_and_are_of_almost_equal_size(count, images, pixels):
    boxes = [(0, 10, x, x + 10) for x in range(count)]
    batches = window_batches(boxes, images, pixels)
    assert [box for batch in batches for box in batch] == boxes
    sizes = [len(batch) for batch in batches]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) == 1 or max(sizes) * images * 100 <= pixels
    # One batch less could not hold them.
    assert len(batches) == 1 or (len(batches) - 1) * max(1, pixels // (images * 100)) < count
    assert window_batches(boxes, images, None) == [boxes]


def averaged(windows, boxes, size):
    average = WindowMean(boxes, size)
    for window, box in zip(windows, boxes, strict=True):
        average.add(window, [box])
    return average.mean()


def test_overlaps_are_averaged():
    windows = [torch.full((1, 1, 1, 2), value) for value in (2.0, 4.0)]
    merged = averaged(windows, [(0, 1, 0, 2), (0, 1, 1, 3)], (1, 3))
    assert merged.flatten().tolist() == [2, 3, 4]


@given(sides, sides, st.tuples(sides, sides), st.data())
def test_mean_equals_counting_the_windows_of_each_pixel(height, width, crop, data):
    stride = tuple(data.draw(st.integers(1, side)) for side in crop)
    boxes = window_boxes(height, width, crop, stride)
    total, count = torch.zeros(1, 2, height, width), torch.zeros(height, width)
    windows = []
    for number, (y1, y2, x1, x2) in enumerate(boxes):
        windows.append(torch.full((1, 2, y2 - y1, x2 - x1), float(number)))
        total[:, :, y1:y2, x1:x2] += number
        count[y1:y2, x1:x2] += 1
    assert torch.equal(averaged(windows, boxes, (height, width)), total / count)


def test_sum_has_32_bits_at_least():
    boxes = [(0, 2, 0, 2)]
    for dtype, expected in [(torch.bfloat16, torch.float32), (torch.float64, torch.float64)]:
        assert averaged([torch.ones(1, 1, 2, 2, dtype=dtype)], boxes, (2, 2)).dtype == expected
    with pytest.raises(ValueError, match='no windows were added'):
        WindowMean(boxes, (2, 2)).mean()


@pytest.mark.parametrize('pixels', [0, 60, 150, None])
def test_slide_of_a_pixelwise_function_is_the_function(pixels):
    images = torch.randn(2, 3, 11, 17, dtype=torch.float64)
    merged = slide(images, torch.sin, (5, 6), (3, 4), pixels)
    torch.testing.assert_close(merged, images.sin())


def test_slide_of_coarse_predictions():
    images = torch.randn(2, 3, 12, 20, dtype=torch.float64)
    merged = slide(images, lambda x: F.avg_pool2d(x, 4), (8, 8), (4, 4), 200, cell=4)
    torch.testing.assert_close(merged, F.avg_pool2d(images, 4))


@pytest.mark.parametrize(('pixels', 'sizes'), [(0, [2] * 6), (2 * 24 * 4, [6, 6]), (2 * 24 * 5, [6, 6]), (None, [12])])
def test_number_of_predictions(pixels, sizes):
    seen = []

    def predict(windows):
        seen.append(len(windows))
        return windows

    slide(torch.zeros(2, 3, 8, 12), predict, (4, 6), (4, 3), pixels)
    assert seen == sizes


def test_logits_are_dropped_before_the_next_are_made():
    made = []

    def predict(windows):
        assert all(reference() is None for reference in made)
        logits = windows * 2
        made.append(weakref.ref(logits))
        return logits

    slide(torch.zeros(1, 3, 8, 12), predict, (4, 6), (4, 3))
    assert len(made) == 6
