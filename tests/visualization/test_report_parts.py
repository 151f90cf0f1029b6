import base64
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mmseg.evaluation.result_file import Result
from mmseg.visualization.curves import Series
from mmseg.visualization.report import pictures
from mmseg.visualization.report.config_section import flatten
from mmseg.visualization.report.confusion_section import absent_classes, cells, row_shares, strongest_confusions
from mmseg.visualization.report.heat_map import heat_map
from mmseg.visualization.report.line_chart import line_chart, linear_axis_range, nice_ticks, thin
from mmseg.visualization.report.numbers import breakable, fixed, percent, pixels, short, signed


def series(values, step=10):
    return Series(np.arange(1, len(values) + 1) * step, np.array(values, float))


@given(st.floats(-1e6, 1e6), st.floats(1e-2, 1e6), st.integers(2, 8))
def test_ticks_enclose_their_range(low, size, count):
    ticks = nice_ticks(low, low + size, count)
    steps = np.diff(ticks)
    assert ticks[0] <= low + 1e-6 * size and ticks[-1] >= low + size * (1 - 1e-6)
    assert np.allclose(steps, steps[0], rtol=1e-3)
    assert len(ticks) <= count + 2


def test_axis_starts_at_zero_unless_values_lie_far_from_it():
    assert linear_axis_range(np.array([0.3, 3.0]))[0] == 0
    assert linear_axis_range(np.array([80.0, 85.0]))[0] >= 75
    low, high, _ = linear_axis_range(np.array([5.0, 5.0]))
    assert low < 5 < high


def test_chart_places_values_and_leaves_gaps():
    chart = line_chart('mIoU', '', {1: series([0.0, 50.0, math.nan, 100.0, math.nan])}, last=100)
    [line] = chart.lines
    assert line.run == 1
    assert line.path.count('M') == 2
    heights = [y for _, y in line.dots]
    assert heights[0] == chart.bottom and heights[2] == chart.top
    assert heights[1] == pytest.approx((chart.bottom + chart.top) / 2, abs=0.1)
    assert line.dots[0][0] == pytest.approx(chart.left + (chart.right - chart.left) * 0.1, abs=0.1)
    assert chart.hover['lines'][0]['y'] == [0.0, 50.0, None, 100.0, None]
    assert line_chart('x', '', {0: series([math.nan])}, last=10) is None


def test_losses_that_span_far_get_a_logarithmic_axis():
    values = {0: series([100.0, 1.0, 0.1])}
    assert line_chart('loss', '', values, 30, log_axis=True).logarithmic
    assert not line_chart('loss', '', values, 30).logarithmic
    assert not line_chart('loss', '', {0: series([3.0, 0.3])}, 30, log_axis=True).logarithmic
    assert not line_chart('loss', '', {0: series([100.0, 0.0])}, 30, log_axis=True).logarithmic


def test_long_series_are_averaged():
    values = np.random.default_rng(0).random(9001)
    thinned = thin(series(values), 301)
    assert len(thinned) == 301
    assert thinned.values[:-1].mean() == pytest.approx(values[:-1].mean())
    assert thinned.values[-1] == values[-1]
    assert thinned.last[0] == 90010


def test_shares_cells_and_strongest_confusions():
    matrix = np.array([[90, 10, 0], [300, 700, 0], [0, 0, 0]])
    np.testing.assert_allclose(row_shares(matrix), [[0.9, 0.1, 0], [0.3, 0.7, 0], [0, 0, 0]])
    result = Result('x', {}, classes=('a', 'b', 'c'), confusion=matrix)
    first = Result('y', {}, classes=('b', 'a'), confusion=np.array([[3, 1], [1, 3]]))
    [worst, second] = strongest_confusions(result, first)
    assert (worst.truth, worst.called, worst.share, worst.count, worst.before) == ('b', 'a', 0.3, 300, 0.25)
    assert (second.truth, second.called, second.before) == ('a', 'b', 0.25)
    assert absent_classes(result) == ['c']
    assert {(cell.row, cell.column) for cell in cells(matrix)} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert [cell.text for cell in cells(matrix) if cell.right] == ['90', '70']
    drawing = heat_map(matrix, result.classes)
    assert drawing.width > drawing.left + drawing.side and drawing.numbers


