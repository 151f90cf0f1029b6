import json
import re

import numpy as np
import pytest

from mmseg.visualization.report import load_runs, render_report
from mmseg.visualization.report.picture_section import PictureSection
from tests.visualization.report_runs import CLASSES, NASTY, Page, config, matrix, rows, write_run

SECTIONS = ['overview', 'curves', 'classes', 'confusion', 'pictures', 'configs', 'reproduce']


def report(*folders):
    runs = load_runs(folders)
    return Page(render_report(runs, PictureSection(), 'python tools/report.py x'))


@pytest.fixture
def pair(tmp_path):
    first = write_run(tmp_path / 'base', rows(), config(), matrix(), miou=50.0)
    uda = {'type': 'DACS', 'feature_distance': {'weight': 0.005}, 'teacher': {'alpha': 0.99}}
    second = write_run(tmp_path / 'ours', rows(scale=0.5), config(uda=uda), matrix(60), miou=48.75)
    return first, second


def test_sections_and_numbers_of_a_comparison(pair):
    page = report(*pair)
    assert [name for name in page.ids if name in SECTIONS] == SECTIONS
    overview = page.text('overview')
    for text in (
        '50.00 mIoU',
        '48.75 mIoU −1.25',
        'student, last iterate (iteration 200), 4 images',
        '0.25 s',
        '900 MiB',
        'DACS with feature distance',
        'DAFormerHead on mit_b5',
        'GTA → Cityscapes',
    ):
        assert text in overview
    assert 'selected with the labels of the target domain' in overview
    assert 'highest validation during training, selected with labels 100 44.00' in overview
    classes = page.text('classes')
    assert 'road 98.3 % 81.2 81.2 +0.0' in classes
    assert f'{NASTY} 1.2 % 50.0 48.8 −1.2' in classes
    assert re.search(r'car \S+ % – – –', classes)
    assert 'mIoU 50.0 48.8 −1.2' in classes
    assert 'uda.feature_distance.weight – 0.005' in page.text('configs')
    assert 'work_dir' not in page.text('configs').split('whole config')[0]
    reproduce = page.text('reproduce')
    assert 'abc123-dirty' in reproduce
    assert f'python tools/train.py {pair[1]}/config.py --work-dir {pair[1]}_again' in reproduce


def test_confusions_in_words(pair):
    text = report(*pair).text('confusion')
    assert f'50 % of {NASTY} pixels are called road (50 pixels)' in text
    assert f'25 % of car pixels are called {NASTY} (10 pixels; base: 25 %)' in text


def test_nothing_is_loaded_and_nothing_escapes(tmp_path):
    folder = write_run(tmp_path / NASTY, rows(), config(), matrix())
    html = render_report(load_runs([folder]), PictureSection(), f'python tools/report.py {NASTY}')
    page = Page(html)
    assert all(address.startswith(('data:', '#')) for address in page.addresses)
    assert not re.search(r'https?:|@import|url\(', html)
    assert '<b> &' not in html
    assert 'link' not in page.tags
    assert "default-src 'none'" in html
    assert page.text('overview').count(NASTY) >= 2


def test_hover_data_are_the_logs_numbers(pair):
    html = render_report(load_runs(pair), PictureSection())
    [loss] = [json.loads(text) for text in re.findall(r"decode\.loss_seg over iterations\" data-hover='([^']*)'", html)]
    assert [line['x'] for line in loss['lines']] == [[1, 50, 100, 150, 200]] * 2
    assert loss['lines'][1]['y'] == [50.0, 1.0, 0.5, 0.33333, 0.25]


def test_seeds_are_taken_together(tmp_path):
    folders = [
        write_run(tmp_path / f'ours_s{seed}', rows(), config(seed), miou=miou) for seed, miou in ((0, 50.0), (1, 52.0))
    ]
    other = write_run(tmp_path / 'base', rows(), config(train_cfg={'max_iters': 100}), miou=40.0)
    text = report(*folders, other).text('overview')
    assert 'ours 2 51.00 ± 1.41' in text
    assert 'base 1 40.00 60.00' in text
    assert 'Seeds together' not in report(folders[0], other).text('overview')


