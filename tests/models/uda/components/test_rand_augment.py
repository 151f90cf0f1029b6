import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from mmseg.models.uda.components.rand_augment import (
    NAMES,
    RandAugment,
    change_picture,
    operation_of_strength,
)
from mmseg.models.uda.components.view_geometry import Operation, ViewChange

MEAN, STD = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])


def picture():
    return np.random.default_rng(0).integers(20, 230, (24, 36, 3), np.uint8)


BY_PILLOW = {
    'AutoContrast': (0, ImageOps.autocontrast),
    'Equalize': (0, ImageOps.equalize),
    'Posterize': (5, lambda image: ImageOps.posterize(image, 5)),
    'Solarize': (100, lambda image: ImageOps.solarize(image, 100)),
    'Brightness': (0.5, lambda image: ImageEnhance.Brightness(image).enhance(0.5)),
    'Color': (0.4, lambda image: ImageEnhance.Color(image).enhance(0.4)),
    'Contrast': (0.7, lambda image: ImageEnhance.Contrast(image).enhance(0.7)),
    'Identity': (0, lambda image: image),
}


@pytest.mark.parametrize('name', BY_PILLOW)
def test_colours_as_pillow_changes_them(name):
    value, reference = BY_PILLOW[name]
    expected = np.asarray(reference(Image.fromarray(picture()))).astype(float)
    ours = change_picture(torch.from_numpy(picture()).permute(2, 0, 1).float(), Operation(name, value))
    assert np.abs(ours.permute(1, 2, 0).numpy() - expected).max() <= 1


def test_every_operation_changes_a_picture_and_stays_in_range():
    given = torch.from_numpy(picture()).permute(2, 0, 1).float()
    for name in NAMES:
        changed = change_picture(given, operation_of_strength(name, 7, 1, 24, 36))
        assert changed.shape == given.shape and changed.min() >= 0 and changed.max() <= 255
        assert torch.equal(changed, given) == (name == 'Identity'), name


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('Rotate', -27),
        ('ShearX', -0.27),
        ('TranslateX', -540),
        ('TranslateY', -270),
        ('Posterize', 7),
        ('Solarize', 26),
        ('Brightness', 0.86),
    ],
)
def test_strengths(name, value):
    assert operation_of_strength(name, 9, -1, 1000, 2000).value == pytest.approx(value)


def test_draws_follow_from_the_generator():
    augment = RandAugment()
    drawn = [augment.draw(200, (128, 224), torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    names = [one.name for change in drawn[0] for one in change.operations]
    assert set(names) == {'Hflip', *NAMES}
    # Two draws with probability 1/2 each, and a mirrored half.
    assert len(names) / 200 == pytest.approx(1.5, abs=0.2)
    sides = {(box[2] - box[0], box[3] - box[1]) for box in (change.cutout for change in drawn[0])}
    assert max(sides) == (42, 42)


def test_nothing_done_gives_the_images_back_and_a_cutout_is_grey():
    images = torch.randn(2, 3, 16, 16)
    augment = RandAugment()
    torch.testing.assert_close(augment.apply(images, [ViewChange()] * 2, MEAN, STD), images)
    cut = augment.apply(images, [ViewChange((), (2, 4, 6, 8)), ViewChange()], MEAN, STD)
    grey = cut[0, :, 4:8, 2:6] * STD.view(3, 1, 1) + MEAN.view(3, 1, 1)
    torch.testing.assert_close(grey, torch.full_like(grey, 127.0))
    torch.testing.assert_close(cut[1], images[1])


def test_wrong_settings():
    with pytest.raises(ValueError, match="replay 'fixed' does not exist, choose one of ordered, published"):
        RandAugment(replay='fixed')
    with pytest.raises(ValueError, match='flip and cutout lie in 0..1; got 2, 4, 1.5'):
        RandAugment(flip=1.5)
