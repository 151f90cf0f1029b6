"""Depth maps: the tone curve, the way through the pipeline, and what is said of maps that are missing or wrong."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg.datasets import BaseSegDataset, CamVidDataset, CityscapesDataset, GTADataset
from mmseg.datasets.image_io import read_depth
from mmseg.datasets.randomness import Draws, sample_generator
from mmseg.datasets.transforms import Compose
from mmseg.datasets.transforms.depth import tone_curve

PREFIX = {'img_path': 'images', 'seg_map_path': 'labels', 'depth_path': 'depth_any'}
LOADING = [{'type': 'LoadImageFromFile'}, {'type': 'LoadDepth'}]


def save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), values)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images of 40x20 with depth maps of half the size."""
    for name in 'abc':
        save(tmp_path / 'images' / f'{name}.png', np.zeros((20, 40, 3), np.uint8))
        save(tmp_path / 'depth_any' / f'{name}.png', np.tile(np.arange(0, 200, 10, dtype=np.uint8), (10, 1)))
    return tmp_path


def gta(folder: Path, *after: dict) -> GTADataset:
    return GTADataset(data_root=str(folder), data_prefix=PREFIX, pipeline=[*LOADING, *after])


def test_tone_curve_is_the_formula_and_its_known_values() -> None:
    curve = tone_curve()
    assert [curve[g] for g in (0, 32, 64, 128, 237, 255)] == [255, 120, 56, 12, 0, 0]
    assert curve[236] > 0 and len(np.unique(curve)) == 119
    in_float32 = (np.float32(255) * np.exp(np.float32(-6) * np.arange(256, dtype=np.float32) / np.float32(256))).astype(
        int
    )
    np.testing.assert_array_equal(curve, in_float32)


def test_depth_follows_the_image(folder: Path) -> None:
    # The image holds its own column number, so that both must move alike.
    columns = np.tile(np.arange(40, dtype=np.uint8), (20, 1))
    save(folder / 'images' / 'a.png', np.dstack([columns] * 3))
    inverse = np.tile(np.repeat(np.uint8([0, 255]), 20), (20, 1))  # far left, near right
    save(folder / 'depth_any' / 'a.png', inverse)
    steps = [
        {'type': 'RandomCrop', 'crop_size': (12, 30)},
        {'type': 'RandomFlip', 'prob': 0.5},
        {'type': 'Pad', 'size': (16, 32)},
        {'type': 'PackTrainInputs'},
    ]
    dataset = gta(folder, *steps)
    for number in range(6):
        sample = dataset.sample(0, Draws(sample_generator(0, number)))
        image, depth = sample['image'][0].numpy(), sample['depth'].numpy()
        assert depth.dtype == np.uint8 and depth.shape == (16, 32)
        np.testing.assert_array_equal(depth[:12, :30], np.where(image[:12, :30] < 20, 255, 0))
        assert (depth[12:] == 255).all() and (depth[:, 30:] == 255).all()


def test_resize_is_bilinear_to_the_size_of_the_image_and_decimals_are_cut(folder: Path) -> None:
    resize = {'type': 'Resize', 'scale': (80, 40), 'keep_ratio': True}
    loaded = Compose([*LOADING, resize])(gta(folder).record(0, Draws(sample_generator(0, 0))))
    small = tone_curve()[read_depth(str(folder / 'depth_any' / 'a.png'))].astype(np.float32)
    expected = cv2.resize(small, (80, 40), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(loaded['depth'], expected)
    assert (expected % 1).any()
    packed = gta(folder, resize, {'type': 'PackTrainInputs'}).sample(0, Draws(sample_generator(0, 0)))
    np.testing.assert_array_equal(packed['depth'], np.floor(expected))


def test_map_of_another_size_cannot_be_cropped(folder: Path) -> None:
    dataset = gta(folder, {'type': 'RandomCrop', 'crop_size': (8, 8)})
    with pytest.raises(ValueError, match='depth .*a.png is 20x10 pixels, its image .* 40x20: put Resize'):
        dataset.sample(0, Draws(sample_generator(0, 0)))


def test_three_equal_channels_are_grey(folder: Path) -> None:
    path = folder / 'depth_any' / 'a.png'
    grey = read_depth(str(path))
    save(path, np.dstack([grey] * 3))
    np.testing.assert_array_equal(read_depth(str(path)), grey)
    gta(folder)


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (np.full((10, 20), 3000, np.uint16), 'b.png has 16 bits per pixel, expected 8-bit grey'),
        (cv2.applyColorMap(np.arange(200, dtype=np.uint8).reshape(10, 20), 2), 'b.png is a colour picture, expected'),
        (np.zeros((20, 10), np.uint8), None),
    ],
)
def test_wrong_maps_are_said_when_the_dataset_is_built(folder: Path, values: np.ndarray, message: str | None) -> None:
    save(folder / 'depth_any' / ('b.png' if message else 'a.png'), values)
    with pytest.raises(
        ValueError, match=message or 'a.png is 10x20 pixels, its image .* 40x20: they must show the same'
    ):
        gta(folder)


