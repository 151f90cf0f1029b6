import os
import re
from pathlib import Path

import pytest

from mmseg.engine.config import load_config
from mmseg.experiments import dated_runs


@pytest.fixture
def base(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'configs').mkdir()
    (tmp_path / 'configs' / 'base.py').write_text(
        "model = dict(type='X')\ntrain_cfg = dict(max_iters=5)\nexp = 'basic'\n"
    )
    return 'configs/base'


def test_a_run_is_a_dated_child_config(base):
    path = dated_runs.generate(base, 'local')
    assert re.fullmatch(r'configs/generated/local-basic/\d{6}_\d{4}_base_[0-9a-f]{5}\.py', path.as_posix())
    assert '_base_' in path.read_text()
    cfg = load_config(path)
    assert cfg.name == path.stem
    assert cfg.work_dir == f'work_dirs/local-basic/{path.stem}'
    assert cfg.train_cfg.max_iters == 5


def test_options_are_in_the_generated_config(base):
    path = dated_runs.generate(base, 'box', {'train_cfg.max_iters': 2}, '-startup')
    assert path.parent.name == 'box-basic-startup'
    assert load_config(path).train_cfg.max_iters == 2


def test_the_newest_or_a_named_run_is_resumed(base):
    first, second = dated_runs.generate(base, 'local'), dated_runs.generate(base, 'local')
    os.utime(first, (1, 1))
    assert dated_runs.find_run(base, 'local', True).name == second.stem
    cfg = dated_runs.find_run(base, 'local', f'work_dirs/local-basic/{first.stem}')
    assert cfg.name == first.stem
    assert cfg.resume is True
    with pytest.raises(FileNotFoundError, match='no run 240101_0000_base_abcde of configs/base'):
        dated_runs.find_run(base, 'local', '240101_0000_base_abcde')
    with pytest.raises(FileNotFoundError, match='no run of configs/base in configs/generated/elsewhere-basic'):
        dated_runs.find_run(base, 'elsewhere', True)


def test_a_run_that_failed_at_its_start_is_not_resumed(base, capsys):
    first, second = dated_runs.generate(base, 'local'), dated_runs.generate(base, 'local')
    os.utime(first, (1, 1))
    folder = Path(load_config(first).work_dir)
    folder.mkdir(parents=True)
    (folder / 'latest.pth').touch()
    assert dated_runs.find_run(base, 'local', True).name == first.stem
    assert f'Resuming {first.stem}; later runs have no checkpoint: {second.stem}' in capsys.readouterr().out


@pytest.mark.parametrize('options', [{'name': 'mine'}, {'exp': 'own'}, {'name': 'mine', 'exp': 'own'}])
def test_a_run_whose_options_name_it_is_resumed(base, options):
    run = dated_runs.generate(base, 'box', {**options, 'train_cfg.max_iters': 3})
    dated_runs.generate(base, 'box')
    same = dated_runs.find_run(base, 'box', True, options)
    by_folder = dated_runs.find_run(base, 'local', f'work_dirs/{run.parent.name}/{run.stem}/')
    by_name = dated_runs.find_run(base, 'local', run.stem, {'train_cfg.max_iters': 7, 'name': 'another'})
    for cfg, length in ((same, 3), (by_folder, 3), (by_name, 7)):
        assert cfg.resume is True and cfg.train_cfg.max_iters == length
        assert cfg.name == run.stem and cfg.exp == options.get('exp', 'basic')
        assert cfg.work_dir == f'work_dirs/{run.parent.name}/{run.stem}'


def test_generated_files_that_are_no_runs_are_not_resumed(base):
    folder = dated_runs.generate(base, 'local').parent
    (folder / 'chain_stages.py').write_text('stages = dict()\n')
    with pytest.raises(FileNotFoundError, match='no run chain_stages of configs/base in configs/generated to resume'):
        dated_runs.find_run(base, 'local', 'chain_stages')


def test_a_dated_run_keeps_its_own_folder(base):
    dated_runs.generate(base, 'local')
    for start in (dated_runs.generate, lambda *words: dated_runs.find_run(*words[:2], True, words[2])):
        with pytest.raises(ValueError, match='--cfg-options work_dir: dated runs have folders of their own'):
            start(base, 'local', {'work_dir': 'mine'})
