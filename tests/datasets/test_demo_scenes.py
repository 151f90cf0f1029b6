"""The demo scenes: deterministic, of any size, with all classes, plausible depth, and readable as the real datasets."""

import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg.datasets.demo_scenes import STYLES, render_scene
from mmseg.datasets.demo_scenes import labels as ids
from mmseg.datasets.demo_scenes.camera import Camera, clip_polygon
from mmseg.datasets.demo_scenes.files import encode_label, inverse_depth_bytes, make_scene, scene_paths
from mmseg.datasets.demo_scenes.mesh import painting_order
from mmseg.datasets.demo_scenes.raster import Faces, paint
from mmseg.datasets.image_io import read_16_bit_colour, read_image
from mmseg.datasets.label_tables import SYNTHIA_TO_TRAIN, lookup_table

SMALL = (256, 128)
DOMAINS = tuple(STYLES)


@pytest.mark.parametrize('domain', DOMAINS)
def test_same_arguments_same_scene(domain):
    first, second = render_scene(domain, 3, SMALL), render_scene(domain, 3, SMALL)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    for other in (render_scene(domain, 4, SMALL), render_scene(domain, 3, SMALL, seed=1)):
        assert (other.label != first.label).mean() > 0.05


def test_splits_and_domains_differ():
    train = render_scene('cityscapes', 0, SMALL).label
    assert (render_scene('cityscapes', 0, SMALL, split='val').label != train).mean() > 0.05
    assert (render_scene('gta', 0, SMALL).label != train).mean() > 0.05


@pytest.mark.parametrize('size', [(512, 256), (1024, 512), (256, 128), (131, 97), (96, 160), (400, 60), (16, 16)])
def test_any_size(size):
    scene = render_scene('cityscapes', 1, size)
    assert scene.image.shape == (size[1], size[0], 3) and scene.image.dtype == np.uint8
    assert scene.label.shape == scene.inverse_depth.shape == (size[1], size[0])
    assert scene.label.dtype == np.uint8 and np.isfinite(scene.inverse_depth).all()


def test_a_larger_picture_shows_the_same_scene():
    small, large = render_scene('gta', 5, SMALL), render_scene('gta', 5, (512, 256))
    assert (large.label[1::2, 1::2] == small.label).mean() > 0.93


def train_ids(domain, count):
    for index in range(count):
        label = render_scene(domain, index, SMALL).label
        if domain == 'synthia':
            yield lookup_table(SYNTHIA_TO_TRAIN)[ids.TO_SYNTHIA_ID[label]]
        else:
            yield ids.TO_TRAIN_ID[label]


@pytest.mark.parametrize('domain', DOMAINS)
def test_classes_and_their_long_tail(domain):
    counts = sum(np.bincount(label.ravel(), minlength=256) for label in train_ids(domain, 40))
    present = {c for c in range(19) if counts[c] > 0}
    assert present == set(range(19)) - ({9, 14, 16} if domain == 'synthia' else set())
    share = counts / counts.sum()
    assert share[[0, 2, 8, 10, 13]].sum() > 0.6  # road, building, vegetation, sky, car
    assert share[[6, 12, 17, 18]].max() < 0.02  # traffic light, rider, motorcycle, bicycle
    assert 0.03 < share[255] < 0.15 if domain == 'cityscapes' else share[255] < 0.02


@pytest.mark.parametrize('domain', DOMAINS)
def test_only_the_datasets_label_ids(domain):
    allowed = {int(label) for label in np.flatnonzero(ids.TO_TRAIN_ID != 255)} | {ids.EGO_VEHICLE, ids.STATIC}
    for index in range(6):
        assert set(np.unique(render_scene(domain, index, SMALL).label).tolist()) <= allowed


@pytest.mark.parametrize('domain', DOMAINS)
def test_depth(domain):
    for index in range(6):
        scene = render_scene(domain, index, SMALL)
        sky = scene.label == ids.SKY
        assert (scene.inverse_depth[sky] == 0).all() and (scene.inverse_depth[~sky] > 0).all()
        road = (scene.label == ids.ROAD) & (scene.inverse_depth > 0)
        # Along every column the road comes nearer towards the bottom.
        rows, columns = np.nonzero(road)
        for column in np.unique(columns)[::16]:
            along = scene.inverse_depth[rows[columns == column], column]
            assert (np.diff(along) > -1e-4).all()


def test_road_depth_follows_from_the_camera():
    """A pixel below the horizon sees the flat ground where the pinhole model says: depth = height / tan(angle)."""
    camera = Camera.over_street((64, 32), 0.8, (0.0, 1.5, 0.0), yaw=0.0, pitch=0.0)
    ground = np.float32([(-50, 0, 1), (50, 0, 1), (50, 0, 300), (-50, 0, 300)])
    one, three = np.zeros(1, dtype=int), np.zeros((1, 3), dtype=np.float32)
    faces = Faces(ground, np.array([4]), one, one, one > 0, three, three, np.zeros((1, 5)), three)
    buffers = paint(camera, faces)
    a, b, c = buffers.planes[0]
    for x, y in ((10, 20), (40, 31)):
        assert buffers.face[y, x] == 1
        np.testing.assert_allclose(1 / (a * x + b * y + c), 1.5 * 0.8 * 64 / (y - 15.5), rtol=1e-5)
    assert buffers.face[10, 30] == 0