@pytest.mark.parametrize(('shape', 'fits'), [((20, 10), True), ((10, 20), False)])
def test_photos_that_are_turned_upright(folder: Path, shape: tuple[int, int], fits: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (folder / 'images' / 'a.png').unlink()
    Image.new('RGB', (40, 20)).save(folder / 'images' / 'a.jpg', exif=exif)
    save(folder / 'depth_any' / 'a.png', np.zeros(shape, np.uint8))

    def build() -> BaseSegDataset:
        return BaseSegDataset(str(folder), PREFIX, pipeline=LOADING, metainfo={'classes': ('any',)})

    if fits:
        assert len(build()) == 3
    else:
        with pytest.raises(ValueError, match=r'a.png is 20x10 pixels, its image .*a.jpg 20x40'):
            build()


def test_several_wrong_maps_are_counted_and_broken_ones_found(folder: Path) -> None:
    for name in 'bc':
        (folder / 'depth_any' / f'{name}.png').write_bytes(b'none')
    with pytest.raises(ValueError, match=r'b.png cannot be read.*\(2 of 3 depth maps are no 8-bit grey PNG\)'):
        gta(folder)


def test_missing_maps_folder_and_setting(folder: Path) -> None:
    (folder / 'depth_any' / 'b.png').unlink()
    with pytest.raises(FileNotFoundError, match='1 of 3 images have no depth map, e.g. b.png .*generate_depth.py'):
        gta(folder)
    with pytest.raises(FileNotFoundError, match='folder of depth maps .*nowhere does not exist'):
        GTADataset(data_root=str(folder), data_prefix={**PREFIX, 'depth_path': 'nowhere'}, pipeline=LOADING)
    with pytest.raises(ValueError, match='data_prefix.depth_path is not set'):
        GTADataset(data_root=str(folder), data_prefix={'img_path': 'images'}, pipeline=LOADING)
    # Nobody asks for maps where nobody loads them.
    GTADataset(data_root=str(folder), data_prefix={**PREFIX, 'depth_path': 'nowhere'})


def test_names_and_folders_of_the_datasets(tmp_path: Path) -> None:
    save(tmp_path / 'leftImg8bit/train/ulm/ulm_000001_000019_leftImg8bit.png', np.zeros((4, 8, 3), np.uint8))
    prefix = {'img_path': 'leftImg8bit/train', 'depth_path': 'depth_any/train'}
    record = CityscapesDataset(data_root=str(tmp_path), data_prefix=prefix).record(0, Draws(sample_generator(0, 0)))
    assert record['depth_path'] == str(tmp_path / 'depth_any/train/ulm/ulm_000001_000019_depth.png')
    elsewhere = {**prefix, 'depth_path': '/maps/train'}
    record = CityscapesDataset(data_root=str(tmp_path), data_prefix=elsewhere).record(0, Draws(sample_generator(0, 0)))
    assert record['depth_path'] == '/maps/train/ulm/ulm_000001_000019_depth.png'


def test_depth_maps_are_no_frames_of_camvid(tmp_path: Path) -> None:
    for name in ('train/0001TP_1.png', 'depth_stand_in/train/0001TP_1.png'):
        save(tmp_path / name, np.zeros((4, 8), np.uint8))
    assert CamVidDataset(data_root=str(tmp_path)).img_names == ['train/0001TP_1.png']


def test_palette_of_grey_is_grey(tmp_path: Path) -> None:
    picture = Image.fromarray(np.uint8([[0, 1], [2, 3]]), mode='P')
    picture.putpalette([value for grey in (9, 60, 120, 255) for value in (grey, grey, grey)])
    picture.save(tmp_path / 'map.png')
    np.testing.assert_array_equal(read_depth(str(tmp_path / 'map.png')), [[9, 60], [120, 255]])


def test_depth_of_another_image(folder: Path) -> None:
    for number in range(7):
        save(folder / 'images' / f'{number}.png', np.zeros((20, 40, 3), np.uint8))
        save(folder / 'depth_any' / f'{number}.png', np.zeros((20, 40), np.uint8))
    own = GTADataset(data_root=str(folder), data_prefix=PREFIX, pipeline=LOADING)
    another = gta_other(folder)
    assert own.img_names == own.depth_names == another.img_names
    # Each map once, none with its own image, not simply the next frame's, and the same again.
    assert sorted(another.depth_names) == own.depth_names
    assert all(image != depth for image, depth in zip(another.img_names, another.depth_names, strict=True))
    assert another.depth_names not in (own.depth_names[1:] + own.depth_names[:1], own.depth_names[::-1])
    assert gta_other(folder).depth_names == another.depth_names
    record = another.record(3, Draws(sample_generator(0, 0)))
    assert record['depth_path'].endswith(another.depth_names[3])
    with pytest.raises(ValueError, match='depth_of is one of own, another'):
        GTADataset(data_root=str(folder), data_prefix=PREFIX, depth_of='others')
    with pytest.raises(ValueError, match='at least two'):
        GTADataset(data_root=str(folder), data_prefix=PREFIX, indices=1, depth_of='another')


def gta_other(folder: Path) -> GTADataset:
    return GTADataset(data_root=str(folder), data_prefix=PREFIX, pipeline=LOADING, depth_of='another')
