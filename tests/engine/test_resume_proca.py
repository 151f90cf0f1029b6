"""ProCA with prototypes and class-balanced sampling: resumed equals undisturbed."""

import pytest

from mmseg.engine.runner import Runner
from tests.datasets.tiny_data import write_cityscapes, write_gta
from tests.engine.test_resume import same_run, stop_after
from tests.engine.test_resume_dacs import dacs_config

PROCA = {'type': 'ProCA', 'threshold': 0.05, 'confidence': 'probability', 'temperature': 0.5}


@pytest.mark.parametrize('changes', [{}, {'memory_bank': {'temperature': 0.3, 'width': 8, 'memory_size': 20}}])
def test_resumed_proca_equals_undisturbed(tmp_path, changes):
    write_gta(tmp_path / 'gta')
    write_cityscapes(tmp_path / 'cityscapes')

    def run(name, **more):
        cfg = dacs_config(tmp_path, tmp_path / name, **more)
        cfg.uda = {**PROCA, **changes}
        dataset = cfg.train_dataloader.dataset
        del dataset['rare_class_sampling']
        dataset.class_balanced_sampling = {}
        return Runner.from_cfg(cfg)

    run('whole').train()
    stop_after(run('parts'), 4).train()
    run('parts', resume=True).train()
    same_run(tmp_path / 'parts', tmp_path / 'whole')