def test_clipping_keeps_what_lies_before_the_camera():
    triangle = np.float32([(0, 0, -10), (1, 0, 10), (-1, 0, 10)])
    clipped = clip_polygon(triangle)
    assert len(clipped) == 4 and clipped[:, 2].min() == pytest.approx(0.5)
    assert len(clip_polygon(triangle - np.float32([0, 0, 30]))) == 0


def test_painting_order_puts_what_hides_last():
    # A bus beside the camera's axis, a person behind it on the pavement and one before it near the axis.
    bus, behind, before = (2.0, 4.5, 10.0, 22.0), (5.0, 5.4, 12.0, 12.2), (1.0, 1.9, 14.0, 14.2)
    boxes = np.array([bus, behind, before])
    for permutation in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        mixed = boxes[permutation]
        assert [permutation[i] for i in painting_order(mixed, mixed, (0.0, 0.0))] == [1, 0, 2]


def test_inverse_depth_is_stretched():
    stored = inverse_depth_bytes(np.float32([[0.0, 0.1], [0.2, 0.5]]))
    np.testing.assert_array_equal(stored, [[0, 51], [102, 255]])
    assert inverse_depth_bytes(np.zeros((2, 2), dtype=np.float32)).max() == 0


def test_files_are_those_of_the_real_datasets(tmp_path):
    for domain, split in (('gta', 'train'), ('synthia', 'train'), ('cityscapes', 'train'), ('cityscapes', 'val')):
        assert make_scene(tmp_path, domain, split, 0, SMALL, 0)
        assert not make_scene(tmp_path, domain, split, 0, SMALL, 0)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob('*') if path.is_file()}
    city = 'cityscapes/{}/train/aachen/aachen_000000_000019_{}.png'
    val = 'cityscapes/{}/val/frankfurt/frankfurt_000000_000019_{}.png'
    kinds = (('leftImg8bit', 'leftImg8bit'), ('gtFine', 'gtFine_labelIds'), ('depth_any', 'depth'))
    assert found == {
        *(f'gta/{folder}/00001.png' for folder in ('images', 'labels', 'depth_any')),
        *(f'synthia/{folder}/0000000.png' for folder in ('RGB', 'GT/LABELS', 'depth_any')),
        *(pattern.format(*kind) for pattern in (city, val) for kind in kinds),
    }
    gta = render_scene('gta', 0, SMALL)
    np.testing.assert_array_equal(read_image(str(tmp_path / 'gta/images/00001.png'))[..., ::-1], gta.image)
    with Image.open(tmp_path / 'gta/labels/00001.png') as stored:
        assert stored.mode == 'P'
        np.testing.assert_array_equal(np.array(stored), gta.label)
        colors = np.array(stored.convert('RGB'))
    assert tuple(colors[gta.label == ids.ROAD][0]) == (128, 64, 128)
    synthia = read_16_bit_colour(str(tmp_path / 'synthia/GT/LABELS/0000000.png'))
    assert synthia.dtype == np.uint16
    np.testing.assert_array_equal(synthia[..., 2], ids.TO_SYNTHIA_ID[render_scene('synthia', 0, SMALL).label])
    with Image.open(tmp_path / city.format(*kinds[1])) as stored:
        assert stored.mode == 'L'
        np.testing.assert_array_equal(np.array(stored), render_scene('cityscapes', 0, SMALL).label)
    with Image.open(tmp_path / city.format(*kinds[2])) as stored:
        assert stored.mode == 'L' and np.array(stored).max() == 255


def test_label_bytes_of_void():
    bonnet = np.full((4, 4), ids.EGO_VEHICLE, dtype=np.uint8)
    stored = cv2.imdecode(np.frombuffer(encode_label('synthia', bonnet), np.uint8), cv2.IMREAD_UNCHANGED)
    assert (stored == 0).all()


def test_wrong_arguments():
    with pytest.raises(ValueError, match='unknown demo domain .night.*gta, synthia, cityscapes'):
        render_scene('night', 0)
    with pytest.raises(ValueError, match='unknown split'):
        render_scene('gta', 0, split='test')
    with pytest.raises(ValueError, match='16x16'):
        render_scene('gta', 0, (8, 8))
    with pytest.raises(ValueError, match="unknown split 'test' of Mapillary"):
        scene_paths('x', 'mapillary', 'test', 0)
    with pytest.raises(ValueError, match='gta has a train split only'):
        scene_paths('x', 'gta', 'val', 0)
