import numpy as np
import pytest
import torch
from PIL import Image

from mmseg.visualization import (
    colorize,
    denormalize,
    overlay,
    qualitative_sheet,
    save_palette_png,
    save_png,
    training_panel,
)
from mmseg.visualization.panels import heat_map, page_rows

PALETTE = [(200, 30, 10), (20, 180, 40), (10, 60, 220)]
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


def holds_colour(picture, colour):
    return bool((picture == colour).all(axis=-1).any())


def test_colorize_maps_ids_and_leaves_ignored_pixels_black():
    label = np.array([[0, 1], [2, 255]])
    colours = colorize(label, PALETTE)
    assert colours.dtype == np.uint8
    np.testing.assert_array_equal(colours, [[PALETTE[0], PALETTE[1]], [PALETTE[2], (0, 0, 0)]])


def test_palette_png_holds_ids(tmp_path):
    label = np.random.default_rng(0).integers(0, 3, (7, 5))
    label[0, 0] = 255
    path = tmp_path / 'new' / 'folder' / 'label.png'
    save_palette_png(label, PALETTE, path)
    with Image.open(path) as stored:
        np.testing.assert_array_equal(np.asarray(stored), label)
        np.testing.assert_array_equal(np.asarray(stored.convert('RGB')), colorize(label, PALETTE))


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / 'a.png'
    save_png(np.zeros((2, 2, 3), np.uint8), path)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_png(np.zeros((2, 2, 7), np.uint8), path)
    assert path.read_bytes() == before


def test_overlay_blends_only_classes():
    image = np.full((1, 2, 3), 100, np.uint8)
    label = np.array([[1, 255]])
    blended = overlay(image, label, PALETTE, 0.25)
    np.testing.assert_array_equal(blended[0, 0], np.rint(0.75 * 100 + 0.25 * np.array(PALETTE[1])))
    np.testing.assert_array_equal(blended[0, 1], image[0, 1])
    np.testing.assert_array_equal(overlay(image, label, PALETTE, 0), image)


@pytest.mark.parametrize(
    ('shape', 'opacity', 'message'), [((3, 3), 0.5, 'cannot be laid'), ((2, 2), 2, 'opacity is 2')]
)
def test_overlay_refuses(shape, opacity, message):
    with pytest.raises(ValueError, match=message):
        overlay(np.zeros((2, 2, 3), np.uint8), np.zeros(shape, int), PALETTE, opacity)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_denormalize_inverts_the_preprocessor(dtype):
    pixels = torch.randint(0, 256, (2, 3, 4, 5), generator=torch.Generator().manual_seed(1))
    mean, std = (torch.tensor(values, dtype=dtype).view(3, 1, 1) for values in (MEAN, STD))
    restored = denormalize((pixels.to(dtype) - mean) / std, MEAN, STD)
    np.testing.assert_array_equal(restored, pixels.permute(0, 2, 3, 1).numpy())


def test_heat_map_is_brighter_for_larger_weights():
    colours = heat_map(np.array([[0.0, 0.5, 1.0, 7.0, np.nan]])).astype(int).sum(-1)[0]
    assert colours[0] < colours[1] < colours[2] == colours[3]
    assert colours[4] == colours[0]


def panel(batch=2, size=32):
    labels = torch.zeros(batch, size, size, dtype=torch.int64)
    labels[:, :10], labels[:, 10:20] = 1, 255
    images = torch.zeros(batch, 3, size, size, dtype=torch.float64)
    weight = torch.ones(batch, size, size)
    return {
        'source': images,
        'source_label': labels,
        'pseudo_label': labels[:, None],
        'valid': weight > 0,
        'weight': weight,
    }


