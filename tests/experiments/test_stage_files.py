"""The experiments of several stages in configs/."""

import functools
from pathlib import Path

import pytest

from mmseg.engine.config import load_config
from mmseg.engine.errors import ROOT
from mmseg.engine.training import train
from mmseg.experiments.plan import Plan
from mmseg.experiments.running import places
from mmseg.experiments.stages import read_experiment

FILES = sorted((ROOT / 'configs').rglob('*_stages.py'))


@pytest.mark.parametrize('file', FILES, ids=lambda file: file.stem)
def test_every_reference_and_config_is_there(file, monkeypatch):
    monkeypatch.chdir(ROOT)
    experiment = read_experiment(file)
    plan = Plan(experiment, places(experiment, 'no-such-machine'))
    assert plan.wanted == set(experiment.stages)
    for stage in experiment.stages.values():
        command = plan.command(stage)
        assert Path(command[1]).is_file() and '{' not in ''.join(command)
        if stage.kind == 'tool' and stage.output:
            assert str(plan.output(stage.name)) in command


@pytest.mark.parametrize('name', ['proca/gta5_deeplabv2_r101', 'proca/synthia_deeplabv2_r101', 'demo/proca'])
def test_proca_hands_everything_over(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    experiment = read_experiment(f'configs/{name}_stages.py')
    plan = Plan(experiment, places(experiment, 'no-such-machine'))
    folder = plan.places.folder

    def config(stage):
        stage = experiment.stages[stage]
        return load_config(stage.config, plan.fill(stage.all_options, stage.name))

    assert not config('warmup').get('load_from')
    adapt = config('adapt')
    assert adapt.load_from == f'{folder}/warmup/latest.pth'
    assert adapt.uda.prototypes == f'{folder}/prototypes/prototypes'
    # The last stage begins from ImageNet weights, on small data from the adapted network; its images keep their folder.
    last = config('self_training')
    prefix = last.train_dataloader.dataset.data_prefix
    assert prefix.seg_map_path == f'{folder}/pseudo_labels/labels' and 'leftImg8bit/train' in prefix.img_path
    assert last.get('load_from') == (f'{folder}/adapt/latest.pth' if name.startswith('demo') else None)
    assert not last.train_dataloader.dataset.get('data_root')
    if 'synthia' in name:
        assert all(config(stage).model.decode_head.num_classes == 16 for stage in ('warmup', 'adapt', 'self_training'))


def test_a_list_of_stages_is_no_training():
    with pytest.raises(ValueError, match=r'proca_stages.py lists stages: python run_experiments.py --config'):
        train(load_config('configs/demo/proca_stages.py'), dry_run=True)


@pytest.mark.parametrize('name', ['ddb/gtav2cityscapes', 'ddb/gta2city+mapi', 'demo/ddb'])
def test_ddb_hands_everything_over(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    experiment = read_experiment(f'configs/{name}_stages.py')
    plan = Plan(experiment, places(experiment, 'no-such-machine'))
    folder = plan.places.folder

    @functools.cache
    def config(stage):
        stage = experiment.stages[stage]
        return load_config(stage.config, plan.fill(stage.all_options, stage.name))

    data = config('r1_ca').train_dataloader.dataset
    for number in (1, 2):
        for path, mixing in (('cu', 'CutMix'), ('ca', 'ClassMix')):
            teacher = config(f'r{number}_{path}')
            assert teacher.uda.mixing.type == mixing
            # Teachers of the second round begin as the first round's student, at a tenth of the rate.
            start, rate = (None, 1) if number == 1 else (f'{folder}/r1_student/latest.pth', 0.1)
            assert teacher.get('load_from') == start
            first = config(f'r1_{path}').optim_wrapper.optimizer.lr
            assert teacher.optim_wrapper.optimizer.lr == pytest.approx(rate * first)
        student = config(f'r{number}_student')
        # Students begin from ImageNet weights, on small data from what there is.
        before = {1: 'r1_cu', 2: 'r1_student'}[number]
        assert student.get('load_from') == (f'{folder}/{before}/latest.pth' if name.startswith('demo') else None)
        assert [(one.name, one.checkpoint, one.prototypes) for one in student.uda.teachers] == [
            (path, f'{folder}/r{number}_{path}/latest.pth', f'{folder}/r{number}_{path}_prototypes/prototypes.pth')
            for path in ('cu', 'ca')
        ]
        target = student.train_dataloader.dataset.target
        assert target == data.target and 'LoadAnnotations' not in str(target)
    assert list(experiment.stages)[-1] == 'test_r2_student'
