"""DDB's configurations say what their names say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

FOLDER = Path(__file__).parents[2] / 'configs' / 'ddb'
FILES = sorted(FOLDER.glob('*/r*.py'))
NAME = re.compile(
    r'r(?P<round>[12])_(?P<step>st_cu|st_ca|ckd)_dlv2_r101v1c_(?P<gpus>\d)x(?P<batch>\d)_512x512_40k_(?P<task>.+)'
)
SETTINGS = {
    'gtav2cityscapes': (['GTADataset'], ['CityscapesDataset']),
    'gta+syns2city': (['GTADataset', 'SynscapesDataset'], ['CityscapesDataset']),
    'gta2city+mapi': (['GTADataset'], ['CityscapesDataset', 'MapillaryDataset']),
}


def as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def test_every_step_of_every_setting_is_there() -> None:
    names = {file.stem for file in FILES}
    for task in SETTINGS:
        for number in (1, 2):
            for step in ('st_cu', 'st_ca', 'ckd'):
                assert f'r{number}_{step}_dlv2_r101v1c_1x4_512x512_40k_{task}' in names
    for step in ('r1_st_cu', 'r1_st_ca', 'r1_ckd', 'r2_ckd'):
        assert f'{step}_dlv2_r101v1c_2x2_512x512_40k_gtav2cityscapes' in names


@pytest.mark.parametrize('file', FILES, ids=lambda file: file.stem)
def test_config_is_what_its_name_says(file: Path) -> None:
    said = NAME.fullmatch(file.stem)
    assert said and said['task'] == file.parent.name
    cfg = Config.fromfile(str(file))
    distils = said['step'] == 'ckd'
    assert cfg.model.backbone.depth == 101 and cfg.model.decode_head.type == 'DLV2AdapterHead'
    assert (cfg.n_gpus, cfg.train_dataloader.batch_size) == (int(said['gpus']), int(said['batch']))
    assert bool(cfg.get('sync_bn')) == (said['gpus'] != '1')
    assert cfg.train_cfg.max_iters == 40000 and cfg.param_scheduler == {'type': 'Poly10Warm'}

    second_teacher = said['round'] == '2' and not distils
    assert cfg.optim_wrapper.optimizer.lr == (6e-6 if second_teacher else 6e-5)
    assert cfg.optim_wrapper.paramwise_cfg.custom_keys == {'head': {'lr_mult': 10.0}}
    assert bool(cfg.load_from) == second_teacher

    pair = cfg.train_dataloader.dataset
    sources, targets = as_list(pair.source), as_list(pair.target)
    assert ([one.type for one in sources], [one.type for one in targets]) == SETTINGS[said['task']]
    assert [one.type for one in as_list(cfg.val_dataloader.dataset)] == SETTINGS[said['task']][1]
    assert pair.source_order == 'shuffled'
    for source in sources:
        # Colours of the source change in the second step only.
        assert ('PhotoMetricDistortion' in [step.type for step in source.pipeline]) == distils
    for target in targets:
        assert not {'PhotoMetricDistortion', 'LoadAnnotations'} & {step.type for step in target.pipeline}
        assert target.pipeline[1].get('min_size') == (512 if target.type == 'MapillaryDataset' else None)

    if distils:
        assert (cfg.uda.type, cfg.uda.mode, cfg.uda.rectify) == ('CrossPathDistillation', 'hard', 'probability')
        for teacher in cfg.uda.teachers:
            assert f'r{said["round"]}_st_{teacher.name}_' in teacher.checkpoint and said['task'] in teacher.checkpoint
            assert f'{said["task"]}_round{said["round"]}/' in teacher.prototypes
            assert f'st-{teacher.name}' in teacher.prototypes
    else:
        mixing = (
            {'type': 'CutMix', 'area': 0.4} if said['step'] == 'st_cu' else {'type': 'ClassMix', 'classes': 'image'}
        )
        assert (cfg.uda.type, cfg.uda.mixing) == ('DACS', mixing)
    # As an attribute, `scope` is mmengine's own.
    assert cfg.uda.strong_augment['scope'] == 'image' and cfg.uda.strong_augment.blur_axes == 'x'
