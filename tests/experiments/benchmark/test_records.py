"""Records: written, read, made from folders that were run with or without the harness."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import run_experiments
from mmseg.engine.config import load_config
from mmseg.experiments import process, running
from mmseg.experiments.benchmark import pictures
from mmseg.experiments.benchmark.camvid import CAMVID
from mmseg.experiments.benchmark.demo import DEMO
from mmseg.experiments.benchmark.records import read_row_record, read_row_records
from mmseg.experiments.benchmark.training_log import TrainingLog
from tests.experiments.benchmark.acted import Commands, write_log, write_scores
from tests.experiments.benchmark.made import record
from tools import record_results


@pytest.fixture
def commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('data/demo').mkdir(parents=True)
    acted = Commands()
    monkeypatch.setattr(process, 'run_command', acted)
    monkeypatch.setattr(running, 'git_state', lambda: 'a' * 12)
    return acted


def test_a_record_is_read_as_it_was_written(tmp_path):
    written = record('ddb', 1, test=40.125, test_r1_cu=39.0)
    path = tmp_path / 'demo' / 'ddb_s1.json'
    written.write(path)
    assert read_row_record(path) == written
    assert read_row_record(path).tests['test'].iou == {'road': 41.125, 'car': None}
    assert [one.path for one in read_row_records(path.parent)] == [path]
    assert path.stat().st_size < 3000


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('{', 'not a result record'),
        ('[]', 'not a result record'),
        ('{"format": 1, "row": "dacs"}', 'not a result record'),
        (None, 'a record of format 2, this version reads format 1'),
    ],
)
def test_files_that_are_no_records(tmp_path, text, message):
    path = tmp_path / 'dacs_s0.json'
    record('dacs', test=1.0).write(path)
    path.write_text(path.read_text().replace('"format": 1', '"format": 2') if text is None else text)
    with pytest.raises(ValueError, match=message) as caught:
        read_row_record(path)
    assert str(path) in str(caught.value)


def test_thinned_logs_keep_the_last_window():
    log = TrainingLog({}, [{'mode': 'train', 'iter': number, 'loss': 1.23456789} for number in range(1, 31)])
    kept = [json.loads(line) for line in log.thinned('adapt', 4)]
    assert [row['iter'] for row in kept] == [8, 15, 22, 30]
    assert kept[0] == {'stage': 'adapt', 'iter': 8, 'loss': 1.235}
    assert len(log.thinned('adapt', 100)) == 30


def test_folders_that_were_run_already_are_recorded(commands, capsys):
    run_experiments.main(['--exp', 'demo', '--preset', 'cpu', '--rows', 'dacs', 'minent'])
    shutil.rmtree('docs')
    (Path('work_dirs/local-demo/minent_s0/test') / 'stage.json').unlink()
    folders = ['work_dirs/local-demo/dacs_s0', 'work_dirs/local-demo/minent_s0', 'work_dirs/nothing']
    with pytest.raises(ValueError) as caught:
        record_results.main(folders)
    # The others are recorded nevertheless.
    assert 'minent_s0: stage test is not finished, so there is nothing to record yet' in str(caught.value)
    assert 'work_dirs/nothing: no such folder' in str(caught.value)
    assert [one.name for one in read_row_records(Path('docs/results/demo'))] == ['dacs_s0']
    assert 'dacs_s0: mIoU 40.0, 2.00 iterations/s' in capsys.readouterr().out


def test_another_run_of_a_row_replaces_its_record(commands, capsys):
    words = ['--exp', 'demo', '--preset', 'cpu', '--rows', 'minent']
    run_experiments.main(words)
    commands.scores = {'minent_s0/test': 55.0}
    run_experiments.main([*words, '--machine', 'other'])
    assert 'docs/results/demo/minent_s0.json: replaced' in capsys.readouterr().out
    assert read_row_record(Path('docs/results/demo/minent_s0.json')).score() == 55.0


def test_folders_that_are_no_rows(commands):
    run_experiments.main(['--exp', 'demo', '--preset', 'cpu', '--rows', 'minent'])
    folder = Path('work_dirs/local-demo/minent_s0')
    for name, message in (
        ('minent', 'not the folder of a row'),
        ('minant_s0', 'demo has no row minant'),
        ('minent_s3', 'stage train was trained with seed 0'),
    ):
        other = folder.with_name(name)
        shutil.copytree(folder, other)
        with pytest.raises(ValueError, match=message):
            record_results.main([str(other)])
    (folder / 'train' / 'log.jsonl').unlink()
    with pytest.raises(ValueError, match=r'train/log.jsonl: no such file'):
        record_results.main([str(folder)])


def plain_run(folder: Path, config: str, miou: float, tested: int = 4000) -> None:
    folder.mkdir(parents=True)
    resolved = load_config(config, {'seed': 1})
    write_log(folder, seed=1, started='2026-11-21 09:00:00', config=resolved.pretty_text)
    write_scores(folder / 'eval_latest.json', miou, [], config, tested)
    write_scores(folder / 'eval_latest_adapt_bn.json', miou + 1, ['--adapt-bn'], config, tested)
    write_scores(folder / 'eval_latest_tta.json', miou + 2, ['--tta'], config, tested)


def test_a_training_without_the_harness_is_recorded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path('docs/results/camvid/source_only_daformer_s1')
    plain_run(folder, 'configs/camvid/source_only_daformer.py', 50.0)
    record_results.main([str(folder)])
    found = read_row_record(Path('docs/results/camvid/source_only_s1.json'))
    assert (found.row, found.seed, found.preset, found.iterations) == ('source_only', 1, 'cpu', 4000)
    assert {name: one.miou for name, one in found.tests.items()} == {'test': 50.0, 'test_adabn': 51.0}
    assert found.trainings['train'].changes == ('seed 0 -> 1',)
    # The whole log lies there already.
    assert found.log == 'source_only_daformer_s1/log.jsonl'
    shutil.copytree(folder, 'elsewhere')
    record_results.main(['elsewhere'])
    assert read_row_record(found.path) == found
    plain_run(Path('short'), 'configs/camvid/dacs_daformer.py', 50.0, tested=3000)
    with pytest.raises(ValueError, match='trained for 4000 iterations, tested at 3000'):
        record_results.main(['short'])
    plain_run(Path('other'), 'configs/camvid/dacs_dlv2.py', 50.0)
    with pytest.raises(ValueError, match=r'configs/camvid/dacs_dlv2.py is the config of no row'):
        record_results.main(['other'])


def test_a_training_is_recognised_when_its_folder_was_tested(tmp_path, monkeypatch):
    """``tools.test work_dirs/RUN`` names the copy of the config in the folder, not the file in configs/."""
    monkeypatch.chdir(tmp_path)
    run = Path('work_dirs/mine')
    plain_run(run, 'configs/camvid/source_only_daformer.py', 50.0)
    write_scores(run / 'eval_latest.json', 50.0, [], str(run / 'source_only_daformer.py'), 4000)
    record_results.main([str(run)])
    found = read_row_record(Path('docs/results/camvid/source_only_s1.json'))
    assert found.trainings['train'].config == 'configs/camvid/source_only_daformer.py'
    assert found.trainings['train'].changes == ('seed 0 -> 1',)


def test_photographs_of_others_are_not_kept():
    assert pictures.is_kept(DEMO, record('mic', 0, test=40.0))
    assert not pictures.is_kept(CAMVID, record('mic', 0, test=40.0))


def test_predictions_are_kept_small(commands, monkeypatch):
    def predicted(folder, count):
        assert folder == Path('work_dirs/local-demo/minent_s0/train') and count == 3
        maps = [np.full((256, 512), number, np.uint8) for number in range(count)]
        images = [np.full((256, 512, 3), 40 * number, np.uint8) for number in range(count)]
        return images, maps, [one + 1 for one in maps], {'palette': [[10 * i, 0, 0] for i in range(19)]}

    words = ['--exp', 'demo', '--preset', 'cpu', '--rows', 'minent', 'pmdav2_plain', '--seeds', '0', '1']
    run_experiments.main(words)
    assert read_row_record(Path('docs/results/demo/minent_s0.json')).picture == ''
    # They are made up for when the checkpoint can be read.
    monkeypatch.setattr(pictures, 'predict_samples', predicted)
    run_experiments.main(words)
    place = Path('docs/results/demo')
    found = {one.name: one.picture for one in read_row_records(place)}
    assert found == {'minent_s0': 'pictures/minent_s0.png', 'minent_s1': '', 'pmdav2_plain_s0': '',
                     'pmdav2_plain_s1': ''}  # fmt: skip
    assert sorted(path.name for path in (place / 'pictures').iterdir()) == ['images.jpg', 'minent_s0.png', 'truth.png']
    from PIL import Image

    with Image.open(place / found['minent_s0']) as kept:
        assert kept.size == (3 * 256, 128) and kept.mode == 'P'
        assert [kept.getpixel((x, 64)) for x in (0, 256, 767)] == [1, 2, 3]
    # The same run keeps them when its checkpoint is gone; another run does not.
    monkeypatch.setattr(pictures, 'predict_samples', no_checkpoint)
    (place / 'minent_s0.json').write_text((place / 'minent_s0.json').read_text().replace('"abc"', '"abd"'))
    record_results.main(['work_dirs/local-demo/minent_s0'])
    again = read_row_record(place / 'minent_s0.json')
    assert again.environment['git'] == 'abc' and again.picture
    run_experiments.main(['--exp', 'demo', '--preset', 'cpu', '--rows', 'minent', '--machine', 'other',
                          '--results', 'docs/results', '--cfg-options', 'uda.entropy_weight.main=0.5'])  # fmt: skip
    assert read_row_record(place / 'minent_s0.json').picture == ''


def no_checkpoint(folder, count):
    raise FileNotFoundError('no checkpoint')