def test_by_count_and_by_share_differ_and_chance_is_left_out():
    matrix = np.array([[990_000, 10_000, 0], [0, 100_000, 0], [40, 10, 50]])
    result = Result('x', {}, classes=('road', 'car', 'train'), confusion=matrix)
    # 100 of 1.1 million pixels are too few for a share that means anything.
    assert [(one.truth, one.called) for one in strongest_confusions(result, None)] == [('road', 'car')]
    assert strongest_confusions(result, None, by='count')[0].count == 10_000


def test_numbers():
    assert [fixed(38.317), fixed(None), fixed(math.nan), fixed(-1, 0)] == ['38.32', '–', '–', '−1']
    assert [signed(1.2), signed(-0.35), signed(None)] == ['+1.20', '−0.35', '–']
    assert [short(v) for v in (0, 40000, 1.25, 6e-5, 250, 1.5e6)] == ['0', '40k', '1.25', '6e-5', '250', '1.5M']
    assert [percent(v) for v in (0.123, 0.004, 0.0)] == ['12 %', '0.4 %', '0 %']
    assert [pixels(v) for v in (1, 9724, 97_400, 1_240_000)] == [
        '1 pixel',
        '9,724 pixels',
        '97 k pixels',
        '1.2 M pixels',
    ]
    assert breakable('a_<b') == 'a_<wbr>&lt;b'


def test_flat_configs():
    pipeline = [{'type': 'Resize', 'scale': (512, 256)}, {'type': 'Pad'}]
    flat = flatten({'uda': {'teacher': {'alpha': 0.9}}, 'data': {'pipeline': pipeline}, 'x': {}, 'sizes': (1, 2)})
    assert flat == {
        'uda.teacher.alpha': '0.9',
        'data.pipeline': 'Resize(scale=[512, 256])\nPad()',
        'x': '{}',
        'sizes': '[1, 2]',
    }


def test_iou_of_an_image_counts_its_own_classes():
    label = np.array([[0, 0, 1, 255]], np.uint8)
    assert pictures.image_iou(np.array([[0, 2, 1, 2]], np.uint8), label, 3) == pytest.approx(100 * (1 / 2 + 1) / 2)
    assert pictures.image_iou(label, label, 3) == 100
    assert pictures.image_iou(label, np.full_like(label, 255), 3) is None


@pytest.mark.parametrize(
    ('order', 'chosen'),
    [('even', [0, 2, 4]), ('worst', [5, 3, 1]), ('best', [0, 2, 4]), ('spread', [5, 1, 0])],
)
def test_choice_of_images(order, chosen):
    scores = [90, 30, 80, 20, 70, 10, None]
    if order == 'even':
        scores = scores[:6]
    assert pictures.choose_images(len(scores), 3, order, scores) == chosen
    assert len(pictures.choose_images(len(scores), 99, order, scores)) == 6
    with pytest.raises(ValueError, match="images by 'size': there are even, worst, best, spread"):
        pictures.choose_images(3, 1, 'size', scores)


def test_the_veil_hides_what_is_right():
    label = np.array([[0, 1, 255, 1]], np.uint8)
    prediction = np.array([[0, 0, 1, 1]], np.uint8)
    picture = pictures._compared(prediction, label, [[255, 0, 0], [0, 255, 0]], 2)

    def decoded(address):
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(',')[1]))).convert('RGBA'))

    assert decoded(picture.mistakes)[0, :, 3].tolist() == [pictures.VEIL, 0, pictures.VEIL, pictures.VEIL]
    assert decoded(picture.source)[0, :, :3].tolist() == [[255, 0, 0], [255, 0, 0], [0, 255, 0], [0, 255, 0]]
    assert picture.score == pytest.approx(100 * (1 / 2 + 1 / 2) / 2)
