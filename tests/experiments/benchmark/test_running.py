"""Running, resuming, listing and recording rows. Commands are only acted out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import run_experiments
from mmseg.engine.config import load_config
from mmseg.experiments import process, running
from mmseg.experiments.benchmark.records import read_row_record, read_row_records
from tests.experiments.benchmark.acted import Commands

RECORD = Path('docs/results/demo/source_only_s0.json')


@pytest.fixture
def commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('data/demo').mkdir(parents=True)
    acted = Commands()
    monkeypatch.setattr(process, 'run_command', acted)
    monkeypatch.setattr(running, 'git_state', lambda: 'a' * 12)
    return acted


def run(*words):
    run_experiments.main(['--exp', 'demo', '--preset', 'cpu', *words])


def test_all_rows_with_one_seed_before_the_next_and_records_of_them(commands, capsys):
    commands.scores = {'source_only_s1/test': 50.0, 'source_only_s1/test_adabn': 60.5}
    run('--rows', 'source_only', 'oracle', '--seeds', '0', '1', '--machine', 'box')
    assert commands.run == [
        *(f'source_only_s0/{stage}' for stage in ('train', 'test', 'test_adabn')),
        *(f'oracle_s0/{stage}' for stage in ('train', 'test')),
        *(f'source_only_s1/{stage}' for stage in ('train', 'test', 'test_adabn')),
        *(f'oracle_s1/{stage}' for stage in ('train', 'test')),
    ]
    trained = load_config('configs/generated/box-demo/source_only_s1/train.py')
    assert (trained.train_cfg.max_iters, trained.train_cfg.val_interval, trained.seed) == (1200, 1200, 1)
    assert trained.work_dir == 'work_dirs/box-demo/source_only_s1/train'
    records = read_row_records(Path('docs/results/demo'))
    assert [record.name for record in records] == ['oracle_s0', 'oracle_s1', 'source_only_s0', 'source_only_s1']
    one = records[3]
    assert (one.seed, one.preset, one.iterations, one.score(), one.score('test_adabn')) == (1, 'cpu', 1200, 50.0, 60.5)
    assert one.tests['test_adabn'].options == ('adapt_bn',)
    assert one.tests['test'].iou == {'road': 60.0, 'car': 40.0, 'train': None}
    # The median window took half a second; the highest memory counts.
    assert (one.rate, one.memory) == (2.0, 1100)
    training = one.trainings['train']
    assert training.config == 'configs/demo/source_only.py'
    assert set(training.changes) == {
        'train_cfg.max_iters 600 -> 1200',
        'train_cfg.val_interval 300 -> 1200',
        'default_hooks.panels.interval 200 -> 1200',
        'seed 0 -> 1',
    }
    assert one.environment['device'] == 'CPU, 2 threads' and one.environment['git'] == 'abc'
    log = [json.loads(line) for line in Path('docs/results/demo', one.log).read_text().splitlines()]
    assert [row['time'] for row in log] == [0.5, 0.25, 4.0] and log[0]['stage'] == 'train'
    assert log[0]['decode.loss_seg'] == 0.3333
    # Nothing was predicted, and that is said.
    assert 'source_only_s0: no pictures of its predictions' in capsys.readouterr().out


def test_what_is_finished_is_not_run_again(commands, capsys):
    run('--rows', 'source_only')
    commands.run.clear()
    before = RECORD.stat().st_mtime_ns
    run('--rows', 'source_only', 'minent')
    assert commands.run == ['minent_s0/train', 'minent_s0/test']
    assert 'finished: work_dirs/local-demo/source_only_s0' in capsys.readouterr().out
    assert read_row_record(RECORD).score() == 40.0 and RECORD.stat().st_mtime_ns >= before
    RECORD.unlink()
    run('--rows', 'source_only')
    assert RECORD.is_file()


def test_a_failing_row_does_not_stop_the_others_and_goes_on_later(commands, capsys):
    commands.ends = {'dacs_s0/test': 1}
    with pytest.raises(ValueError, match='1 of 2 rows are not finished: dacs_s0: stage test failed'):
        run('--rows', 'dacs', 'minent')
    assert commands.run[-1] == 'minent_s0/test' and not Path('docs/results/demo/dacs_s0.json').exists()
    again = capsys.readouterr().out.split('continue: ')[1].splitlines()[0]
    commands.run.clear()
    commands.ends = {}
    # The command that the message names takes the row's own file of stages.
    run_experiments.main(again.split()[2:])
    rest = ['dacs_s0/test', 'dacs_s0/test_teacher', 'dacs_s0/test_adabn']
    assert commands.run == rest
    run('--rows', 'dacs')
    assert read_row_record(Path('docs/results/demo/dacs_s0.json')).tests['test_teacher'].options == ('ema',)
    assert commands.run == rest


def test_a_signal_stops_all(commands):
    commands.ends = {'source_only_s0/test': 'signal'}
    with pytest.raises(SystemExit) as stop:
        run('--rows', 'source_only', 'minent')
    assert stop.value.code == 130 and commands.run == ['source_only_s0/train', 'source_only_s0/test']


def test_a_chain_and_its_bases(commands):
    commands.scores = {'ddb_daformer_s0/test_cu': 30.0, 'ddb_daformer_s0/test_student': 33.0}
    run('--rows', 'ddb_daformer')
    record = read_row_record(Path('docs/results/demo/ddb_daformer_s0.json'))
    assert {name: one.iterations for name, one in record.trainings.items()} == {'cu': 400, 'ca': 400, 'student': 400}
    assert (record.final, record.score(), record.score('test_cu'), record.rate) == ('test_student', 33.0, 30.0, 2.0)
    assert record.tests['test_ca'].training == 'ca'
    old = 'work_dirs/demo/ddb_st_ca/prototypes.pth'
    assert f"uda.teachers.1.prototypes '{old}' -> '{{ca_prototypes}}'" in record.trainings['student'].changes


def test_other_lengths_lie_elsewhere(commands):
    run_experiments.main(['--exp', 'demo', '--budget', '30', '--rows', 'minent'])
    record = read_row_record(Path('docs/results/demo-30/minent_s0.json'))
    assert (record.preset, record.iterations) == ('30 iterations', 30)
    assert Path('work_dirs/local-demo-30/minent_s0/train').is_dir()
    run_experiments.main(['--exp', 'demo', '--preset', 'gpu', '--rows', 'minent'])
    assert read_row_record(Path('docs/results/demo-gpu/minent_s0.json')).iterations == 12000
    run('--rows', 'minent', '--startup-test')
    startup = load_config('configs/generated/local-demo-startup/minent_s0/train.py')
    assert startup.train_cfg.max_iters == 2
    assert not Path('docs/results/demo').exists()


def test_changed_configs_are_recorded_only_where_asked(commands, capsys):
    run('--rows', 'minent', '--cfg-options', 'uda.entropy_weight.main=0.5')
    assert not Path('docs').exists()
    run('--rows', 'minent', '--cfg-options', 'uda.entropy_weight.main=0.5', '--results', 'mine')
    changes = read_row_record(Path('mine/demo/minent_s0.json')).trainings['train'].changes
    assert 'uda.entropy_weight.main 0.001 -> 0.5' in changes
    # What was finished with other settings is not taken for the benchmark's.
    with pytest.raises(ValueError, match='stage train is finished, but its settings are others now'):
        run('--rows', 'minent')
    capsys.readouterr()
    run('--rows', 'minent', '--list')
    assert capsys.readouterr().out.endswith('settings have changed\n')


def test_list_and_dry_run_touch_nothing(commands, capsys):
    run('--rows', 'source_only', 'ddb_daformer', '--list')
    run('--rows', 'source_only', '--dry-run')
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ['row', 'extends', 'iterations', 'seed', '0'],
        ['source_only', '-', '1200', '-'],
        ['ddb_daformer', 'daformer', '3', 'x', '400', '-'],
    ]
    assert lines[3].endswith('source_only_s0_stages.py -> work_dirs/local-demo/source_only_s0')
    assert sorted(path.name for path in Path().iterdir()) == ['data']
    commands.ends = {'source_only_s0/test_adabn': 1}
    with pytest.raises(ValueError):
        run('--rows', 'source_only')
    capsys.readouterr()
    run('--rows', 'source_only', '--list', '--seeds', '0', '1')
    assert '2 of 3 stages, in test_adabn  -' in capsys.readouterr().out


def test_missing_data_is_said_before_anything_runs(commands):
    Path('data/demo').rmdir()
    with pytest.raises(FileNotFoundError, match='data/demo does not exist; bash tools/demo.sh makes it'):
        run('--rows', 'source_only')
    assert not commands.run


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--rows', 'dac'], 'demo has no row dac; did you mean dacs'),
        (['--preset', 'tpu'], 'demo has no preset tpu; presets: cpu, gpu'),
        (['--budget', '0'], '--budget 0: expected at least 1'),
        (['--rows', 'dacs', 'dacs'], 'a row is named twice: dacs, dacs'),
        (['--seeds', '0', '-1'], '--seeds -1: expected 0 or more'),
        (['--seeds', '1', '1'], 'a seed is named twice: 1, 1'),
    ],
)
def test_mistakes(commands, words, message):
    with pytest.raises(ValueError, match=message):
        run_experiments.main(['--exp', 'demo', *words])


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--exp', '80', '--rows', 'a'], '--rows belongs to --exp with a benchmark: demo, camvid'),
        (['--config', 'x', '--seeds', '1'], '--seeds belongs to --exp with a benchmark'),
        (['--exp', 'demo', '--grid', 'mine.py'], '--grid: demo is the id of a benchmark'),
        (['--exp', 'demo', '--preset', 'cpu', '--budget', '3'], '--preset and --budget exclude each other'),
    ],
)
def test_options_that_do_not_go_together(words, message, capsys):
    with pytest.raises(SystemExit):
        run_experiments.parse_arguments(words)
    assert message in capsys.readouterr().err
