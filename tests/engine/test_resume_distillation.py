"""Methods with prototypes or frozen teachers that come from files: resumed equals undisturbed."""

import numpy as np
import pytest
import torch

from mmseg.engine.class_prototype_files import ClassPrototypes, write_class_prototypes
from mmseg.engine.runner import Runner
from mmseg.registry import MODELS
from tests.datasets.tiny_data import train_pipeline, write_cityscapes, write_gta
from tests.engine.test_resume import same_run, stop_after
from tests.engine.test_resume_dacs import dacs_config

CLASSES, CHANNELS = 19, 16
METHODS = {
    'ProDA': {'type': 'ProDA', 'prototype_momentum': 0.1},
    'PrototypeDistillation': {'type': 'PrototypeDistillation'},
    'CrossPathDistillation': {'type': 'CrossPathDistillation', 'strong_augment': {}},
}


def write_soft_labels(root):
    generator = np.random.default_rng(0)
    for image in (root / 'leftImg8bit').rglob('*.png'):
        path = (root / 'soft' / image.relative_to(root / 'leftImg8bit')).with_suffix('.npy')
        path.parent.mkdir(parents=True, exist_ok=True)
        soft = generator.random((CLASSES, 8, 16))
        np.save(path, (soft / soft.sum(axis=0)).astype(np.float16))


def write_teacher(path, cfg, seed=1):
    torch.manual_seed(seed)
    model = cfg.model.to_dict()
    del model['data_preprocessor']
    torch.save({'state_dict': MODELS.build(model).state_dict()}, path)


@pytest.fixture
def data(tmp_path):
    write_gta(tmp_path / 'gta')
    write_cityscapes(tmp_path / 'cityscapes')
    write_soft_labels(tmp_path / 'cityscapes')
    write_teacher(tmp_path / 'teacher.pth', dacs_config(tmp_path, tmp_path))
    write_class_prototypes(tmp_path / 'prototypes.pth', ClassPrototypes(torch.randn(CLASSES, CHANNELS)), 1, '')
    return tmp_path


def run(data, name, method, **changes):
    cfg = dacs_config(data, data / name, train_cfg__max_iters=4, train_cfg__val_interval=4, **changes)
    target, uda = cfg.train_dataloader.dataset.target, dict(METHODS[method])
    load, *others = train_pipeline(scale=(64, 32), labels=method == 'PrototypeDistillation')
    if method == 'ProDA':
        target.data_prefix.seg_map_path, target.seg_map_suffix = 'soft/train', '_leftImg8bit.npy'
        others = [{'type': 'LoadSoftLabels'}, {'type': 'KeepWholeImage'}, *others]
    else:
        uda['teachers'] = [{'name': 'first', 'checkpoint': str(data / 'teacher.pth')}]
    if method == 'CrossPathDistillation':
        uda['teachers'][0]['prototypes'] = str(data / 'prototypes.pth')
    target.pipeline, cfg.uda = [load, *others], uda
    return Runner.from_cfg(cfg)


@pytest.mark.parametrize('method', METHODS)
def test_resumed_equals_undisturbed(data, method):
    run(data, 'whole', method).train()
    stop_after(run(data, 'parts', method), 2).train()
    run(data, 'parts', method, resume=True).train()
    same_run(data / 'parts', data / 'whole')


def test_a_resumed_run_needs_the_same_teacher(data):
    stop_after(run(data, 'parts', 'PrototypeDistillation'), 1).train()
    write_teacher(data / 'teacher.pth', dacs_config(data, data), seed=2)
    with pytest.raises(ValueError, match='first .* has other weights than the teacher that the run was started with'):
        run(data, 'parts', 'PrototypeDistillation', resume=True).train()
