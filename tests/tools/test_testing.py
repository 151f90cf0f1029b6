import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmseg.evaluation.confusion import class_scores, confusion_matrix, present_mean
from tests.tools import tiny_run
from tools.test import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path):
    return tiny_run.make_run(tmp_path / 'runs' / 'tiny', tmp_path / 'data')


def command(*arguments, shell=()):
    result = subprocess.run([*map(str, (*shell, *arguments))], cwd=ROOT, capture_output=True, text=True, timeout=300)
    return result.returncode, result.stdout, result.stderr


def predictions(folder):
    files = sorted(folder.rglob('*.png'))
    return {str(file.relative_to(folder)): np.asarray(Image.open(file)) for file in files}


def test_scores_are_those_of_the_written_predictions(run, tmp_path):
    """Files and table must tell the same: the palette PNGs scored by hand give the printed mIoU."""
    scores = main(
        [str(run), '--eval', 'mIoU', '--show-dir', str(tmp_path / 'preds'), '--opacity', '1', '--device', 'cpu']
    )
    written = predictions(tmp_path / 'preds')
    assert sorted(written) == [
        'aachen/aachen_000001_leftImg8bit.png',
        'bochum/bochum_000000_leftImg8bit.png',
        'bochum/bochum_000002_leftImg8bit.png',
    ]
    matrix = 0
    for name, prediction in written.items():
        label = tmp_path / 'data/gtFine/val' / name.replace('leftImg8bit', 'gtFine_labelTrainIds')
        matrix += confusion_matrix(torch.tensor(prediction), torch.tensor(np.asarray(Image.open(label))), 3)
    assert scores['mIoU'] == pytest.approx(100 * present_mean(class_scores(matrix)['IoU']).item())
    result = json.loads((run / 'eval_latest.json').read_text())
    assert result['scores']['mIoU'] == pytest.approx(scores['mIoU'], abs=1e-4)
    assert result['scores']['mIoU2'] == pytest.approx((scores['IoU.road'] + scores['IoU.sky']) / 2, abs=1e-4)
    assert (result['iteration'], result['images']) == (7, 3)


def test_teacher_and_student_are_told_apart(run, tmp_path):
    def shown(name, *options):
        main([str(run), '--show-dir', str(tmp_path / name), '--opacity', '1', '--device', 'cpu', *options])
        return predictions(tmp_path / name)

    as_student, as_teacher = shown('student'), shown('teacher', '--ema')
    assert any((as_student[name] != as_teacher[name]).any() for name in as_student)
    torch.save({'state_dict': tiny_run.student(seed=1).state_dict()}, run / 'latest.pth')
    bare = shown('bare')
    assert all((bare[name] == as_teacher[name]).all() for name in bare)


def test_modes_and_augmentation_run_and_are_named_in_the_result(run):
    plain = main([str(run), '--eval', 'mIoU', '--device', 'cpu'])
    slide = main([str(run), '--eval', 'mIoU', '--inference-mode', 'slide', '--device', 'cpu'])
    tta = main([str(run), '--eval', 'mIoU', 'mFscore', '--tta', '--device', 'cpu'])
    assert {'eval_latest.json', 'eval_latest_slide.json', 'eval_latest_tta.json'} <= {
        file.name for file in run.iterdir()
    }
    assert len({plain['aAcc'], slide['aAcc'], tta['aAcc']}) == 3
    assert 'mRecall' in tta
    # The same images in windows that hold them whole: no difference.
    same = main([str(run), '--eval', 'mIoU', '--cfg-options', 'model.test_cfg.mode=slide',
                 'model.test_cfg.crop_size=12,16', 'model.test_cfg.stride=12,16', '--device', 'cpu'])  # fmt: skip
    assert same == pytest.approx(plain, nan_ok=True)


def test_test_set_without_labels(run, tmp_path):
    tiny_run.write_images(tmp_path / 'data', 'test', count=2, labels=False)
    main(
        [
            str(run),
            '--test-set',
            '--format-only',
            '--train-ids',
            '--out-dir',
            str(tmp_path / 'server'),
            '--device',
            'cpu',
        ]
    )
    written = predictions(tmp_path / 'server')
    assert sorted(written) == ['aachen_000001_leftImg8bit.png', 'bochum_000000_leftImg8bit.png']
    assert all(set(np.unique(ids)) <= {0, 1, 2} and ids.shape == tiny_run.SIZE for ids in written.values())
    old = ['--eval-option', f'imgfile_prefix={tmp_path / "old"}', 'to_label_id=True']
    main([str(run), '--test-set', '--format-only', *old, '--device', 'cpu'])
    label_ids = np.array([7, 23, 26])
    for name, ids in predictions(tmp_path / 'old').items():
        np.testing.assert_array_equal(ids, label_ids[written[name]])


