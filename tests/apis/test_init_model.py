import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmseg.apis import inference_model, init_model
from tests.tools import tiny_run


@pytest.fixture
def run(tmp_path):
    return tiny_run.make_run(tmp_path / 'runs' / 'tiny', tmp_path / 'data')


def weights(model):
    return model.backbone.first.weight.detach()


def test_run_folder_brings_config_checkpoint_and_classes(run):
    model = init_model(run, device='cpu')
    torch.testing.assert_close(weights(model), weights(tiny_run.student()))
    assert not model.training
    assert model.dataset_meta['classes'] == tiny_run.CLASSES
    assert model.dataset_meta['palette'] == tiny_run.PALETTE
    assert model.checkpoint_meta['iter'] == 7
    assert model.cfg.model.decode_head.num_classes == 3
    # Its buffers must not become part of what is saved.
    assert set(model.state_dict()) == set(tiny_run.student().state_dict())


def test_teacher_and_student(run):
    teacher = init_model(run, device='cpu', ema=True)
    torch.testing.assert_close(weights(teacher), weights(tiny_run.student(seed=1)))


@pytest.mark.parametrize('prefix', ['', 'model.', 'module.', 'model.module.'])
def test_layouts_of_checkpoints(run, tmp_path, prefix):
    state = {prefix + key: value for key, value in tiny_run.student(seed=4).state_dict().items()}
    torch.save({'state_dict': state}, tmp_path / 'other.pth')
    model = init_model(run, tmp_path / 'other.pth', 'cpu')
    torch.testing.assert_close(weights(model), weights(tiny_run.student(seed=4)))
    assert model.checkpoint_meta == {}


def test_config_object_stays_as_it_is(run):
    cfg = Config.fromfile(str(run / 'tiny.py'))
    model = init_model(cfg, run / 'latest.pth', 'cpu', cfg_options={'model.test_cfg.flip_tta': True})
    assert model.inference_options.flip_tta
    assert cfg.model.test_cfg == {'mode': 'whole'}
    assert not init_model(cfg, run, 'cpu').inference_options.flip_tta


def test_without_a_checkpoint_the_weights_are_random(run):
    torch.manual_seed(0)
    model = init_model(run / 'tiny.py', device='cpu')
    assert inference_model(model, np.zeros((5, 6, 3), np.uint8)).pred_sem_seg.data.shape == (1, 5, 6)


def test_no_file_of_the_data_set_is_needed(run, tmp_path):
    (tmp_path / 'data').rename(tmp_path / 'elsewhere')
    init_model(run, device='cpu')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'cfg_options': {'model.decode_head.num_classes': 2}}, 'the network has 2 classes, the test data set .* 3'),
        ({'device': 'gpu'}, "'gpu' is no device"),
        ({'device': 'cuda:99'}, 'device cuda:99: this machine has'),
        ({'cfg_options': {'model.backbone.type': 'TwoLevelBackbon'}}, 'did you mean TwoLevelBackbone'),
    ],
)
def test_what_does_not_fit_is_said(run, arguments, message):
    with pytest.raises(ValueError, match=message):
        init_model(run, **arguments)


def test_missing_files(run, tmp_path):
    with pytest.raises(FileNotFoundError, match='no such checkpoint'):
        init_model(run, tmp_path / 'no.pth', 'cpu')
    with pytest.raises(FileNotFoundError, match=r'nowhere.py does not exist'):
        init_model(tmp_path / 'nowhere.py', device='cpu')
    with pytest.raises(ValueError, match='ema=True needs a checkpoint'):
        init_model(run / 'tiny.py', device='cpu', ema=True)
