import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmseg.datasets.randomness import Draws, sample_generator
from mmseg.datasets.transforms import (
    Compose,
    LoadAnnotations,
    LoadImageFromFile,
    LoadPseudoLabels,
    PackSegInputs,
    PackTrainInputs,
    Pad,
    PhotoMetricDistortion,
    PseudoMargins,
    RandomCrop,
    RandomFlip,
    Resize,
    TestTimeScales,
    loading,
)
from mmseg.datasets.transforms.geometry import random_box
from mmseg.datasets.transforms.margins import margin_mask
from mmseg.datasets.transforms.photometric import PhotometricFactors, distort
from mmseg.datasets.transforms.resize import fitted_size, resize_image
from tests.datasets.tiny_data import picture, save, train_ids


def results(height=20, width=30, given=None, seed=0):
    return {
        'img': picture(height, width),
        'gt_seg_map': train_ids(height, width),
        'valid': np.ones((height, width), np.uint8),
        'ori_shape': (height, width),
        'img_shape': (height, width),
        'img_path': 'a.png',
        'seg_map_path': 'b.png',
        'draws': Draws(sample_generator(0, seed), given),
    }


def test_sizes_that_are_multiples_of_the_images():
    resize, seed = Resize(ratio_range=(0.5, 1.5), keep_ratio=False), 0
    shapes = {resize(results(*shape, seed=seed))['img'].shape[:2] for shape in ((20, 30), (40, 60))}
    ratio = Draws(sample_generator(0, seed)).generator.random() + 0.5
    assert shapes == {(int(20 * ratio), int(30 * ratio)), (int(40 * ratio), int(60 * ratio))}
    with pytest.raises(ValueError, match='Resize: give a scale, or a ratio_range'):
        Resize()


def test_published_sizes():
    assert fitted_size((1914, 1052), (1280, 720)) == (1280, 704)
    assert fitted_size((1914, 1052), (2560, 1440)) == (2560, 1407)
    assert fitted_size((1280, 760), (2560, 1520)) == (2560, 1520)
    assert fitted_size((2048, 1024), (1024, 512)) == (1024, 512)


@given(st.tuples(*[st.integers(8, 3000)] * 2), st.tuples(*[st.integers(8, 3000)] * 2))
def test_fitted_size_fits_and_keeps_the_ratio(size, scale):
    width, height = fitted_size(size, scale)
    assert max(width, height) <= max(scale) and min(width, height) <= max(min(scale), 1)
    factor = width / size[0] if width > height else height / size[1]
    assert abs(width - size[0] * factor) <= 1.5 and abs(height - size[1] * factor) <= 1.5


def test_resize_takes_all_maps_along():
    out = Resize(scale=(60, 40))(results(20, 30))
    assert out['img'].shape == (40, 60, 3) and out['img_shape'] == (40, 60) and out['scale_factor'] == (2.0, 2.0)
    np.testing.assert_array_equal(out['gt_seg_map'][::2, ::2], train_ids(20, 30))
    assert set(np.unique(out['gt_seg_map'])) == set(np.unique(train_ids(20, 30)))
    assert out['valid'].shape == (40, 60)
    assert Resize(scale=(30, 10), keep_ratio=False)(results(20, 30))['img'].shape == (10, 30, 3)


def test_random_resizes():
    fixed = Resize(scale=(60, 40))
    ranged = Resize(scale=(60, 40), ratio_range=(0.5, 2.0))
    listed = Resize(scale=[(60, 40), (30, 20)], multiscale_mode='value')
    between = Resize(scale=[(60, 40), (30, 20)], multiscale_mode='range')
    assert (fixed.random, ranged.random, listed.random, between.random) == (False, True, True, True)
    generator = np.random.default_rng(0)
    widths = {ranged.draw_scale(generator)[0] for _ in range(200)}
    assert min(widths) >= 30 and max(widths) <= 120 and len(widths) > 50
    assert {listed.draw_scale(generator) for _ in range(50)} == {(60, 40), (30, 20)}
    drawn = {between.draw_scale(generator) for _ in range(500)}
    assert {long_side for long_side, _ in drawn} == set(range(30, 61))
    assert {short_side for _, short_side in drawn} == set(range(20, 41))
    assert ranged(results(20, 30, given={'scale': [(15, 10)]}))['img'].shape == (10, 15, 3)


