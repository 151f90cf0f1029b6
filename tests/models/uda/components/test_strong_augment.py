import colorsys
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg.models.uda.components.strong_augment import (
    StrongAugment,
    StrongAugmentation,
    blur_kernel_size,
    color_jitter,
    gaussian_blur,
    hsv_to_rgb,
    rgb_to_hsv,
)
from tests.models.uda.toy import MEAN, STD

MEAN_T, STD_T = torch.tensor(MEAN, dtype=torch.float64), torch.tensor(STD, dtype=torch.float64)


def pictures(batch, height=6, width=7, seed=0):
    levels = torch.randint(0, 256, (batch, 3, height, width), generator=torch.Generator().manual_seed(seed))
    return (levels.double() - MEAN_T.view(3, 1, 1)) / STD_T.view(3, 1, 1)


def clamp(value):
    return min(max(value, 0.0), 1.0)


def jitter_pixel(rgb, factors, order):
    """The same formulas on one pixel with Python's colorsys (which has no epsilon in the saturation)."""
    brightness, contrast, saturation, hue = factors
    for operation in order:
        if operation == 0:
            rgb = [clamp(v + brightness - 1) for v in rgb]
        elif operation == 1:
            rgb = [clamp(v * contrast) for v in rgb]
        else:
            h, s, v = colorsys.rgb_to_hsv(*rgb)
            s = s * v / (v + 1e-6)
            if operation == 2:
                s = clamp(s * saturation)
            else:
                h = (h + hue) % 1
            rgb = colorsys.hsv_to_rgb(h, s, v)
    return rgb


def test_jitter_pixel_by_pixel():
    images = pictures(3)
    factors = torch.tensor([[1.2, 0.8, 1.1, -0.2], [0.9, 1.15, 0.8, 0.19], [1.0, 1.0, 1.2, 0.0]])
    order = torch.tensor([[0, 1, 2, 3], [3, 2, 0, 1], [2, 0, 3, 1]])
    ours = color_jitter(images, factors, order, MEAN_T, STD_T)
    colors = (images * STD_T.view(3, 1, 1) + MEAN_T.view(3, 1, 1)) / 255
    for b in range(3):
        for y in range(images.shape[2]):
            for x in range(images.shape[3]):
                expected = jitter_pixel(colors[b, :, y, x].tolist(), factors[b].tolist(), order[b].tolist())
                expected = (255 * torch.tensor(expected, dtype=torch.float64) - MEAN_T) / STD_T
                torch.testing.assert_close(ours[b, :, y, x], expected, rtol=0, atol=1e-5)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_batch_equals_single_images(seed):
    images = pictures(4, seed=seed)
    drawn = StrongAugment(jitter_probability=1.0).draw(4, torch.Generator().manual_seed(seed))
    together = color_jitter(images, drawn.factors, drawn.order, MEAN_T, STD_T)
    for i in range(4):
        alone = color_jitter(images[i : i + 1], drawn.factors[i : i + 1], drawn.order[i : i + 1], MEAN_T, STD_T)
        assert torch.equal(together[i], alone[0])


