import pytest
import torch

from mmseg.models.uda.components.rectification import WeakView, rectified_labels, replay, views_of


def test_prototypes_overrule_a_soft_label():
    soft = torch.tensor([0.6, 0.4, 0.0]).view(1, 3, 1, 1)
    weights = torch.tensor([0.2, 0.7, 0.1]).view(1, 3, 1, 1)
    assert rectified_labels(soft, torch.ones_like(soft)).item() == 0
    assert rectified_labels(soft, weights).item() == 1  # 0.12 against 0.28: a share of 0.7
    assert rectified_labels(soft, weights, threshold=0.69).item() == 1
    assert rectified_labels(soft, weights, threshold=0.71).item() == 255


def test_maps_follow_the_crop():
    maps = torch.arange(8 * 16.0).view(1, 1, 8, 16)
    view = WeakView(size=(32, 64), box=(8, 24, 16, 48), flip=False)
    crop = replay(maps, [view], stride=4, align_corners=True)
    assert torch.equal(crop, maps[:, :, 2:6, 4:12])
    mirrored = replay(maps, [view._replace(flip=True)], stride=4, align_corners=True)
    assert torch.equal(mirrored, crop.flip(3))


@pytest.mark.parametrize('begin', range(4))
def test_crops_of_any_size_have_one_shape_wherever_they_begin(begin):
    maps = torch.arange(8 * 16.0).view(1, 1, 8, 16)
    view = WeakView(size=(32, 64), box=(begin, begin + 18, 3 - begin, 3 - begin + 27), flip=False)
    assert torch.equal(replay(maps, [view], stride=4, align_corners=True), maps[:, :, :4, :6])
    last = view._replace(box=(14, 32, 37, 64))
    assert torch.equal(replay(maps, [last], stride=4, align_corners=True), maps[:, :, 3:7, 9:15])


def test_maps_follow_the_resize():
    maps = torch.rand(1, 2, 8, 16)
    view = WeakView(size=(64, 128), box=(0, 64, 0, 128), flip=False)
    expected = torch.nn.functional.interpolate(maps, size=(16, 32), mode='bilinear', align_corners=True)
    assert torch.equal(replay(maps, [view], stride=4, align_corners=True), expected)


def test_a_crop_larger_than_its_image():
    view = WeakView(size=(32, 64), box=(0, 40, 0, 40), flip=False)
    with pytest.raises(ValueError, match='one of 40x40 .height x width. was taken of 32x64'):
        replay(torch.zeros(1, 1, 8, 16), [view], stride=4, align_corners=True)


def test_views_of_samples():
    sample = {'crop_from': (32, 64), 'crop_box': (0, 16, 0, 16), 'flip': True}
    assert views_of([sample]) == [WeakView((32, 64), (0, 16, 0, 16), True)]
    with pytest.raises(ValueError, match='the target pipeline needs KeepWholeImage, then Resize and RandomCrop'):
        views_of([{'flip': False}])
    with pytest.raises(ValueError, match='cannot follow sync_crop_size'):
        views_of([{**sample, 'sync_box': (0, 8, 0, 8)}])
