import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.analyze_logs import main

ROOT = Path(__file__).resolve().parents[2]


def make_run(folder, offset=0.0, val=True, seconds=0.5):
    folder.mkdir(parents=True)
    rows = [{'mode': 'meta', 'iter': 0}]
    for iteration in (1, 50, 100):
        rows.append({'mode': 'train', 'iter': iteration, 'lr': 0.1, 'time': seconds, 'data_time': 0.01, 'memory': 900,
                     'decode.loss_seg': 3 + offset - iteration / 50})  # fmt: skip
        if val and iteration > 1:
            score = 60 + offset - iteration / 10
            rows.append({'mode': 'val', 'iter': iteration, 'mIoU': score, 'IoU.road': score + 1, 'IoU.bus': None})
    (folder / 'log.jsonl').write_text(''.join(json.dumps(row) + '\n' for row in rows))
    return folder


@pytest.fixture
def runs(tmp_path):
    return [make_run(tmp_path / 'runs' / 'dacs_s0'), make_run(tmp_path / 'runs' / 'dacs_s1', 4.0)]


def evaluated(run, iteration, **scores):
    (run / 'eval_latest.json').write_text(json.dumps({'iteration': iteration, 'scores': scores}))


def is_picture(path):
    picture = np.asarray(Image.open(path).convert('RGB'))
    return picture.shape[0] > 300 and picture.min() < 60 and picture.max() == 255


def test_list_names_every_value(runs, capsys):
    main([str(runs[0]), '--list'])
    out = capsys.readouterr().out
    for key in ('decode.loss_seg', 'lr', 'memory', 'mIoU', 'IoU.road'):
        assert key in out
    assert '1 to 100' in out


def test_summary_tells_last_from_best(runs, capsys):
    evaluated(runs[1], 100, mIoU=54.25)
    main([str(runs[0].parent), '--summary'])
    out = capsys.readouterr().out
    first = next(line for line in out.splitlines() if 'dacs_s0' in line)
    second = next(line for line in out.splitlines() if 'dacs_s1' in line)
    assert '50.00 (val)' in first
    assert '55.00 (val at 50)' in first
    assert '54.25 (test)' in second
    assert '0.500' in first
    assert 'selected on labels' in out


def test_evaluation_of_an_older_checkpoint_is_not_taken_for_the_last(runs, capsys):
    evaluated(runs[0], 50, mIoU=77.0)
    main([str(runs[0]), '--summary'])
    assert '50.00 (val)' in capsys.readouterr().out


@pytest.mark.parametrize('suffix', ['png', 'svg'])
def test_curves_are_written(runs, tmp_path, suffix):
    out = tmp_path / 'new' / f'curves.{suffix}'
    main([*map(str, runs), '--out', str(out), '--smooth', '0.6', '--title', 'DACS'])
    assert is_picture(out) if suffix == 'png' else out.stat().st_size > 5000


def test_class_chart_and_groups(runs, tmp_path, capsys):
    evaluated(runs[1], 100, **{'mIoU': 54.0, 'IoU.road': 70.0, 'IoU.bus': None})
    figure = tmp_path / 'classes.svg'
    main([str(runs[0].parent), '--classes', str(figure), '--out', str(tmp_path / 'c.png'), '--group-seeds'])
    assert is_picture(tmp_path / 'c.png')
    assert figure.stat().st_size > 5000
    assert 'not in' not in capsys.readouterr().err


def test_a_key_that_some_runs_lack_is_said(runs, tmp_path, capsys):
    other = make_run(tmp_path / 'no_val', val=False)
    main([str(runs[0]), str(other), '--keys', 'mIoU', '--out', str(tmp_path / 'c.png'), '--names', 'A', 'B'])
    assert 'mIoU: not in B' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--out', 'c.png', '--keys', 'decode.loss'], 'decode.loss: in no log; did you mean decode.loss_seg'),
        (['--out', 'c.png', '--names', 'A', 'B'], r'--names: 2 names for 1 runs \(dacs_s0\)'),
        (['--out', 'c.png', '--from', '500'], '--from 500: no run has a value of decode.loss_seg from there on'),
    ],
)
def test_wrong_values_are_named(runs, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        main([str(runs[0]), *arguments])
    assert not (tmp_path / 'c.png').exists()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([], 'give at least one of --list, --summary, --out, --classes'),
        (['--out', 'curves.jpg'], '--out curves.jpg: expected a file that ends in .png, .pdf, .svg'),
        (['--out', 'a.png', '--smooth', '1'], '--smooth 1.0: expected'),
    ],
)
def test_wrong_use(runs, arguments, message, capsys):
    with pytest.raises(SystemExit):
        main([str(runs[0]), *arguments])
    assert message in capsys.readouterr().err


def test_class_scores_of_a_run_without_any(tmp_path):
    run = make_run(tmp_path / 'no_val', val=False)
    with pytest.raises(ValueError, match='no class scores yet; run: python -m tools.test'):
        main([str(run), '--classes', str(tmp_path / 'c.png')])


def test_command_from_another_folder_says_errors_in_one_line(tmp_path):
    command = [sys.executable, str(ROOT / 'tools' / 'analyze_logs.py'), 'nowhere', '--summary']
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert result.returncode == 1
    assert result.stderr.strip() == 'error: nowhere: no such run folder or log file'