def test_best_is_opt_in(run):
    torch.save({'state_dict': tiny_run.student(seed=5).state_dict(), 'meta': {'iter': 3}}, run / 'best_mIoU_iter_3.pth')
    main([str(run), '--eval', 'mIoU', '--best', '--device', 'cpu'])
    main([str(run), '--eval', 'mIoU', '--device', 'cpu'])
    assert json.loads((run / 'eval_best_mIoU_iter_3.json').read_text())['iteration'] == 3
    assert json.loads((run / 'eval_latest.json').read_text())['iteration'] == 7


def test_several_processes_give_the_scores_of_one(run, monkeypatch):
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    alone = main([str(run), '--eval', 'mIoU', '--device', 'cpu'])
    config = run / f'{run.name}.py'
    code, out, err = command(
        'tools/dist_test.sh', config, run / 'latest.pth', 2, '--eval', 'mIoU', '--device', 'cpu',
        '--out', run / 'two.json', shell=['bash'],
    )  # fmt: skip
    assert code == 0, err
    assert out.count('Summary') + err.count('Summary') == 1
    assert json.loads((run / 'two.json').read_text())['scores']['mIoU'] == pytest.approx(alone['mIoU'], abs=1e-4)


@pytest.mark.skipif(shutil.which('dash') is None, reason='the plain shell of Debian')
@pytest.mark.parametrize('slash', ['', '/', '//'])
def test_shell_command_runs_under_plain_sh(run, slash):
    code, out, err = command(
        'test.sh', f'{run}{slash}', '--device', 'cpu', shell=['env', f'PYTHON={sys.executable}', 'dash']
    )
    assert code == 0, err
    assert 'mIoU' in out + err
    assert len(predictions(run / 'preds')) == 3
    assert (run / 'eval_latest.json').is_file()


@pytest.mark.parametrize(
    ('broken', 'message'),
    [
        ('folder', 'no such run folder'),
        ('config', 'no config (.py, .json) in it'),
        ('checkpoint', 'latest.pth: no such checkpoint'),
    ],
)
def test_shell_command_says_what_is_missing_in_one_line(run, broken, message):
    if broken == 'folder':
        run = run / 'nowhere'
    elif broken == 'config':
        (run / 'tiny.py').unlink()
    else:
        (run / 'latest.pth').unlink()
    code, out, err = command('test.sh', run, shell=['env', f'PYTHON={sys.executable}', 'sh'])
    assert code == 1
    assert message in err
    assert len((out + err).strip().splitlines()) == 1


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([], 'give at least one of --eval, --format-only, --show-dir, --out'),
        (['--eval', 'mIoU', '--format-only'], 'needs no labels'),
        (['--show-dir', 'x', '--opacity', '2'], '--opacity 2.0: expected'),
        (['--eval', 'mIoU', '--eval-options', 'a=1'], '--eval-options a: there are imgfile_prefix'),
    ],
)
def test_wrong_use(run, arguments, message, capsys):
    with pytest.raises(SystemExit):
        main([str(run), *arguments])
    assert message in capsys.readouterr().err


def test_errors_are_one_line_and_name_the_file(run, tmp_path):
    other = tmp_path / 'other.pth'
    torch.save({'state_dict': tiny_run.student(classes=5).state_dict()}, other)
    config = run / 'tiny.py'
    for arguments, message in (
        ([config, other, '--eval', 'mIoU'], f'error: {other}: checkpoint has 5 classes, the config 3'),
        ([config, run, '--eval', 'mAP'], "error: unknown metric 'mAP'; there are mIoU, mDice, mFscore"),
        ([config, run, '--eval', 'mIoU', '--best'], f'error: {run}: no best_*.pth'),
        ([config, run, '--eval', 'mIoU', '--device', 'gpu'], "error: 'gpu' is no device; there are cpu, cuda"),
        ([config, tmp_path / 'no.pth', '--eval', 'mIoU'], f'error: {tmp_path / "no.pth"}: no such checkpoint'),
    ):
        code, out, err = command('-m', 'tools.test', *arguments, shell=[sys.executable])
        assert code == 1
        assert message in err
        assert len((out + err).strip().splitlines()) == 1, err
    labels = tmp_path / 'data/gtFine/val/bochum'
    Image.fromarray(np.zeros((5, 7), np.uint8)).save(labels / 'bochum_000000_gtFine_labelTrainIds.png')
    code, _, err = command('tools/test.py', config, run, '--eval', 'mIoU', '--device', 'cpu', shell=[sys.executable])
    assert code == 1
    assert 'bochum_000000_gtFine_labelTrainIds.png' in err.strip().splitlines()[-1]
    assert '7x5' in err
