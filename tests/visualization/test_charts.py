import io
import math

import numpy as np
import pytest

from mmseg.visualization.charts import COLOURS, Curve, classes_figure, curves_figure, group_names, mean_and_range
from mmseg.visualization.curves import Series


def series(*values, step=50):
    return Series(np.arange(1, len(values) + 1) * step, np.array(values, np.float64))


def lines(axes):
    return [line for line in axes.get_lines() if line.get_linewidth() > 1]


def draw(figure):
    """What only shows when a figure is really drawn."""
    figure.savefig(io.BytesIO(), format='png', dpi=40)
    return figure


def test_seeds_are_left_out_of_names():
    names = ['daformer_s0', 'daformer-seed12', 'oracle', 'resnet_s', 's0', '_s1']
    assert group_names(names) == ['daformer', 'daformer', 'oracle', 'resnet_s', 's0', '_s1']


def test_mean_and_range_over_common_iterations():
    one, two = series(1, 2, 6), series(3, 8)
    iterations, mean, low, high = mean_and_range([one, two])
    assert iterations.tolist() == [50, 100]
    assert (mean.tolist(), low.tolist(), high.tolist()) == ([2, 5], [1, 2], [3, 8])
    with pytest.raises(ValueError, match='no logged iteration in common'):
        mean_and_range([one, series(1, step=7)])


def test_a_run_has_one_colour_in_all_panels_and_every_value_its_panel():
    panels = {
        'loss': [Curve('a', [series(3, 2, 1)]), Curve('b', [series(4, 3, 2)])],
        'mIoU': [Curve('b', [series(10, 20)])],
    }
    figure = draw(curves_figure(panels, title='Two runs'))
    loss, score = figure.axes
    assert [axes.get_title(loc='left') for axes in figure.axes] == ['loss', 'mIoU']
    assert [line.get_color() for line in lines(loss)] == list(COLOURS[:2])
    assert [line.get_color() for line in lines(score)] == [COLOURS[1]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ['a', 'b']
    np.testing.assert_array_equal(lines(loss)[0].get_ydata(), [3, 2, 1])
    assert sorted(text.get_text() for text in loss.texts) == ['1', '2']


def test_smoothing_keeps_what_was_logged_visible():
    raw = series(1, 5, 1, 5)
    [axes] = draw(curves_figure({'loss': [Curve('a', [raw])]}, {'loss': 0.5})).axes
    pale, smooth = axes.get_lines()
    np.testing.assert_array_equal(pale.get_ydata(), raw.values)
    assert np.ptp(smooth.get_ydata()) < np.ptp(raw.values)


def test_absent_values_are_said():
    [axes] = draw(curves_figure({'IoU.bus': [Curve('a', [series(math.nan, math.nan)])]})).axes
    assert [text.get_text() for text in axes.texts] == ['not a number at any time']


def test_classes_show_each_run_and_the_mean_of_seeds():
    scores = {
        'source': [{'road': 50.0, 'bus': 10.0}],
        'uda': [{'road': 80.0, 'bus': math.nan}, {'road': 90.0, 'bus': math.nan}],
    }
    [axes] = draw(classes_figure(scores)).axes
    dots = {line.get_label(): line.get_ydata() for line in axes.get_lines() if line.get_label() in scores}
    np.testing.assert_array_equal(dots['source'], [50, 10])
    np.testing.assert_array_equal(dots['uda'], [85, math.nan])
    assert [label.get_text() for label in axes.get_xticklabels()] == ['road', 'bus']


def test_nothing_to_draw():
    with pytest.raises(ValueError, match='at least one panel'):
        curves_figure({})
    with pytest.raises(ValueError, match='at least one class'):
        classes_figure({'a': [{}]})
