import pytest

from mmseg.visualization.bars import Bar, bars_figure


def test_bars_are_means_in_their_order_and_missing_ones_are_said():
    bars = [Bar('AdaBN', [10.0], 'Baselines'), Bar('DACS', [30.0, 50.0], 'Methods'),
            Bar('MIC', [], 'Methods', 'not run'), Bar('AdvSeg', [-5.0], 'Methods')]  # fmt: skip
    figure = bars_figure(bars, 'Demo', 'gap closed in %')
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ['AdaBN', 'DACS', 'MIC', 'AdvSeg']
    # The first is on top.
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert [(patch.get_y() + patch.get_height() / 2, patch.get_width()) for patch in axes.patches] == [
        (pytest.approx(0), 10.0), (pytest.approx(1), 40.0), (pytest.approx(3), -5.0)
    ]  # fmt: skip
    assert [text.get_text() for text in axes.texts] == ['10', '40', 'not run', '−5']
    # A dot per run where there are several.
    dots = [line for line in axes.lines if line.get_marker() == 'o']
    assert [list(line.get_xdata()) for line in dots] == [[30.0, 50.0]]
    colours = [patch.get_facecolor() for patch in axes.patches]
    assert colours[0] != colours[1] == colours[2]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ['Baselines', 'Methods']


def test_no_values_no_chart():
    with pytest.raises(ValueError, match='at least one value'):
        bars_figure([Bar('DACS', [], 'Methods')], '', '')
