"""Geometry against Pillow, and label maps against the pictures that they belong to."""

import numpy as np
import pytest
import torch
from PIL import Image

from mmseg.models.uda.components.rand_augment import RandAugment
from mmseg.models.uda.components.view_geometry import GEOMETRIC, Operation, ViewChange, inverse_matrix, move, warp

HEIGHT, WIDTH = 40, 64
VALUES = {'ShearX': 0.21, 'ShearY': -0.15, 'TranslateX': -9, 'TranslateY': 6, 'Rotate': -20, 'Hflip': 0}


def ids(height=HEIGHT, width=WIDTH, block=8):
    """(H, W) uint8 of blocks, none of them 0 or 255."""
    cells = np.random.default_rng(0).integers(1, 20, (height // block, width // block))
    return np.kron(cells, np.ones((block, block))).astype(np.uint8)


def pillow(image, name, value, how):
    coefficients = {
        'ShearX': (1, value, 0, 0, 1, 0),
        'ShearY': (1, 0, 0, value, 1, 0),
        'TranslateX': (1, 0, value, 0, 1, 0),
        'TranslateY': (1, 0, 0, 0, 1, value),
    }
    if name == 'Hflip':
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if name == 'Rotate':
        return image.rotate(value, how, fillcolor=0)
    return image.transform(image.size, Image.Transform.AFFINE, coefficients[name], how, fillcolor=0)


@pytest.mark.parametrize('name', GEOMETRIC)
def test_labels_as_pillow_moves_them(name):
    label, value = ids(), VALUES[name]
    expected = np.asarray(pillow(Image.fromarray(label), name, value, Image.Resampling.NEAREST))
    moved, inside = warp(torch.from_numpy(label)[None].double(), Operation(name, value))
    ours = torch.where(inside, moved[0], 0).numpy()
    assert (ours == expected).mean() > 0.99


@pytest.mark.parametrize('name', GEOMETRIC)
def test_pictures_as_pillow_moves_them(name):
    picture, value = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH), np.uint8), VALUES[name]
    expected = np.asarray(pillow(Image.fromarray(picture), name, value, Image.Resampling.BILINEAR)).astype(float)
    moved, inside = warp(torch.from_numpy(picture)[None].double(), Operation(name, value), mode='bilinear')
    difference = np.abs(torch.where(inside, moved[0], 0).numpy() - expected)
    assert (difference <= 1).mean() > 0.97


def test_what_leaves_the_picture_does_not_come_back():
    values = torch.arange(8.0).expand(1, 1, 4, 8)
    there_and_back = ViewChange((Operation('TranslateX', 3), Operation('TranslateX', -3)))
    moved, inside = move(values, [there_and_back], stride=1)
    assert inside[0, 0].tolist() == [False] * 3 + [True] * 5
    assert moved[0, 0, 0, 3:].tolist() == [3, 4, 5, 6, 7]


def test_order_counts_and_the_published_replay_forgets_it():
    values = torch.rand(1, 1, 32, 32, dtype=torch.float64)
    steps = (Operation('Rotate', 20.0), Operation('TranslateX', 8.0))
    orders = [ViewChange(steps), ViewChange(steps[::-1])]
    ordered = [move(values, [change], 1)[0] for change in orders]
    published = [move(values, [change], 1, 'published')[0] for change in orders]
    assert not torch.equal(*ordered)
    assert torch.equal(*published)


def test_published_horizontal_moves_go_too_far():
    values = torch.arange(16.0).expand(1, 1, 8, 16)
    change = [ViewChange((Operation('TranslateX', 4.0),))]
    assert move(values, change, 2, 'ordered')[0][0, 0, 0, 0] == 2
    assert move(values, change, 2, 'published')[0][0, 0, 0, 0] == 4  # twice as wide as high


def test_cutouts_shrink_with_the_map():
    change = [ViewChange((), (8, 4, 24, 20))]
    inside = move(torch.zeros(1, 1, 8, 8), change, stride=4)[1][0]
    assert (~inside).nonzero().min(dim=0).values.tolist() == [1, 2]
    assert (~inside).sum() == 4 * 4


def test_unknown_operation_is_named():
    with pytest.raises(ValueError, match='Twist is no geometric operation; these are Hflip, ShearX'):
        inverse_matrix(Operation('Twist'), 4, 4)


@pytest.mark.parametrize('seed', range(4))
def test_labels_stay_on_their_picture(seed):
    """A picture whose grey levels are its labels: after any operations the moved labels are found in it."""
    labels = torch.from_numpy(ids(256, 384, block=64)).long()[None]
    augment = RandAugment(operations=4, cutout=0.2, label_stride=4)
    change = augment.draw(1, (256, 384), torch.Generator().manual_seed(seed))[0]
    change = change._replace(operations=tuple(one for one in change.operations if one.name in GEOMETRIC))
    grey = (labels * 10).float()[:, None].expand(-1, 3, -1, -1)
    picture = augment.apply(grey, [change], torch.zeros(3), torch.ones(3))[0, 0]
    moved = augment.move_labels(labels, [change])[0]
    found = picture[::4, ::4]
    kept = moved != 255
    agree = (found - 10 * moved).abs()[kept] < 5
    assert agree.float().mean() > 0.9  # all but the borders between blocks
    assert 0.2 < kept.float().mean() < 1
