import numpy as np
import pytest
import torch
from torchvision.transforms import functional as reference

from mmseg.datasets.transforms import ColorJitter, PadAround, Resize
from mmseg.datasets.transforms.color_jitter import ColorFactors, jitter

IMAGE = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
TENSOR = torch.from_numpy(IMAGE[..., ::-1].copy()).permute(2, 0, 1)

CASES = [
    (ColorFactors(brightness=1.3), lambda x: reference.adjust_brightness(x, 1.3), 1),
    (ColorFactors(contrast=0.6), lambda x: reference.adjust_contrast(x, 0.6), 2),
    (ColorFactors(saturation=1.4), lambda x: reference.adjust_saturation(x, 1.4), 2),
    (ColorFactors(hue=-0.15), lambda x: reference.adjust_hue(x, -0.15), 10),
    (ColorFactors(grey=True), lambda x: reference.rgb_to_grayscale(x, 3), 1),
    (ColorFactors(sigma=1.2), lambda x: reference.gaussian_blur(x, [3, 3], [1.2, 1.2]), 1),
]


@pytest.mark.parametrize(('factors', 'expected', 'levels'), CASES)
def test_torchvision_to_a_few_grey_levels(factors, expected, levels):
    ours = jitter(IMAGE, factors)[..., ::-1].astype(int)
    theirs = expected(TENSOR).permute(1, 2, 0).numpy().astype(int)
    assert np.abs(ours - theirs).max() <= levels


def test_draws_stay_in_their_ranges():
    transform = ColorJitter(brightness=0.5, contrast=0.4, saturation=0.3, hue=0.2, grey_prob=0.5)
    drawn = [transform.draw(np.random.default_rng(seed)) for seed in range(200)]
    assert all(0.5 <= each.brightness <= 1.5 and 0.6 <= each.contrast <= 1.4 for each in drawn)
    assert all(abs(each.hue) <= 0.2 and 0.1 <= each.sigma <= 2 for each in drawn)
    assert {tuple(sorted(each.order)) for each in drawn} == {(0, 1, 2, 3)}
    assert 60 < sum(each.grey for each in drawn) < 140
    with pytest.raises(ValueError, match='contrast must lie'):
        ColorJitter(contrast=3)


def test_padding_on_both_sides():
    results = {'img': IMAGE, 'gt_seg_map': np.ones((12, 16), np.uint8)}
    padded = PadAround((14, 10))(results)
    assert padded['img'].shape == (16, 16, 3) and padded['img_shape'] == (16, 16)
    assert (padded['gt_seg_map'][[0, 1, 14, 15]] == 255).all() and not padded['img'][0].any()
    with pytest.raises(ValueError, match='PadAround'):
        PadAround((0, 4))


def test_pillow_averages_where_images_shrink():
    stripes = np.zeros((8, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    results = {'img': stripes, 'gt_seg_map': np.tile(np.arange(64, dtype=np.uint8), (8, 1))}
    small = Resize((8, 8), keep_ratio=False, interpolation='bicubic', backend='pillow')(results)
    assert np.abs(small['img'].astype(int) - 127).max() < 12
    assert small['gt_seg_map'][0].tolist() == [4, 12, 20, 28, 36, 44, 52, 60]
    with pytest.raises(ValueError, match='backend of cv2, pillow'):
        Resize((8, 8), backend='magick')


def test_a_given_order_is_kept():
    strong = ColorJitter(grey_prob=0.0, blur_sigma=None, order=('hue', 'brightness', 'contrast', 'saturation'))
    drawn = [strong.draw(np.random.default_rng(seed)) for seed in range(5)]
    assert {factors.order for factors in drawn} == {(3, 0, 1, 2)}
    assert len({factors.brightness for factors in drawn}) == 5
    with pytest.raises(ValueError, match='order must have each of brightness, contrast, saturation, hue once'):
        ColorJitter(order=('hue', 'hue', 'contrast', 'saturation'))