def test_a_run_that_is_not_finished(tmp_path):
    folder = write_run(tmp_path / 'young', rows(last=50, val=False), config(), miou=None)
    page = report(folder)
    assert 'not evaluated yet' in page.text('overview')
    assert 'not finished: 50 of 200 iterations' in page.text('overview')
    assert 'hold no validation' in page.text('curves')
    assert 'decode.loss_seg' in page.text('curves')
    for section in ('overview', 'classes', 'confusion'):
        assert 'young has no checkpoint (latest.pth) to evaluate' in page.text(section)
        assert 'sh test.sh' not in page.text(section)
    (folder / 'latest.pth').write_bytes(b'')
    assert f'sh test.sh {folder}' in report(folder).text('confusion')


def test_validation_stands_in_for_a_missing_evaluation_and_is_named_so(tmp_path):
    folder = write_run(tmp_path / 'run', rows(), config(), miou=None)
    text = report(folder).text('overview')
    assert '41.50 mIoU validation during training, iteration 200' in text
    assert '44.00 mIoU' not in text


def test_an_evaluation_from_before_matrices_were_kept(tmp_path):
    folder = write_run(tmp_path / 'run', rows(), config())
    page = report(folder)
    assert 'An evaluation keeps the confusion matrix; there is none yet of run.' in page.text('confusion')
    assert '81.2' in page.text('classes')


def test_what_is_broken_is_named(tmp_path):
    folder = write_run(tmp_path / 'run', rows(last=400), None, matrix())
    with (folder / 'log.jsonl').open('a') as log:
        log.write('{"mode": "tr')
    (folder / 'eval_latest_tta.json').write_text('{"scores"')
    text = report(folder).text('overview')
    assert '1 line of' in text and 'could not be read and is left out' in text
    assert 'no config file in its folder' in text
    assert 'eval_latest_tta.json: broken JSON' in text
    assert 'its evaluation is of iteration 200, the training has come to 400 since' in text
    (folder / 'config.py').write_text('model = dict(')
    assert 'cannot be read: SyntaxError' in report(folder).text('overview')


def test_the_config_in_the_log_replaces_a_lost_file(tmp_path):
    log = rows()
    log[0]['config'] = config().pretty_text
    folder = write_run(tmp_path / 'run', log, None)
    text = report(folder).text('overview')
    assert 'shown is the copy in its log' in text
    assert 'DAFormerHead on mit_b5' in text


def test_other_evaluations_are_told_apart(tmp_path):
    folder = write_run(tmp_path / 'run', rows(val=False), config())
    scores = {'mIoU': 55.5}
    for name, entries in (
        ('eval_latest_ema.json', {'options': ['ema', 'tta'], 'iteration': 200}),
        ('eval_best_mIoU_iter_100.json', {'checkpoint': 'x/best_mIoU_iter_100.pth', 'iteration': 100}),
    ):
        (folder / name).write_text(json.dumps({'scores': scores, **entries}))
    text = report(folder).text('overview')
    assert 'teacher, test-time augmentation 200 55.50' in text
    assert 'best checkpoint, selected with labels 100 55.50' in text
    assert '55.50 mIoU' not in text


def test_different_tests_are_pointed_out(tmp_path):
    first = write_run(tmp_path / 'a', rows(), config())
    second = write_run(tmp_path / 'b', rows(), config(), images=7)
    assert 'different numbers of test images (a 4; b 7)' in report(first, second).text('overview')


def test_many_classes(tmp_path):
    names = [f'class {number}' for number in range(60)]
    counts = np.diag(np.arange(60)) + 1
    scores = {'mIoU': 1.0, **{f'IoU.{name}': 1.0 for name in names}}
    folder = write_run(tmp_path / 'run', rows(), None, miou=None)
    content = {'scores': scores, 'classes': names, 'confusion_matrix': counts.tolist()}
    (folder / 'eval_latest.json').write_text(json.dumps(content))
    page = report(folder)
    assert 'class 59' in page.text('confusion')


def test_runs_are_found_and_named(tmp_path):
    for name in ('first/a', 'second/a', 'second/b'):
        write_run(tmp_path / name, rows(), config())
    runs = load_runs([tmp_path / 'first', tmp_path / 'second'])
    assert [run.name for run in runs] == ['first/a', 'second/a', 'b']
    with pytest.raises(ValueError, match='named twice'):
        load_runs([tmp_path / 'first' / 'a', tmp_path / 'first'])
    with pytest.raises(FileNotFoundError, match='nothing: no such run folder'):
        load_runs([tmp_path / 'nothing'])
    assert runs[0].result is not None and runs[0].result.classes == CLASSES
