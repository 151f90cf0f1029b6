"""HRDA's geometry against plain slicing and arithmetic."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmseg.models.detail_crop import (
    box_mask,
    crop,
    draw_offset,
    fitting_side,
    output_stride,
    paste,
    rescale,
    scale_box,
    size_divisor,
)

BOX = torch.tensor([2, 5, 1, 7])


def test_crop_is_slicing():
    x = torch.randn(2, 3, 8, 9)
    assert torch.equal(crop(x, BOX, (3, 6)), x[:, :, 2:5, 1:7])
    labels = torch.randint(0, 9, (2, 8, 9))
    assert torch.equal(crop(labels, BOX, (3, 6)), labels[:, 2:5, 1:7])


def test_paste_undoes_crop():
    x = torch.randn(2, 3, 3, 6, requires_grad=True)
    canvas = paste(x, BOX, (8, 9))
    assert torch.equal(crop(canvas, BOX, (3, 6)), x)
    assert canvas.detach().count_nonzero() == x.numel()
    weight = torch.randn_like(canvas)
    (canvas * weight).sum().backward()
    assert torch.equal(x.grad, weight[:, :, 2:5, 1:7])


def test_mask_is_true_inside():
    mask = box_mask(BOX, (8, 9))
    expected = torch.zeros(8, 9, dtype=torch.bool)
    expected[2:5, 1:7] = True
    assert torch.equal(mask, expected)


@given(st.lists(st.integers(0, 4096), min_size=4, max_size=4), st.sampled_from([1, 4, 8, 16.0, 4 / 0.75, 3.2]))
def test_scaled_box_is_truncated(box, cell):
    assert scale_box(torch.tensor(box), cell).tolist() == [int(side / cell) for side in box]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 16), st.integers(0, 9))
def test_offsets_lie_inside_and_on_the_grid(length, crop_length, divisible, seed):
    generator = torch.Generator().manual_seed(seed)
    if crop_length > length:
        with pytest.raises(ValueError, match=f'{crop_length} exceeds the training images of {length} pixels'):
            draw_offset(length, crop_length, divisible, generator)
        return
    offset = draw_offset(length, crop_length, divisible, generator)
    assert offset % divisible == 0
    assert 0 <= offset <= length - crop_length


def test_halving_is_the_mean_of_two_by_two_pixels():
    x = torch.randn(1, 3, 8, 6, dtype=torch.float64)
    assert torch.allclose(rescale(x, 0.5), torch.nn.functional.avg_pool2d(x, 2))
    assert rescale(x, 1) is x
    assert rescale(torch.zeros(1, 1, 7, 9), 0.5).shape[2:] == (3, 4)


@pytest.mark.parametrize(
    ('scales', 'stride', 'divisor'), [((0.5, 1), 4, 8), ((0.5, 1), 8, 16), ((0.75, 1), 4, 16), ((1, 1), 4, 4)]
)
def test_size_divisor(scales, stride, divisor):
    """The smallest side from which all scales give whole logits, by trying."""
    sides = [side for side in range(1, 65) if all(side * scale / stride % 1 == 0 for scale in scales)]
    assert size_divisor(scales, stride) == sides[0] == divisor


@pytest.mark.parametrize(('scales', 'stride'), [((0.5, 1), 4), ((0.75, 1), 4), ((0.75, 1), 8), ((0.25, 1), 8)])
def test_fitting_sides_are_those_whose_maps_have_one_size(scales, stride):
    def maps(side):
        context = rescale(torch.zeros(1, 1, side, side), scales[0])[..., ::stride, ::stride]
        return rescale(context, scales[1] / scales[0]).shape[2], side / stride

    fitting = [side for side in range(stride, 130) if maps(side)[0] == maps(side)[1]]
    for side in range(stride, fitting[-1]):
        assert fitting_side(side, scales, stride) == min(other for other in fitting if other >= side)
    if scales[0] == 0.75:
        assert set(range(2 * stride, 120, 2 * stride)) <= set(fitting), 'finer than size_divisor'


@given(st.sampled_from([2, 4, 8, 16]), st.integers(1, 300))
def test_stride_is_found_from_sizes(stride, side):
    if side > stride:
        assert output_stride(side, -(-side // stride)) == stride
    if side > 7:
        assert output_stride(14 * side, side) == 14
