import json
import math

import numpy as np
import pytest

from mmseg.visualization.curves import (
    Series,
    class_series,
    distinct_names,
    find_logs,
    read_run,
    smoothed,
    timing,
)


def write_log(folder, *rows, name='log.jsonl'):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(''.join(json.dumps(row) + '\n' for row in rows))
    return path


def train(iteration, **values):
    return {'mode': 'train', 'iter': iteration, **values}


META = {'mode': 'meta', 'iter': 0, 'seed': 3}


def test_values_become_series_by_name(tmp_path):
    folder = tmp_path / 'mine_s0'
    write_log(
        folder,
        META,
        train(1, lr=0.1, **{'decode.loss_seg': 3}),
        train(50, lr=0.2, **{'decode.loss_seg': 2.5, 'mix.decode.loss_seg': 1.0}),
        {'mode': 'val', 'iter': 50, 'mIoU': 40.5, 'IoU.road': 81.0, 'IoU.traffic light': None},
        {'mode': 'test', 'iter': 50, 'mIoU': 1.0},
    )
    (folder / 'mine_s0.py').write_text('model = dict()\n')
    (folder / 'eval_latest.json').write_text(json.dumps({'iteration': 50, 'scores': {'mIoU': 41.0, 'IoU.wall': None}}))
    run = read_run(folder)
    assert (run.name, run.config_path, run.iterations) == ('mine_s0', folder / 'mine_s0.py', 50)
    assert list(run.train) == ['lr', 'decode.loss_seg', 'mix.decode.loss_seg']
    np.testing.assert_array_equal(run.train['decode.loss_seg'].iterations, [1, 50])
    np.testing.assert_array_equal(run.train['decode.loss_seg'].values, [3, 2.5])
    np.testing.assert_array_equal(run.train['mix.decode.loss_seg'].iterations, [50])
    assert list(class_series(run.val)) == ['road', 'traffic light']
    assert math.isnan(run.val['IoU.traffic light'].values[0])
    assert run.val['mIoU'].last == (50, 40.5)
    assert (run.evaluated_at, run.evaluated) == (50, {'mIoU': 41.0, 'IoU.wall': None})
    assert read_run(folder / 'log.jsonl').name == 'mine_s0'


def test_cut_off_line_is_counted_and_loses_nothing(tmp_path):
    log = write_log(tmp_path / 'run', META, train(1, loss=1.0))
    with log.open('a') as file:
        file.write('{"mode": "train", "it')
    run = read_run(log)
    assert run.broken_lines == 1
    assert len(run.train['loss']) == 1
    assert run.config_path is None


def test_an_iteration_logged_twice_counts_once(tmp_path):
    log = write_log(tmp_path / 'run', train(10, loss=1.0), train(20, loss=2.0), train(10, loss=5.0))
    series = read_run(log).train['loss']
    assert series.iterations.tolist() == [10, 20]
    assert series.values.tolist() == [5.0, 2.0]


def test_log_of_the_original_code_bases(tmp_path):
    """There a validation's ``iter`` counts images, scores are shares of one, and a line without mode is first."""
    log = write_log(
        tmp_path / 'published',
        {'seed': 2, 'env_info': 'x'},
        {'mode': 'train', 'epoch': 1, 'iter': 50, 'lr': 6e-5, 'decode.loss_seg': 1.5},
        {'mode': 'train', 'epoch': 24, 'iter': 4000, 'lr': 5e-5, 'decode.loss_seg': 0.5},
        {'mode': 'val', 'epoch': 24, 'iter': 500, 'lr': 5e-5, 'mIoU': 0.61, 'IoU.road': 0.95},
        name='20211130_1230.log.json',
    )
    run = read_run(tmp_path / 'published')
    assert run.log == log
    assert run.name == 'published/20211130_1230'
    assert run.val['mIoU'].last == (4000, pytest.approx(61.0))
    assert set(run.val) == {'mIoU', 'IoU.road'}
    assert run.train['decode.loss_seg'].last == (4000, 0.5)


def test_best_and_last():
    series = Series(np.array([4, 8, 12, 16]), np.array([40.0, 47.5, math.nan, 45.0]))
    assert (series.best, series.last) == ((8, 47.5), (16, 45.0))
    nowhere = Series(np.array([4]), np.array([math.nan]))
    assert nowhere.best[0] == 4
    assert math.isnan(nowhere.best[1])


def test_smoothing_is_the_unbiased_moving_average():
    series = Series(np.arange(4), np.array([2.0, 4.0, math.nan, 8.0]))
    weight = 0.6
    np.testing.assert_array_equal(smoothed(series, 0).values, series.values)
    expected = [
        2.0,
        (weight * 2 + 4) / (weight + 1),
        math.nan,
        (weight**2 * 2 + weight * 4 + 8) / (weight**2 + weight + 1),
    ]
    np.testing.assert_allclose(smoothed(series, weight).values, expected)
    constant = Series(np.arange(9), np.full(9, 3.25))
    np.testing.assert_allclose(smoothed(constant, 0.95).values, 3.25)
    for wrong in (1, -0.1):
        with pytest.raises(ValueError, match='smoothing weight'):
            smoothed(constant, wrong)


def test_timing_leaves_out_the_start_of_the_run_and_of_its_continuation(tmp_path):
    def row(iteration, seconds):
        return train(iteration, time=seconds, data_time=seconds / 10, memory=100 + iteration)

    rows = [META, row(1, 90.0), row(50, 1.0), row(100, 3.0), {**META, 'iter': 100}, row(150, 80.0), row(200, 2.0)]
    cost = timing(read_run(write_log(tmp_path / 'run', *rows)))
    assert (cost.seconds, cost.memory) == (2.0, 300)
    assert cost.data_seconds == pytest.approx(0.2)
    assert timing(read_run(write_log(tmp_path / 'short', META, row(1, 90.0)))).seconds == 90.0
    assert timing(read_run(write_log(tmp_path / 'none', META))) is None


def test_folder_of_runs_and_names(tmp_path):
    for folder in ('a/daformer', 'b/daformer', 'a/source_only'):
        write_log(tmp_path / folder, META, train(1, loss=1.0))
    (tmp_path / 'a' / 'empty').mkdir()
    logs = find_logs(tmp_path / 'a')
    assert [log.parent.name for log in logs] == ['daformer', 'source_only']
    runs = [read_run(log) for log in [*logs, *find_logs(tmp_path / 'b')]]
    assert distinct_names(runs) == ['a/daformer', 'source_only', 'b/daformer']
    assert distinct_names([runs[0], runs[0]])[0].endswith('a/daformer')
    with pytest.raises(ValueError, match=r'holds 2 runs \(daformer, ...\); name one'):
        read_run(tmp_path / 'a')


def test_runs_of_one_stage_are_named_by_their_folders(tmp_path):
    for name in ('daformer_s0', 'daformer_s1'):
        write_log(tmp_path / name / 'train', train(1, loss=1.0))
    runs = [read_run(log) for log in find_logs(tmp_path)]
    assert distinct_names(runs) == ['daformer_s0', 'daformer_s1']
    assert distinct_names(runs[:1]) == ['train']


def test_what_is_no_log_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere: no such run folder or log file'):
        read_run(tmp_path / 'nowhere')
    with pytest.raises(FileNotFoundError, match=r'no log.jsonl in it or in the folders in it'):
        read_run(tmp_path)
    for name, content in (('text.txt', b'hello\nyou\n'), ('bytes.bin', b'\xff\xfe\x00\x80')):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f'{name}: not a log of a training'):
            read_run(tmp_path / name)
