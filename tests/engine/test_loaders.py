"""The loaders of validation and tests: what their batches look like."""

import copy

import pytest
import torch

from mmseg.engine.loaders import loaders_and_loops
from mmseg.engine.runner import Runner
from mmseg.evaluation.config_options import TTA_RATIOS, set_tta
from tests.engine.toy import ToyMethod, toy_config
from tests.tools import tiny_run


class Predicting(ToyMethod):
    """A network that predicts, in a method that can be validated."""

    def __init__(self, cfg):
        super().__init__()
        from mmseg.evaluation.evaluate import build_networks

        torch.manual_seed(0)
        self.preprocessor, self.segmentor = build_networks(cfg)
        self.shapes = []

    def val_step(self, data):
        batch = self.preprocessor(data, False)
        inputs = batch['inputs'] if isinstance(batch['inputs'], list) else [batch['inputs']]
        self.shapes.append([tuple(images.shape) for images in inputs])
        return self.segmentor.predict(batch['inputs'], batch['data_samples'])

    test_step = val_step


@pytest.fixture
def cfg(tmp_path):
    tiny_run.write_images(tmp_path / 'data', 'val')
    tested = tiny_run.config(tmp_path / 'data')
    set_tta(tested)
    made = toy_config(tmp_path / 'run')
    made.model = tested.model
    for mode in ('val', 'test'):
        made[f'{mode}_dataloader'] = copy.deepcopy(tested.test_dataloader)
        made[f'{mode}_evaluator'] = copy.deepcopy(tested.test_evaluator)
    return made


@pytest.mark.parametrize('mode', ['val', 'test'])
@pytest.mark.parametrize('batch_size', [1, 3])
def test_images_of_several_scales(cfg, mode, batch_size):
    cfg[f'{mode}_dataloader'].batch_size = batch_size
    method = Predicting(cfg)
    scores = getattr(Runner.from_cfg(cfg, method=method), mode)()
    assert 0 <= scores['mIoU'] <= 100
    assert len(method.shapes) == 3 // batch_size
    assert all(
        shapes == [(batch_size, 3, int(12 * ratio), int(16 * ratio)) for ratio in TTA_RATIOS]
        for shapes in method.shapes
    )


def test_a_collate_function_of_the_config_is_kept(cfg):
    cfg.val_dataloader.collate_fn = {'type': 'pseudo_collate'}
    parts = loaders_and_loops(cfg)
    assert parts['val_dataloader']['collate_fn'] == {'type': 'pseudo_collate'}
    assert parts['test_dataloader']['collate_fn'] == {'type': 'collate_samples'}
