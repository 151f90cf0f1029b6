import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.tools import tiny_run
from tests.visualization.report_runs import Page, rows
from tools.report import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path):
    folder = tiny_run.make_run(tmp_path / 'runs' / 'tiny', tmp_path / 'data')
    (folder / 'log.jsonl').write_text(''.join(json.dumps(row) + '\n' for row in rows(last=50, val=False)))
    return folder


def test_evaluates_and_shows_pictures(run, tmp_path, capsys):
    out = tmp_path / 'new' / 'report.html'
    arguments = [str(run), '--out', str(out), '--images', '2', '--images-by', 'worst', '--device', 'cpu']
    main(arguments)
    before = Page(out.read_text())
    assert 'No predictions were kept of tiny.' in before.text('pictures')
    assert f'sh test.sh {run}' in before.text('pictures')
    main([*arguments, '--evaluate'])
    page = Page(out.read_text())
    result = json.loads((run / 'eval_latest.json').read_text())
    assert f'{result["scores"]["mIoU"]:.2f} mIoU' in page.text('overview')
    assert result['predictions'] == 'preds'
    assert np.sum(result['confusion_matrix']) == sum(
        (np.asarray(Image.open(path)) < 3).sum() for path in (tmp_path / 'data/gtFine/val').rglob('*.png')
    )
    # An image, its label, the prediction and the veil over what is right, twice.
    assert page.pictures == {'pictures': 8}
    assert 'selected with the labels' in page.text('pictures')
    assert 'pixels are called' in page.text('confusion')
    assert 'Report of 1 run' in capsys.readouterr().out
    # What has been evaluated is not evaluated again; a new checkpoint is.
    stamp = (run / 'eval_latest.json').stat().st_mtime_ns
    main([*arguments, '--evaluate'])
    assert (run / 'eval_latest.json').stat().st_mtime_ns == stamp
    (run / 'latest.pth').touch()
    main([*arguments, '--evaluate'])
    assert (run / 'eval_latest.json').stat().st_mtime_ns != stamp


def test_one_broken_run_does_not_lose_the_others(run, tmp_path, capsys):
    broken = tmp_path / 'runs' / 'broken'
    broken.mkdir()
    (broken / 'log.jsonl').write_text((run / 'log.jsonl').read_text())
    out = tmp_path / 'report.html'
    main([str(run), str(broken), '--evaluate', '--device', 'cpu', '--images', '1', '--out', str(out)])
    page = Page(out.read_text())
    assert 'not evaluated: ' in page.text('overview') and 'latest.pth: no such checkpoint' in page.text('overview')
    assert page.pictures == {'pictures': 4}
    assert 'broken: not evaluated' in capsys.readouterr().out


def test_a_test_set_that_is_gone_is_named(run, tmp_path):
    out = tmp_path / 'report.html'
    main([str(run), '--evaluate', '--device', 'cpu', '--out', str(out)])
    (tmp_path / 'data').rename(tmp_path / 'moved')
    main([str(run), '--out', str(out)])
    page = Page(out.read_text())
    assert 'The test images cannot be shown: CityscapesDataset: image folder' in page.text('pictures')
    assert page.pictures == {}


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--images', '-1'], '--images -1: expected 0 or more'),
        (['--out', 'report.pdf'], '--out report.pdf: the report is a page, name it .html'),
        (['--images-by', 'size'], "invalid choice: 'size'"),
    ],
)
def test_wrong_use(run, arguments, message, capsys):
    with pytest.raises(SystemExit):
        main([str(run), *arguments])
    assert message in capsys.readouterr().err


def test_errors_are_one_line_from_any_folder(tmp_path):
    command = [sys.executable, str(ROOT / 'tools' / 'report.py'), 'nowhere']
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert result.returncode == 1
    assert (result.stdout + result.stderr).strip() == 'error: nowhere: no such run folder or log file'
