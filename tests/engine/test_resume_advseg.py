"""Two optimizers, discriminators and a masked pass with a teacher of its own: resumed equals undisturbed."""

import pytest
from mmengine.config import ConfigDict

from mmseg.engine.runner import Runner
from mmseg.engine.training_state import load_checkpoint
from tests.datasets.tiny_data import write_cityscapes, write_gta
from tests.engine.test_resume import same_run, stop_after
from tests.engine.test_resume_dacs import dacs_config


def advseg_config(data, work_dir, **changes):
    cfg = dacs_config(data, work_dir)
    cfg.uda = ConfigDict(
        type='AdvSeg',
        teacher={'alpha': 0.99},
        pseudo_labels={'threshold': 0.05},
        strong_augment={'jitter_strength': 0.2, 'blur': True},
        masking={
            'mode': 'separatetrgaug',
            'alpha': 0.5,
            'generator': {'type': 'block', 'mask_ratio': 0.5, 'mask_block_size': 8},
        },
    )
    cfg.optim_wrapper = ConfigDict(
        main={'optimizer': {'type': 'SGD', 'lr': 0.01, 'momentum': 0.9}},
        discriminator={'optimizer': {'type': 'Adam', 'lr': 1e-3, 'betas': (0.9, 0.99)}},
    )
    cfg.param_scheduler = ConfigDict(
        main={'type': 'Poly10Warm', 'warmup_iters': 2}, discriminator={'type': 'Poly', 'power': 0.9}
    )
    cfg.train_cfg.max_iters = 4
    cfg.merge_from_dict({key.replace('__', '.'): value for key, value in changes.items()})
    return cfg


@pytest.fixture
def data(tmp_path):
    write_gta(tmp_path / 'gta')
    write_cityscapes(tmp_path / 'cityscapes')
    return tmp_path


def test_resumed_advseg_equals_undisturbed(data):
    Runner.from_cfg(advseg_config(data, data / 'whole')).train()
    stop_after(Runner.from_cfg(advseg_config(data, data / 'parts')), 2).train()
    Runner.from_cfg(advseg_config(data, data / 'parts', resume=True)).train()
    same_run(data / 'parts', data / 'whole')
    content = load_checkpoint(data / 'parts' / 'latest.pth')
    assert {key.split('.')[0] for key in content['state_dict']} == {'model', 'model_D', 'mic'}
    assert any(key.startswith('mic.teacher.ema_model.backbone.') for key in content['state_dict'])
    assert set(content['optimizer']) == {'main', 'discriminator'}
    rate = content['optimizer']['discriminator']['param_groups'][0]['lr']
    assert rate == pytest.approx(0.0), 'the schedule has come to its end'
    names = content['training_state']['parameters']
    assert {name.split('.')[0] for name in names['discriminator'][0]} == {'model_D'}
    assert {name.split('.')[0] for group in names['main'] for name in group} == {'model', 'model_D'}


def test_a_single_optimizer_is_an_error_before_training(data):
    cfg = advseg_config(data, data / 'run')
    cfg.optim_wrapper = cfg.optim_wrapper.main
    cfg.param_scheduler = cfg.param_scheduler.main
    with pytest.raises(ValueError, match='AdvSeg trains with .*discriminator'):
        Runner.from_cfg(cfg).train()
