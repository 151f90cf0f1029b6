"""Windows: where they lie, how they are cut and merged."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmseg.models.segmentors.sliding_window import cut_windows, merge_windows, slide, window_boxes

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


def test_overlaps_are_averaged():
    windows = [torch.full((1, 1, 1, 2), value) for value in (2.0, 4.0)]
    merged = merge_windows(windows, [(0, 1, 0, 2), (0, 1, 1, 3)], (1, 3))
    assert merged.flatten().tolist() == [2, 3, 4]


def test_canvas_has_32_bits_at_least():
    boxes = [(0, 2, 0, 2)]
    for dtype, expected in [(torch.bfloat16, torch.float32), (torch.float64, torch.float64)]:
        assert merge_windows([torch.ones(1, 1, 2, 2, dtype=dtype)], boxes, (2, 2)).dtype == expected


@pytest.mark.parametrize('batched', [False, True])
def test_slide_of_a_pixelwise_function_is_the_function(batched):
    images = torch.randn(2, 3, 11, 17, dtype=torch.float64)
    merged = slide(images, torch.sin, (5, 6), (3, 4), batched)
    torch.testing.assert_close(merged, images.sin())


@pytest.mark.parametrize(('batched', 'sizes'), [(False, [2] * 6), (True, [12])])
def test_number_of_predictions(batched, sizes):
    seen = []

    def predict(windows):
        seen.append(len(windows))
        return windows

    slide(torch.zeros(2, 3, 8, 12), predict, (4, 6), (4, 3), batched)
    assert seen == sizes