@pytest.mark.parametrize(
    'arguments',
    [
        {'scale': (0, 5)},
        {'scale': [(1, 2), (3, 4)], 'ratio_range': (1, 2)},
        {'scale': (5, 5), 'multiscale_mode': 'x'},
    ],
)
def test_resize_refuses(arguments):
    with pytest.raises(ValueError, match='Resize'):
        Resize(**arguments)


@given(st.tuples(*[st.integers(1, 40)] * 2), st.tuples(*[st.integers(1, 40)] * 2), st.integers(0, 5))
def test_random_box_lies_inside(shape, crop, seed):
    y1, y2, x1, x2 = random_box(np.random.default_rng(seed), shape, crop)
    assert (y2 - y1, x2 - x1) == crop
    for start, stop, size, wanted in ((y1, y2, shape[0], crop[0]), (x1, x2, shape[1], crop[1])):
        assert start >= 0 and (stop <= size or (start == 0 and wanted > size))


def test_random_box_reaches_every_place():
    generator = np.random.default_rng(0)
    tops = {random_box(generator, (12, 5), (8, 5))[0] for _ in range(200)}
    assert tops == {0, 1, 2, 3, 4}


def test_crop_cuts_image_and_maps_alike():
    out = RandomCrop((8, 10))(results(given={'crop_box': [(3, 11, 15, 25)]}))
    np.testing.assert_array_equal(out['img'], picture(20, 30)[3:11, 15:25])
    np.testing.assert_array_equal(out['gt_seg_map'], train_ids(20, 30)[3:11, 15:25])
    assert out['img_shape'] == (8, 10)


def test_crop_draws_again_for_a_mixed_one():
    start = results()
    start['gt_seg_map'] = np.zeros((20, 30), np.uint8)
    start['gt_seg_map'][:, 15:] = 1
    start['draws'] = Draws(sample_generator(0, 0), {'crop_box': [(0, 8, 0, 8), (0, 8, 20, 28), (0, 8, 11, 19)]})
    assert set(np.unique(RandomCrop((8, 8), cat_max_ratio=0.75)(start)['gt_seg_map'])) == {0, 1}


def test_crop_by_category_needs_labels():
    start = results()
    del start['gt_seg_map']
    with pytest.raises(ValueError, match='LoadAnnotations'):
        RandomCrop((8, 8), cat_max_ratio=0.75)(start)


def test_flip():
    out = RandomFlip(0.5)(results(given={'flip': [0.4]}))
    np.testing.assert_array_equal(out['img'], picture(20, 30)[:, ::-1])
    np.testing.assert_array_equal(out['gt_seg_map'], train_ids(20, 30)[:, ::-1])
    assert out['flip'] is True
    assert RandomFlip(0.5)(results(given={'flip': [0.5]}))['flip'] is False


def test_flip_after_padding_is_refused():
    with pytest.raises(ValueError, match='before Pad'):
        RandomFlip()(Pad((40, 40))(results()))


def test_pad_values():
    out = Pad((25, 40))(results())
    assert out['img'].shape == (25, 40, 3) and out['img_shape'] == (20, 30)
    for name, value in (('img', 0), ('gt_seg_map', 255), ('valid', 0)):
        assert (out[name][20:] == value).all() and (out[name][:, 30:] == value).all()
    np.testing.assert_array_equal(out['gt_seg_map'][:20, :30], train_ids(20, 30))


def test_pad_to_multiples():
    out = Pad(size_divisor=16)(results())
    assert out['img'].shape == (32, 32, 3) and out['img_shape'] == (20, 30)
    assert (out['gt_seg_map'][20:] == 255).all() and (out['gt_seg_map'][:, 30:] == 255).all()
    np.testing.assert_array_equal(out['gt_seg_map'][:20, :30], train_ids(20, 30))
    assert Pad(size_divisor=5)(results())['img'].shape == (20, 30, 3)
    for options in ({}, {'size': (32, 32), 'size_divisor': 16}, {'size_divisor': 0}):
        with pytest.raises(ValueError, match='Pad: '):
            Pad(**options)