def test_panel_shows_every_tensor_and_the_classes():
    picture = training_panel(panel(), MEAN, STD, PALETTE, ['a', 'b', 'c'], title='Iteration 5')
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    for colour in (PALETTE[0], PALETTE[1], PALETTE[2], heat_map(np.ones((1, 1)))[0, 0], (124, 116, 104)):
        assert holds_colour(picture, colour), colour
    one = training_panel(panel(batch=1), MEAN, STD, PALETTE, ['a', 'b', 'c'], title='Iteration 5')
    assert picture.shape[1] == one.shape[1]
    assert picture.shape[0] > 1.5 * one.shape[0]


def test_panel_is_as_wide_as_its_longest_row():
    image, label = panel()['source'], panel()['source_label']
    three = {'a_image': image, 'a_label': label, 'b_image': image, 'b_label': label, 'b_weight': label > 0}
    picture = training_panel(three, MEAN, STD, PALETTE, tile_width=100)
    assert picture.shape[1] == 3 * 100 + 2 * 12 + 2 * 20


def test_panel_captions_and_labels_over_images():
    image, label = torch.zeros(1, 3, 32, 32), torch.zeros(1, 32, 32, dtype=torch.int64)
    label[:, 16:] = 255
    tensors = {'source_image': image, 'source_label': label}
    plain = training_panel(tensors, MEAN, STD, PALETTE, tile_width=64)
    over = training_panel(tensors, MEAN, STD, PALETTE, tile_width=64, opacity=0.5, captions=[['one', 'two']])
    assert over.shape[0] > plain.shape[0] + 30
    mean_colour = np.rint(MEAN)
    for colour in (PALETTE[0], (0, 0, 0)):
        assert (np.abs(over - (0.5 * mean_colour + 0.5 * np.array(colour))).max(axis=-1) <= 1).any()
    assert not holds_colour(over, PALETTE[0])


def test_panel_refuses_what_it_cannot_draw():
    with pytest.raises(ValueError, match=r"panel entry 'features' has shape \(1, 8, 2, 2\)"):
        training_panel({'features': torch.zeros(1, 8, 2, 2)}, MEAN, STD, PALETTE)
    with pytest.raises(ValueError, match='at least one tensor'):
        training_panel({}, MEAN, STD, PALETTE)


def test_sheet_has_one_row_per_image():
    image, label = np.full((20, 40, 3), 90, np.uint8), np.full((10, 20), 2)
    rows = [[image, label, label]]
    titles = ['Image', 'Ground truth', 'A very long title of a method that does not fit above its picture']
    one = qualitative_sheet(rows, titles, PALETTE, ['a', 'b', 'c'], notes=['', '', '41.2 mIoU'], tile_width=120)
    two = qualitative_sheet(rows * 2, titles, PALETTE, ['a', 'b', 'c'], notes=['', '', '41.2 mIoU'], tile_width=120)
    assert one.shape[1] == two.shape[1]
    assert two.shape[0] - one.shape[0] == 60 + 12
    assert holds_colour(one, PALETTE[2])
    assert holds_colour(one, (90, 90, 90))


@pytest.mark.parametrize(('rows', 'message'), [([], 'at least one row'), ([[np.zeros((2, 2))]], '1 pictures for 2')])
def test_sheet_refuses(rows, message):
    with pytest.raises(ValueError, match=message):
        qualitative_sheet(rows, ['Image', 'Prediction'], PALETTE)


@pytest.mark.parametrize(
    ('tiles', 'rows'),
    [
        ('I', [[0]]),
        ('Im Im', [[0, 1, 2, 3]]),
        ('Im Imm', [[0, 1], [2, 3, 4]]),
        ('Im Immm Im I', [[0, 1], [2, 3, 4, 5], [6, 7, 8]]),
        ('Immmmm Im', [[0, 1, 2, 3], [4, 5, 6, 7]]),
        ('mm Im', [[0, 1, 2, 3]]),
    ],
)
def test_maps_stay_beside_their_image(tiles, rows):
    assert page_rows([tile == 'I' for tile in tiles if tile != ' '], 4) == rows
