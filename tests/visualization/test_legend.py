import numpy as np
import pytest

from mmseg.visualization.legend import LegendEntry, add_legend, all_classes, present_classes

CLASSES = ('road', 'sky', 'car')
PALETTE = [(200, 30, 10), (20, 180, 40), (10, 60, 220)]


def holds_colour(picture, colour):
    return bool((picture == colour).all(axis=-1).any())


def test_present_classes_come_by_area_and_ignored_pixels_last():
    label = np.full((20, 50), 2)
    label[:4], label[4, :5], label[5:, 0] = 255, 0, 255
    assert present_classes(label, CLASSES, PALETTE) == [
        LegendEntry('car', PALETTE[2], '78%'),
        LegendEntry('road', PALETTE[0], '<1%'),
        LegendEntry('ignored', (0, 0, 0), '22%'),
    ]
    assert [entry.name for entry in all_classes(CLASSES, PALETTE)] == list(CLASSES)


@pytest.mark.parametrize('size', [(1, 1), (300, 7), (7, 300), (64, 128), (256, 128), (600, 800)])
@pytest.mark.parametrize('place', ['auto', 'right', 'bottom'])
def test_picture_stays_and_every_colour_is_in_the_legend(size, place):
    picture = np.full((*size, 3), 90, np.uint8)
    many = [LegendEntry(f'a class of number {i}', (i, 100, 250 - i), '3%') for i in range(19)]
    drawn = add_legend(picture, many, place)
    np.testing.assert_array_equal(drawn[: size[0], : size[1]], picture)
    below = place == 'bottom' or (place == 'auto' and size[0] <= size[1])
    legend = drawn[size[0] :] if below else drawn[:, size[1] :]
    assert all(holds_colour(legend, entry.colour) for entry in many)
    # Nothing is cut off: the margins are blank paper.
    assert (legend[-5:] == 255).all()
    assert (legend[:, -4:] == 255).all()


def test_text_grows_with_the_picture():
    def height(factor):
        picture = np.zeros((100 * factor, 200 * factor, 3), np.uint8)
        return add_legend(picture, all_classes(CLASSES, PALETTE), 'bottom').shape[0] - 100 * factor

    assert height(20) == pytest.approx(2 * height(10), rel=0.05)
    assert height(1) == height(2) == pytest.approx(37, abs=5)


def test_no_entries_no_legend():
    picture = np.zeros((4, 4, 3), np.uint8)
    assert add_legend(picture, []) is picture


def test_unknown_place():
    with pytest.raises(ValueError, match="legend 'left': there are auto, right, bottom"):
        add_legend(np.zeros((4, 4, 3), np.uint8), all_classes(CLASSES, PALETTE), 'left')