def test_hsv_there_and_back():
    colors = torch.rand(2, 3, 5, 5, dtype=torch.float64)
    hue, saturation, value = rgb_to_hsv(colors)
    torch.testing.assert_close(hsv_to_rgb(hue, saturation, value), colors, rtol=0, atol=2e-6)
    torch.testing.assert_close(
        hsv_to_rgb(hue - 2 * math.pi, saturation, value), hsv_to_rgb(hue, saturation, value), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize(('side', 'taps'), [(512, 51), (1024, 103), (128, 13), (96, 9), (160, 15), (8, 1)])
def test_kernel_size(side, taps):
    assert blur_kernel_size(side) == taps


def dense_blur(image, sigma):
    """One 2-D kernel of the published size."""
    kernels = []
    for side in image.shape[-2:]:
        radius = blur_kernel_size(side) // 2
        taps = torch.exp(-(torch.arange(-radius, radius + 1).double() ** 2) / (2 * sigma**2))
        kernels.append(taps / taps.sum())
    kernel = torch.outer(*kernels).expand(3, 1, -1, -1)
    radii = [len(taps) // 2 for taps in kernels]
    padded = F.pad(image[None], (radii[1], radii[1], radii[0], radii[0]), mode='reflect')
    return F.conv2d(padded, kernel, groups=3)[0]


@pytest.mark.parametrize('size', [(200, 130), (48, 30), (24, 256)])
def test_blur_equals_dense_kernels(size):
    images = torch.randn(3, 3, *size, dtype=torch.float64)
    sigma = torch.tensor([0.15, 0.9, 1.15], dtype=torch.float64)
    blurred = gaussian_blur(images, sigma)
    for i in range(3):
        torch.testing.assert_close(blurred[i], dense_blur(images[i], float(sigma[i])), rtol=0, atol=1e-6)


def test_blur_keeps_constants():
    images = torch.full((2, 3, 64, 64), 0.7)
    torch.testing.assert_close(gaussian_blur(images, torch.tensor([0.3, 1.1])), images)


def test_draws_stay_in_range_and_probabilities_hold():
    augment, jittered, blurred = StrongAugment(0.2), 0, 0
    for seed in range(600):
        drawn = augment.draw(2, torch.Generator().manual_seed(seed))
        if drawn.factors is not None:
            jittered += 1
            assert bool((drawn.factors[:, :3] >= 0.8).all()) and bool((drawn.factors[:, :3] <= 1.2).all())
            assert bool((drawn.factors[:, 3].abs() <= 0.2).all())
            assert drawn.order.sort(1).values.tolist() == [[0, 1, 2, 3]] * 2
            assert not torch.equal(drawn.factors[0], drawn.factors[1])
        if drawn.sigma is not None:
            blurred += 1
            assert bool((drawn.sigma >= 0.15).all()) and bool((drawn.sigma <= 1.15).all())
    assert 440 < jittered < 520 and 250 < blurred < 350


def test_options():
    never = StrongAugment(jitter_probability=0.0, blur=False).draw(2, torch.Generator())
    assert never == StrongAugmentation()
    images = pictures(2)
    assert StrongAugment().apply(images, never, MEAN_T, STD_T) is images
    only_hue = StrongAugment({'hue': 0.1}, jitter_probability=1.0).draw(2, torch.Generator())
    assert only_hue.factors[:, :3].tolist() == [[1.0] * 3] * 2 and bool((only_hue.factors[:, 3] != 0).all())
    with pytest.raises(ValueError, match='gamma'):
        StrongAugment({'gamma': 0.1})


def test_each_image_for_itself():
    augment, jittered, blurred = StrongAugment(scope='image'), 0, 0
    mixed_batches = 0
    for seed in range(300):
        drawn = augment.draw(2, torch.Generator().manual_seed(seed))
        chosen = []
        for values, rows in ((drawn.factors, drawn.jittered), (drawn.sigma, drawn.blurred)):
            chosen.append(0 if values is None else 2 if rows is None else int(rows.sum()))
        jittered, blurred = jittered + chosen[0], blurred + chosen[1]
        mixed_batches += chosen[0] == 1
    assert 430 < jittered < 530 and 250 < blurred < 350
    assert 60 < mixed_batches < 135


def test_only_chosen_images_change():
    images = pictures(3, 30, 40)
    drawn = StrongAugment(jitter_probability=1.0).draw(3, torch.Generator().manual_seed(0))
    sigma = torch.tensor([0.9, 0.5, 1.1], dtype=torch.float64)
    some = StrongAugmentation(
        drawn.factors.double(),
        drawn.order,
        sigma,
        torch.tensor([True, False, True]),
        torch.tensor([False, False, True]),
    )
    ours = StrongAugment(scope='image').apply(images, some, MEAN_T, STD_T)
    expected = color_jitter(images, some.factors, some.order, MEAN_T, STD_T)
    assert torch.equal(ours[0], expected[0])
    assert torch.equal(ours[1], images[1])
    assert torch.equal(ours[2], gaussian_blur(expected, sigma)[2])


def test_blur_along_x_alone_with_the_kernel_of_the_height():
    images = torch.randn(1, 3, 40, 200, dtype=torch.float64)
    blurred = gaussian_blur(images, torch.tensor([1.0], dtype=torch.float64), 'x')
    radius = blur_kernel_size(40) // 2
    assert radius == 1
    taps = torch.exp(-(torch.arange(-radius, radius + 1).double() ** 2) / 2)
    taps = (taps / taps.sum()).view(1, 1, 1, -1).expand(3, 1, 1, -1)
    expected = F.conv2d(F.pad(images, (radius, radius, 0, 0), mode='reflect'), taps, groups=3)
    torch.testing.assert_close(blurred, expected)


def test_wrong_scope_and_axes():
    with pytest.raises(ValueError, match="scope 'sample' does not exist, choose one of batch, image"):
        StrongAugment(scope='sample')
    with pytest.raises(ValueError, match="blur_axes 'y' does not exist, choose one of xy, x"):
        StrongAugment(blur_axes='y')
