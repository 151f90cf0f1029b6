import re
from pathlib import Path

import pytest

import run_experiments
from experiments import EXPERIMENTS, HRDA
from mmseg.engine.config import load_config
from mmseg.experiments import dated_runs, training_name


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Run in an empty folder; trainings are only noted down, and done at once."""
    monkeypatch.chdir(tmp_path)
    done = []

    def train(cfg, dry_run=False):
        done.append(cfg)
        Path(cfg.work_dir).mkdir(parents=True, exist_ok=True)
        (Path(cfg.work_dir) / f'iter_{cfg.train_cfg.max_iters}.pth').touch()
        return True

    monkeypatch.setattr('mmseg.engine.training.train', train)
    return done


def test_all_trainings_one_after_the_other(trained):
    run_experiments.main(['--exp', '80', '--machine', 'box'])
    assert len(trained) == 12
    for cfg, training in zip(trained, EXPERIMENTS[80](), strict=True):
        assert re.fullmatch(
            rf'work_dirs/box-exp80/\d{{6}}_\d{{4}}_{training_name(training)}_[0-9a-f]{{5}}', cfg.work_dir
        )
        assert cfg.seed == training.seed and cfg.exp == '80' and cfg.name == Path(cfg.work_dir).name


def test_startup_test_is_short_and_elsewhere(trained):
    run_experiments.main(['--exp', '80', '--startup-test'])
    assert [cfg.train_cfg.max_iters for cfg in trained] == [2] * 4
    assert all(cfg.work_dir.startswith('work_dirs/local-exp80-startup/') and cfg.seed == 0 for cfg in trained)


def test_resume_finishes_what_is_not(trained, capsys):
    run_experiments.main(['--exp', '7'])
    (Path(trained[1].work_dir) / 'iter_40000.pth').unlink()
    first = [cfg.work_dir for cfg in trained]
    trained.clear()
    run_experiments.main(['--exp', '7', '--resume'])
    assert [(cfg.work_dir, cfg.resume) for cfg in trained] == [(first[1], True)]
    assert capsys.readouterr().out.count('finished: ') == 2


def test_resumed_trainings_keep_their_options(trained, capsys):
    run_experiments.main(
        ['--exp', '7', '--cfg-options', 'train_cfg.max_iters=123', 'train_dataloader.batch_size=7', 'name=mine']
    )
    begun = list(trained)
    (Path(begun[1].work_dir) / 'iter_123.pth').unlink()
    trained.clear()
    run_experiments.main(['--exp', '7', '--resume'])
    assert capsys.readouterr().out.count('finished: ') == 2
    [cfg] = trained
    assert (cfg.train_cfg.max_iters, cfg.train_dataloader.batch_size) == (123, 7)
    assert (cfg.name, cfg.work_dir, cfg.seed) == (begun[1].name, begun[1].work_dir, begun[1].seed)
    assert cfg.name == Path(cfg.work_dir).name


def test_options_given_with_resume_change_the_rest(trained, capsys):
    run_experiments.main(['--exp', '7', '--cfg-options', 'train_cfg.max_iters=123', 'train_dataloader.batch_size=7'])
    first = [cfg.work_dir for cfg in trained]
    trained.clear()
    run_experiments.main(['--exp', '7', '--resume', '--cfg-options', 'train_cfg.max_iters=200', 'name=mine'])
    assert 'finished: ' not in capsys.readouterr().out
    for cfg, work_dir in zip(trained, first, strict=True):
        assert (cfg.work_dir, cfg.name) == (work_dir, Path(work_dir).name)
        assert (cfg.train_cfg.max_iters, cfg.train_dataloader.batch_size) == (200, 7)


@pytest.mark.parametrize('what', [['--exp', '7'], ['--config', 'configs/demo/dacs.py']])
def test_a_startup_test_is_not_resumed(trained, what):
    run_experiments.main(what)
    trained.clear()
    with pytest.raises(ValueError, match='--resume and --startup-test exclude each other'):
        run_experiments.main([*what, '--resume', '--startup-test'])
    assert not trained


@pytest.mark.parametrize('wrong', [['--cfg-options', 'seed.number=3'], ['--dry-run']])
def test_only_runs_are_found_again(trained, wrong):
    run_experiments.main(['--exp', '7'])
    first = [cfg.work_dir for cfg in trained]
    for work_dir in first:
        (Path(work_dir) / 'iter_40000.pth').unlink()
    if '--dry-run' in wrong:
        run_experiments.main(['--exp', '7', *wrong])
    else:
        with pytest.raises(ValueError, match='--cfg-options do not fit'):
            run_experiments.main(['--exp', '7', *wrong])
    trained.clear()
    run_experiments.main(['--exp', '7', '--resume'])
    assert [cfg.work_dir for cfg in trained] == first


def test_a_training_has_a_folder_of_its_own(trained):
    with pytest.raises(ValueError, match='--cfg-options work_dir: dated runs have folders of their own'):
        run_experiments.main(['--exp', '7', '--cfg-options', 'work_dir=mine'])
    assert not list(Path().rglob('*.py'))


def test_list_only_prints(trained, capsys):
    run_experiments.main(['--exp', '85', '--list'])
    assert not trained
    assert capsys.readouterr().out.splitlines() == [
        f'cs2cs_dacs_srconly_m32-07-sps_daformer_sepaspp_mitb5_poly10warm_s{seed}' for seed in range(3)
    ]


def test_a_grid_of_ones_own(trained, tmp_path, monkeypatch):
    monkeypatch.setattr('experiments.EXPERIMENTS', dict(EXPERIMENTS))
    grid = tmp_path / 'mine.py'
    grid.write_text(
        'from dataclasses import replace\n'
        'from experiments import HRDA, experiment\n\n\n'
        "@experiment('mine')\n"
        'def lower_temperature():\n'
        '    yield replace(HRDA, rcs=0.1)\n'
    )
    run_experiments.main(['--exp', 'mine', '--grid', str(grid), '--cfg-options', 'train_cfg.max_iters=7'])
    assert [cfg.train_dataloader.dataset.rare_class_sampling.class_temp for cfg in trained] == [0.1]
    assert trained[0].train_cfg.max_iters == 7


def test_unknown_experiment(trained):
    with pytest.raises(ValueError, match='no experiment 9; known: 1, 2'):
        run_experiments.main(['--exp', '9'])


def test_a_generated_file_is_a_child_of_the_repositorys_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = dated_runs.generate_training(HRDA, 40, 'local')
    text = file.read_text()
    assert text.startswith('_base_ = [\n') and 'configs/_base_/default_runtime.py' in text
    assert load_config(file).model.type == 'HRDAEncoderDecoder'


def test_with_options_a_generated_file_is_the_whole_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    child = load_config(dated_runs.generate_training(HRDA, 40, 'local')).to_dict()
    whole = load_config(dated_runs.generate_training(HRDA, 40, 'local', {'train_cfg.max_iters': 9})).to_dict()
    own = ('name', 'work_dir', 'git_rev')
    child['train_cfg']['max_iters'] = 9
    assert {key: whole[key] for key in whole if key not in own} == {key: child[key] for key in child if key not in own}
