"""Several sources and several targets with the methods: trained, resumed, validated by name, prototypes and labels."""

import pytest
from mmengine.config import ConfigDict

from mmseg.engine.config import load_config
from mmseg.engine.dataset_pass import domain_dataset
from mmseg.engine.json_log import read_rows
from mmseg.engine.prototype_pass import plain_pipeline
from mmseg.engine.runner import Runner
from mmseg.engine.seen_classes import count_seen
from mmseg.evaluation.adapt_batch_norm import target_images
from mmseg.evaluation.config_options import without_labels
from mmseg.evaluation.evaluate import evaluate
from mmseg.evaluation.run_folder import find_config
from tests.datasets.test_several_domains import mapillary_config, synscapes_config, write_mapillary, write_synscapes
from tests.datasets.tiny_data import cityscapes_config, gta_config, write_cityscapes, write_gta
from tests.engine.test_resume import same_run, stop_after
from tests.engine.test_resume_advseg import advseg_config
from tests.engine.test_resume_dacs import dacs_config

TEST = [
    {'type': 'LoadImageFromFile'},
    {'type': 'Resize', 'scale': (64, 32), 'min_size': 32},
    {'type': 'LoadAnnotations'},
    {'type': 'PackSegInputs'},
]
METHODS = {
    'DACS': {},
    'ProCA': {'type': 'ProCA', 'threshold': 0.05, 'confidence': 'probability', 'temperature': 0.5, '_delete_': True},
}


def several(data, work_dir, cfg=None, **changes):
    """A training from two sources to two targets, validated on both."""
    cfg = cfg or dacs_config(data, work_dir)
    cfg.train_cfg.max_iters = cfg.train_cfg.val_interval = 2
    cfg.default_hooks.logger.interval = 1
    mapillary = mapillary_config(str(data / 'mapillary'))
    cfg.train_dataloader.dataset = ConfigDict(
        type='UDADataset',
        source=[gta_config(str(data / 'gta')), synscapes_config(str(data / 'synscapes'))],
        target=[cityscapes_config(str(data / 'cityscapes')), mapillary],
        rare_class_sampling={'min_pixels': 10, 'class_temp': 0.01, 'min_crop_ratio': 0.5},
    )
    cfg.val_dataloader.dataset = [
        cityscapes_config(str(data / 'cityscapes'), test_mode=True, pipeline=TEST),
        {**mapillary, 'test_mode': True, 'pipeline': TEST},
    ]
    cfg.merge_from_dict({key.replace('__', '.'): value for key, value in changes.items()})
    return cfg


@pytest.fixture
def data(tmp_path):
    write_gta(tmp_path / 'gta', count=2)
    write_synscapes(tmp_path / 'synscapes', count=2)
    write_cityscapes(tmp_path / 'cityscapes', count=1)
    write_mapillary(tmp_path / 'mapillary', count=2)
    return tmp_path


def check_log(folder):
    rows = read_rows(folder / 'log.jsonl')
    (scores,) = [row for row in rows if row['mode'] == 'val']
    assert scores['mIoU'] == pytest.approx((scores['cityscapes/mIoU'] + scores['mapillary/mIoU']) / 2)
    (best,) = folder.glob('best_mIoU_iter_*.pth')
    assert best.name == 'best_mIoU_iter_2.pth'


@pytest.mark.parametrize('name', METHODS)
def test_methods_train_and_validate(data, name):
    cfg = several(data, data / name)
    changes = dict(METHODS[name])
    cfg.uda = ConfigDict(changes if changes.pop('_delete_', False) else {**cfg.uda, **changes})
    runner = Runner.from_cfg(cfg)
    runner.train()
    check_log(data / name)
    assert runner.best['mIoU']['iteration'] == 2


def test_adversarial_training(data):
    cfg = several(data, None, advseg_config(data, data / 'advseg'))
    del cfg.uda['masking']
    Runner.from_cfg(cfg).train()
    check_log(data / 'advseg')


def test_supervised_training_on_several_sources(data):
    cfg = several(data, data / 'supervised')
    cfg.train_dataloader.dataset = cfg.train_dataloader.dataset.source
    cfg.uda = None
    Runner.from_cfg(cfg).train()
    check_log(data / 'supervised')


def test_resumed_equals_undisturbed_in_shuffled_order(data):
    def run(name, **changes):
        cfg = several(data, data / name, **changes)
        # Not when it is stopped: an interrupted iteration is not validated.
        cfg.train_cfg.max_iters, cfg.train_cfg.val_interval, cfg.default_hooks.checkpoint.interval = 4, 3, 2
        cfg.train_dataloader.dataset.rare_class_sampling = None
        cfg.train_dataloader.dataset.source_order = 'shuffled'
        return Runner.from_cfg(cfg)

    run('whole').train()
    stop_after(run('parts'), 2).train()
    run('parts', resume=True).train()
    same_run(data / 'parts', data / 'whole')


def test_tools_on_the_trained_network(data):
    """Evaluation and its files, what batch norm adapts to and stages read, class counts: all sets, by name."""
    cfg = several(data, data / 'run')
    Runner.from_cfg(cfg).train()
    cfg = load_config(find_config(data / 'run'))
    checkpoint = data / 'run' / 'latest.pth'
    assert len(target_images(cfg, cfg)) == 3
    result = evaluate(cfg, checkpoint)
    assert result.images == 3 and set(result.confusions) == {'cityscapes', 'mapillary'}
    assert result.confusion.sum() == sum(matrix.sum() for matrix in result.confusions.values())
    without_labels(cfg)
    evaluate(cfg, checkpoint, {'format_only': True, 'show_dir': str(data / 'shown')})
    assert len(list((data / 'shown/cityscapes').rglob('*.png'))) == 1
    assert sorted(path.name for path in (data / 'shown/mapillary').iterdir()) == ['m0.png', 'm1.png']
    assert len(domain_dataset(cfg, 'source', plain_pipeline)) == 4
    seen = count_seen(cfg, 4)
    assert seen.samples == 4 and seen.dataset is not None and seen.dataset.sum() == pytest.approx(1)
