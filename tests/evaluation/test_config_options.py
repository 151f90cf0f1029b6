import pytest
from mmengine.config import Config

from mmseg.evaluation import config_options as options
from mmseg.models.segmentors.inference_options import InferenceOptions


def config(**train_dataset):
    pipeline = [{'type': 'Resize', 'scale': (8, 4)}, {'type': 'LoadAnnotations'}, {'type': 'PackSegInputs'}]
    prefix = {'img_path': 'leftImg8bit/val', 'seg_map_path': 'gtFine/val'}
    dataset = {'data_root': 'data/valley/interval', 'data_prefix': prefix, 'pipeline': pipeline}
    return Config(
        {
            'model': {'test_cfg': {'mode': 'whole'}},
            'train_dataloader': {'dataset': train_dataset},
            'test_dataloader': {'dataset': dataset},
        }
    )


def pipeline_of(crop):
    return [{'type': 'RandomCrop', 'crop_size': crop}]


@pytest.mark.parametrize(
    ('train_dataset', 'crop'),
    [
        ({'pipeline': pipeline_of((64, 96))}, (64, 96)),
        ({'source': {'pipeline': pipeline_of((512, 512))}, 'sync_crop_size': None}, (512, 512)),
        ({'source': {'pipeline': pipeline_of((512, 512))}, 'sync_crop_size': (256, 128)}, (256, 128)),
    ],
)
def test_slide_takes_windows_of_the_training_crop(train_dataset, crop):
    cfg = config(**train_dataset)
    options.set_inference_mode(cfg, 'slide')
    expected = {'mode': 'slide', 'batched_slide': True, 'crop_size': crop, 'stride': (crop[0] // 2, crop[1] // 2)}
    assert {key: tuple(v) if isinstance(v, list) else v for key, v in cfg.model.test_cfg.items()} == expected
    options.set_inference_mode(cfg, 'whole')
    assert cfg.model.test_cfg.mode == 'whole'


def test_slide_takes_back_what_only_whole_images_can():
    cfg = config(pipeline=pipeline_of((64, 96)))
    cfg.model.test_cfg = {'mode': 'whole', 'single_resize': True, 'scales': (0.5, 1.0), 'flip_tta': True}
    options.set_inference_mode(cfg, 'slide')
    found = InferenceOptions.from_config(cfg.model.test_cfg)
    assert found.mode == 'slide' and found.flip_tta and not found.single_resize and found.scales is None


def test_slide_without_a_training_crop():
    with pytest.raises(ValueError, match='no RandomCrop and no crop_size'):
        options.set_inference_mode(config(), 'slide')


def test_tta_adds_scales_and_flip_once():
    cfg = config()
    options.set_tta(cfg)
    options.set_tta(cfg)
    steps = [step['type'] for step in cfg.test_dataloader.dataset.pipeline]
    assert steps == ['Resize', 'LoadAnnotations', 'TestTimeScales', 'PackSegInputs']
    assert cfg.model.test_cfg.flip_tta


def test_test_set_replaces_whole_words():
    cfg = config()
    options.use_test_set(cfg)
    dataset = cfg.test_dataloader.dataset
    assert dict(dataset.data_prefix) == {'img_path': 'leftImg8bit/test', 'seg_map_path': 'gtFine/test'}
    assert dataset.data_root == 'data/valley/interval'


def test_without_labels():
    cfg = config()
    options.without_labels(cfg)
    dataset = cfg.test_dataloader.dataset
    assert [step['type'] for step in dataset.pipeline] == ['Resize', 'PackSegInputs']
    assert dict(dataset.data_prefix) == {'img_path': 'leftImg8bit/val'}


def test_no_data():
    with pytest.raises(ValueError, match='no test_dataloader'):
        options.loader_section(Config({'model': {}}))