def test_distortion_steps():
    image = np.array([[[0, 100, 250]]], np.uint8)
    np.testing.assert_array_equal(distort(image, PhotometricFactors(brightness=10.7)), [[[10, 110, 255]]])
    np.testing.assert_array_equal(distort(image, PhotometricFactors(contrast=0.5)), [[[0, 50, 125]]])
    np.testing.assert_array_equal(distort(image, PhotometricFactors(saturation=0.0))[0, 0], [250] * 3)
    green = np.array([[[0, 255, 0]]], np.uint8)  # hue 60 of 180; blue is 120
    np.testing.assert_array_equal(distort(green, PhotometricFactors(hue=60)), [[[255, 0, 0]]])
    np.testing.assert_array_equal(distort(image, PhotometricFactors()), image)


def test_distortion_draws_every_combination():
    transform, generator = PhotoMetricDistortion(), np.random.default_rng(0)
    drawn = [transform.draw(generator) for _ in range(400)]
    present = {tuple(v is None for v in (f.brightness, f.contrast, f.saturation, f.hue)) for f in drawn}
    assert len(present) == 16
    assert all(f.hue is None or -18 <= f.hue < 18 for f in drawn)
    assert {f.contrast_last for f in drawn if f.contrast is not None} == {True, False}


@given(st.tuples(*[st.integers(0, 20)] * 4), st.integers(10, 80), st.integers(10, 80))
def test_margin_mask_is_the_canvas_seen_smaller(margins, height, width):
    canvas = (50, 70)
    mask = margin_mask(margins, canvas, (height, width))

    def inside(size, full, before, after):
        place = np.arange(size) * full / size
        return [(edge >= before) & (edge < full - after) for edge in np.floor([place - 1e-6, place + 1e-6])]

    # Where a pixel's place is a whole number, rounding decides; there both answers are right.
    rows, rows_up = inside(height, canvas[0], *margins[:2])
    columns, columns_up = inside(width, canvas[1], *margins[2:])
    certain = (rows == rows_up)[:, None] & (columns == columns_up)
    np.testing.assert_array_equal(mask[certain], (rows[:, None] & columns)[certain])


def test_margins_follow_the_image():
    steps = Compose([Resize((15, 10)), PseudoMargins([2, 4, 6, 8])])
    start = results(20, 30)
    del start['valid']
    valid = steps(start)['valid']
    assert valid.shape == (10, 15) and valid.sum() == (10 - 1 - 2) * (15 - 3 - 4)
    with pytest.raises(ValueError, match='leave nothing'):
        PseudoMargins([10, 10, 0, 0])(results(20, 30))
    with pytest.raises(ValueError, match='top, bottom'):
        PseudoMargins([1, 2])


def test_test_time_scales_start_from_the_unresized_image():
    steps = Compose([Resize((60, 40)), TestTimeScales([0.5, 1.0, 1.5])])
    images = steps(results(20, 30))['img']
    assert [image.shape[:2] for image in images] == [(20, 30), (40, 60), (60, 90)]
    np.testing.assert_array_equal(images[0], picture(20, 30))  # back at the original size: nothing was interpolated
    unsized = TestTimeScales([2.0])(results(20, 30))['img']
    assert unsized[0].shape == (40, 60, 3)
    assert PackSegInputs()(steps(results(20, 30)))['inputs'][2].shape == (3, 60, 90)


@pytest.mark.parametrize(
    'options',
    [
        {'interpolation': 'bicubic'},
        {'backend': 'pillow'},
        {'backend': 'pillow', 'interpolation': 'bicubic', 'keep_ratio': 'width'},
        {'backend': 'pillow', 'keep_ratio': False},
        {'scale': (23, 17), 'min_size': 23},  # 33 x 23, of a scale of 32.9 x 23
    ],
)
def test_test_time_scales_are_made_as_resize_makes_images(options):
    resize = Resize(**{'scale': (22, 13), **options})
    plain = resize(results(37, 53))['img']
    same, larger = Compose([resize, TestTimeScales([1.0, 1.5])])(results(37, 53))['img']
    np.testing.assert_array_equal(same, plain)
    size = larger.shape[1::-1]
    expected = resize_image(picture(37, 53), size, resize.interpolation, resize.backend)
    np.testing.assert_array_equal(larger, expected)


def test_loading(tmp_path):
    save(tmp_path / 'a.png', picture(6, 8))
    save(tmp_path / 'b.png', np.full((6, 8), 3, np.uint8))
    start = {'img_path': str(tmp_path / 'a.png'), 'seg_map_path': str(tmp_path / 'b.png'), 'num_classes': 4}
    loaded = Compose([LoadImageFromFile(), LoadAnnotations()])(dict(start))
    assert loaded['ori_shape'] == (6, 8) and (loaded['gt_seg_map'] == 3).all()
    assert (LoadAnnotations(label_map={3: 0})(dict(start))['gt_seg_map'] == 0).all()
    assert (LoadAnnotations(reduce_zero_label=True)(dict(start))['gt_seg_map'] == 2).all()
    assert (LoadAnnotations()({**start, 'ignore_index': 3, 'num_classes': 3})['gt_seg_map'] == 255).all()
    with pytest.raises(ValueError, match=r'b.png holds ids 3, .* 3 classes'):
        LoadAnnotations()({**start, 'num_classes': 3})


def test_reduce_zero_label_keeps_ignore(tmp_path):
    path = save(tmp_path / 'b.png', np.array([[0, 1, 255]], np.uint8))
    np.testing.assert_array_equal(
        LoadAnnotations(reduce_zero_label=True)({'seg_map_path': path})['gt_seg_map'], [[255, 0, 255]]
    )


def test_label_of_another_size_is_named(tmp_path):
    start = {
        'img_path': save(tmp_path / 'a.png', picture(6, 8)),
        'seg_map_path': save(tmp_path / 'b.png', np.zeros((6, 9), np.uint8)),
    }
    with pytest.raises(ValueError, match=r'b.png is 9x6 pixels, but its image .*a.png is 8x6') as error:
        Compose([LoadImageFromFile(), LoadAnnotations()])(start)
    assert '\n' not in str(error.value)


def test_label_of_nearly_the_images_size_is_fitted(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(loading, 'print_log', lambda text, *_: said.append(text))
    label = np.repeat(np.arange(52, dtype=np.uint8)[:, None] // 4, 95, axis=1)
    start = {
        'img_path': save(tmp_path / 'a.png', picture(53, 96)),
        'seg_map_path': save(tmp_path / 'b.png', label),
    }
    load = Compose([LoadImageFromFile(), LoadAnnotations()])
    fitted = [load(dict(start))['gt_seg_map'] for _ in range(2)]
    assert fitted[0].shape == (53, 96)
    assert fitted[0][:, 0].tolist() == [int(row * 52 / 53) // 4 for row in range(53)]
    assert len(said) == 1 and 'b.png is 95x52 pixels, but its image' in said[0]
    with pytest.raises(ValueError, match='b.png is 95x52 pixels'):
        Compose([LoadImageFromFile(), LoadPseudoLabels()])(dict(start))


def test_packing():
    sample = PackTrainInputs()(results())
    np.testing.assert_array_equal(sample['image'].numpy(), picture(20, 30).transpose(2, 0, 1))
    np.testing.assert_array_equal(sample['label'].numpy(), train_ids(20, 30))
    assert {str(sample[key].dtype) for key in ('image', 'label', 'valid')} == {'torch.uint8'}
    assert sample['meta']['flip'] is False and sample['meta']['img_path'] == 'a.png'
    packed = PackSegInputs()(results())
    assert packed['data_samples'].gt_sem_seg.data.shape == (1, 20, 30)
    assert packed['data_samples'].ori_shape == (20, 30)


def test_split_for_redrawing():
    steps = Compose(
        [LoadImageFromFile(), LoadAnnotations(), Resize((9, 9)), RandomCrop((4, 4)), RandomFlip(), PackTrainInputs()]
    )
    assert [len(part.transforms) for part in steps.split_for_redrawing()] == [3, 1, 2]
    early = Compose([LoadAnnotations(), Resize((9, 9), ratio_range=(1, 2)), RandomCrop((4, 4)), PackTrainInputs()])
    assert [len(part.transforms) for part in early.split_for_redrawing()] == [1, 2, 1]
    foreign = Compose([LoadAnnotations(), RandomCrop((4, 4)), lambda values: values, PackTrainInputs()])
    assert [len(part.transforms) for part in foreign.split_for_redrawing()] == [1, 2, 1]
    still = Compose([LoadAnnotations(), Resize((9, 9)), PackTrainInputs()])
    assert [len(part.transforms) for part in still.split_for_redrawing()] == [3, 0, 0]
