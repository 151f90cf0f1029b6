"""Translation of 0.x configs: against hand-written expectations and recorded configs of the original code bases."""

from __future__ import annotations

import copy
import importlib.util
import json
import math
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mmseg.engine import legacy_config
from mmseg.engine.config import load_config
from mmseg.engine.legacy_config import is_legacy, upgrade
from mmseg.registry import TRANSFORMS
from tests.goldens.harness import Case

ROOT = Path(__file__).parents[2]
BASES = ROOT / 'configs' / '_base_'
GOLDENS = ROOT / 'tests' / 'goldens' / 'self_training'
MIC = Case(GOLDENS / 'experiments_mic.npz').meta
DAFORMER = 'configs/daformer/gta2cs_uda_warm_fdthings_rcs_croppl_a999_daformer_mitb5_s0.py'


@pytest.fixture
def old() -> dict[str, Any]:
    """A complete 0.x config: DAFormer's."""
    return copy.deepcopy(MIC['resolved'][DAFORMER])


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def change(cfg: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Sets ``a.b.c`` in a nested dict."""
    *path, last = key.split('.')
    node = cfg
    for part in path:
        node = node[part]
    node[last] = value
    return cfg


def test_whole_config_is_translated(old: dict[str, Any]) -> None:
    new = upgrade(old)
    assert is_legacy(old)
    assert not is_legacy(new)
    assert new.uda == {
        'type': 'DACS',
        'teacher': {'alpha': 0.999},
        'pseudo_labels': {'threshold': 0.968, 'ignore_top': 15, 'ignore_bottom': 120},
        'mixing': {'type': 'ClassMix'},
        # 0.2 in the old file means: applied where a uniform number is above 0.2.
        'strong_augment': {'jitter_strength': 0.2, 'jitter_probability': 0.8, 'blur': True},
        'feature_distance': {
            'weight': 0.005,
            'classes': [6, 7, 11, 12, 13, 14, 15, 16, 17, 18],
            'min_ratio': 0.75,
        },
    }
    assert new.optim_wrapper.optimizer == {'type': 'AdamW', 'lr': 6e-5, 'betas': (0.9, 0.999), 'weight_decay': 0.01}
    assert set(new.optim_wrapper.paramwise_cfg.custom_keys) == {'head', 'norm', 'pos_block'}
    assert new.param_scheduler == {'type': 'Poly10Warm'}
    assert new.train_cfg == {'max_iters': 40000, 'val_interval': 4000}
    assert new.default_hooks == {
        'logger': {'interval': 50},
        'checkpoint': {'interval': 40000, 'max_keep': 1},
        'panels': {'interval': 1000},
    }
    assert new.model.data_preprocessor == {
        'type': 'SegDataPreProcessor',
        'mean': [123.675, 116.28, 103.53],
        'std': [58.395, 57.12, 57.375],
        'bgr_to_rgb': True,
    }
    loader = new.train_dataloader
    assert (loader.batch_size, loader.num_workers) == (2, 4)
    assert loader.dataset.source.data_prefix == {'img_path': 'images', 'seg_map_path': 'labels'}
    assert loader.dataset.rare_class_sampling == {'min_pixels': 3000, 'class_temp': 0.01, 'min_crop_ratio': 0.5}
    assert [step.type for step in loader.dataset.source.pipeline] == [
        'LoadImageFromFile', 'LoadAnnotations', 'Resize', 'RandomCrop', 'RandomFlip', 'Pad', 'PackTrainInputs',
    ]  # fmt: skip
    assert [step.type for step in loader.dataset.target.pipeline] == [
        'LoadImageFromFile', 'Resize', 'RandomCrop', 'RandomFlip', 'Pad', 'PackTrainInputs',
    ]  # fmt: skip
    assert loader.dataset.source.pipeline[2] == {'type': 'Resize', 'scale': (1280, 720), 'keep_ratio': True}
    assert loader.dataset.source.pipeline[3] == {'type': 'RandomCrop', 'crop_size': (512, 512), 'cat_max_ratio': 0.75}
    assert new.val_dataloader.dataset.pipeline == [
        {'type': 'LoadImageFromFile'},
        {'type': 'Resize', 'scale': (1024, 512), 'keep_ratio': True},
        {'type': 'LoadAnnotations'},
        {'type': 'PackSegInputs'},
    ]
    assert new.val_evaluator == {'type': 'IoUMetric', 'iou_metrics': ['mIoU']}
    assert (new.seed, new.exp, new.name_uda) == (0, 'basic', 'dacs_a999_fd_things_rcs0.01_cpl')


def test_translation_leaves_the_input_alone_and_loads_again(old: dict[str, Any], tmp_path: Path) -> None:
    before = copy.deepcopy(old)
    new = upgrade(old)
    assert old == before
    new.dump(str(tmp_path / 'new.py'))
    assert Config.fromfile(str(tmp_path / 'new.py')).to_dict() == new.to_dict()


@pytest.mark.parametrize('suffix', ['.json', '.py'])
def test_files_are_recognised(old: dict[str, Any], tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f'old{suffix}'
    file.write_text(json.dumps(old) if suffix == '.json' else Config(old).pretty_text)
    assert load_config(file).to_dict() == upgrade(old).to_dict()


SUPPORTED_BASES = [
    (experiment, name)
    for experiment, grid in MIC['experiments'].items()
    for name, child in grid['first_seed_of_each'].items()
    if all((ROOT / 'configs' / base).exists() for base in child['_base_']) and f'{name}_s0' in MIC['resolved']
]


@pytest.mark.parametrize(('experiment', 'name'), SUPPORTED_BASES)
def test_old_file_over_our_bases_equals_the_old_file_over_old_bases(experiment: str, name: str, tmp_path: Path) -> None:
    """A published config names its bases by path; here it finds ours under these names."""
    child = copy.deepcopy(MIC['experiments'][experiment]['first_seed_of_each'][name])
    child['_base_'] = [str(ROOT / 'configs' / base) for base in child['_base_']]
    (tmp_path / 'child.json').write_text(json.dumps(child))
    ours, theirs = load_config(tmp_path / 'child.json'), upgrade(MIC['resolved'][f'{name}_s0'])
    for key in (
        'model', 'uda', 'optim_wrapper', 'param_scheduler', 'train_dataloader', 'val_dataloader', 'test_dataloader',
        'val_evaluator', 'seed', 'name', 'exp',
    ):  # fmt: skip
        assert plain(ours[key]) == plain(theirs[key]), key
    assert ours.train_cfg.max_iters == theirs.train_cfg.max_iters == 40000


def test_some_old_files_fit_our_bases() -> None:
    assert len(SUPPORTED_BASES) >= 3


@pytest.mark.parametrize(
    'path', sorted(set(GOLDENS.glob('dacs_*.npz')) - {GOLDENS / 'dacs_original_step.npz'}), ids=lambda path: path.stem
)
def test_parts_of_golden_cases_are_translated(path: Path) -> None:
    meta = Case(path).meta
    new = upgrade({key: meta[key] for key in ('model', 'uda', 'optimizer')})
    assert set(new.keys()) == {'model', 'uda', 'optim_wrapper', 'default_hooks'}
    assert new.model.to_dict() == meta['model']
    assert new.uda.teacher.alpha == meta['uda']['alpha']
    assert new.uda.strong_augment == {'jitter_strength': 0.2, 'jitter_probability': 0.0, 'blur': False}
    assert ('feature_distance' in new.uda) == (meta['uda']['imnet_feature_dist_lambda'] > 0)
    assert ('masking' in new.uda) == (meta['uda']['mask_mode'] is not None)
    assert new.uda.get('source_only', False) == meta['uda']['source_only']
    assert new.optim_wrapper.optimizer.lr == meta['optimizer']['lr']
    rules = new.optim_wrapper.get('paramwise_cfg', {}).get('custom_keys', {})
    assert rules == meta['optimizer']['paramwise_cfg']['custom_keys']


def test_mask_settings_become_one_component() -> None:
    meta = Case(GOLDENS / 'dacs_mic_own_teacher.npz').meta
    assert upgrade({'uda': meta['uda']}).uda.masking == {
        'mode': 'separatetrg',
        'alpha': 0.9,
        'threshold': 0.2,
        'weight': 1,
        'generator': {'type': 'block', 'mask_ratio': 0.7, 'mask_block_size': 16},
    }


def test_distance_over_all_classes() -> None:
    uda = {'type': 'DACS', 'imnet_feature_dist_lambda': 0.005, 'imnet_feature_dist_classes': None}
    uda['imnet_feature_dist_scale_min_ratio'] = None
    assert upgrade({'uda': uda}).uda.feature_distance == {'weight': 0.005, 'classes': None}


def test_names_of_older_code_are_renamed() -> None:
    model = {
        'type': 'MultiResEncoderDecoder',
        'backbone': {'type': 'mit_b5', 'ema_drop_path_rate': 0.1},
        'decode_head': {
            'type': 'MultiResAttentionWrapper',
            'single_scale_head': 'UniHead',
            'decoder_params': {'fusion_cfg': {'type': 'aspp', 'fusion': 'x', 'sep': True}},
        },
    }
    assert is_legacy({'model': model})
    assert upgrade({'model': model}).model == {
        'type': 'HRDAEncoderDecoder',
        'backbone': {'type': 'mit_b5'},
        'decode_head': {
            'type': 'HRDAHead',
            'single_scale_head': 'DAFormerHead',
            'decoder_params': {'fusion_cfg': {'type': 'aspp', 'sep': True}},
        },
    }


@pytest.mark.parametrize(
    ('schedule', 'expected'),
    [
        (
            {'policy': 'poly', 'warmup': 'linear', 'warmup_iters': 1500, 'warmup_ratio': 1e-6, 'power': 1.0},
            {'type': 'Poly10Warm'},
        ),
        ({'policy': 'poly', 'power': 1.0, 'min_lr': 1e-4, 'by_epoch': False}, {'type': 'Poly10'}),
        ({'policy': 'poly', 'power': 0.9, 'min_lr': 1e-4}, {'type': 'Poly', 'power': 0.9, 'min_lr': 1e-4}),
        (
            {'policy': 'poly', 'warmup': 'linear', 'warmup_iters': 500},
            {'type': 'Poly', 'power': 1.0, 'min_lr': 0.0, 'warmup_iters': 500, 'warmup_ratio': 0.1},
        ),
        ({'policy': 'fixed'}, None),
    ],
)
def test_schedules(schedule: dict[str, Any], expected: dict[str, Any] | None) -> None:
    assert upgrade({'lr_config': schedule}).param_scheduler == expected


def test_source_only_config(old: dict[str, Any]) -> None:
    """Without ``uda`` the source set stands alone."""
    source = old['data']['train']['source']
    source['pipeline'].insert(5, {'type': 'PhotoMetricDistortion'})
    old['data']['train'] = source
    del old['uda']
    new = upgrade(old)
    assert 'uda' not in new
    assert new.train_dataloader.dataset.type == 'GTADataset'
    types = [step.type for step in new.train_dataloader.dataset.pipeline]
    assert types[-4:] == ['RandomFlip', 'PhotoMetricDistortion', 'Pad', 'PackTrainInputs']


@pytest.mark.parametrize(
    ('step', 'words'),
    [
        ({'type': 'Pad'}, 'without size cannot be translated'),
        ({'type': 'Resize', 'keep_ratio': True}, 'without img_scale cannot be translated'),
    ],
)
def test_transforms_without_a_size(old: dict[str, Any], step: dict[str, Any], words: str) -> None:
    old['data']['train']['source']['pipeline'][2] = step
    with pytest.raises(ValueError, match=words):
        upgrade(old)


@pytest.mark.parametrize(
    'step', [{'type': 'Pad', 'size_divisor': 32}, {'type': 'Resize', 'img_scale': None, 'ratio_range': (0.5, 2.0)}]
)
def test_transforms_by_the_size_of_the_image(old: dict[str, Any], step: dict[str, Any]) -> None:
    old['data']['train']['source']['pipeline'][2] = step
    new = upgrade(old).train_dataloader.dataset.source.pipeline[2]
    assert new.pop('keep_ratio', True)
    assert new == {key: value for key, value in step.items() if value is not None}
    TRANSFORMS.build(new)


@pytest.mark.parametrize(
    ('margins', 'expected'),
    [
        ([[30, 240, 30, 30]] * 2, [30, 240, 30, 30]),
        ([[30, 240, 30, 30], [0, 0, 0, 0]], [[30, 240, 30, 30], [0, 0, 0, 0]]),
        ([[30, 240, 30, 30], None], [[30, 240, 30, 30], None]),
        ([None, None], None),
    ],
)
def test_each_target_keeps_its_margins(old: dict[str, Any], margins: list[Any], expected: Any) -> None:
    train = old['data']['train']
    of_target = [{} if one is None else {'crop_pseudo_margins': one} for one in margins]
    train['target'] = [copy.deepcopy(train['target']) | one for one in of_target]
    assert upgrade(old).train_dataloader.dataset.get('pseudo_margins') == expected


def test_margins_synchronised_crop_and_infinite_temperature(old: dict[str, Any]) -> None:
    train = old['data']['train']
    train['target']['crop_pseudo_margins'] = [30, 240, 30, 30]
    train['sync_crop_size'] = [256, 256]
    train['rare_class_sampling']['class_temp'] = math.inf
    dataset = upgrade(old).train_dataloader.dataset
    assert dataset.pseudo_margins == [30, 240, 30, 30]
    assert dataset.sync_crop_size == (256, 256)
    # A dumped config holds no infinity.
    assert dataset.rare_class_sampling.class_temp == 'inf'


def test_synthia_is_scored_on_its_own_classes(old: dict[str, Any]) -> None:
    old['data']['train']['source']['type'] = 'SynthiaDataset'
    subsets = upgrade(old).val_evaluator.subsets
    assert (len(subsets.mIoU16), len(subsets.mIoU13)) == (16, 13)


def test_resuming(old: dict[str, Any]) -> None:
    old['resume_from'] = 'work_dirs/a/latest.pth'
    new = upgrade(old)
    assert new.resume == 'work_dirs/a/latest.pth'


def test_gradient_clipping_and_optimizer_replacement() -> None:
    base = {'optim_wrapper': {'optimizer': {'type': 'AdamW', 'lr': 6e-5, 'betas': (0.9, 0.999)}}}
    sgd = {'_delete_': True, 'type': 'SGD', 'lr': 0.1}
    new = upgrade({**base, 'optimizer': sgd, 'optimizer_config': {'grad_clip': {'max_norm': 35}}})
    assert new.optim_wrapper == {'optimizer': {'type': 'SGD', 'lr': 0.1}, 'clip_grad': {'max_norm': 35}}


@pytest.mark.parametrize(
    ('key', 'value', 'named'),
    [
        ('fp16', {'loss_scale': 512}, 'fp16'),
        ('uda.alpah', 0.9, 'uda.alpah'),
        ('uda.mix', 'cut', 'uda.mix'),
        ('data.repeat', 3, 'data.repeat'),
        ('data.train.source.split', 'half.txt', 'data.train.source.split'),
        ('data.train.target.crop_pseudo_margin', [1, 1, 1, 1], 'data.train.target.crop_pseudo_margin'),
        ('data.train.source.pipeline', [{'type': 'Resize', 'img_scale': [8, 4], 'interp': 1}], 'pipeline[0].interp'),
        ('lr_config.policy', 'cosine', 'lr_config.policy'),
        ('lr_config.target_lr', 1.0, 'lr_config.target_lr'),
        ('runner.type', 'EpochBasedRunner', 'runner.type'),
        ('optimizer.paramwise_cfg.bias_lr_mult', 2.0, 'optimizer.paramwise_cfg.bias_lr_mult'),
        ('checkpoint_config.out_dir', 'x', 'checkpoint_config.out_dir'),
        ('data', [], 'data'),
    ],
)
def test_nothing_is_lost_in_silence(old: dict[str, Any], key: str, value: Any, named: str) -> None:
    with pytest.raises(ValueError) as error:
        upgrade(change(old, key, value))
    assert named in str(error.value)
    assert '\n' not in str(error.value)


def test_near_name_is_suggested(old: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r'did you mean max_iters\?'):
        upgrade(change(old, 'runner.max_iter', 5))


def test_pipelines_must_normalise_alike(old: dict[str, Any]) -> None:
    old['data']['train']['target']['pipeline'][5]['mean'] = [0, 0, 0]
    with pytest.raises(ValueError, match='normalise differently'):
        upgrade(old)


def test_flip_in_the_test_pipeline_names_the_option(old: dict[str, Any]) -> None:
    old['data']['test']['pipeline'][1]['flip'] = True
    with pytest.raises(ValueError, match='--tta'):
        upgrade(old)


def test_other_methods_are_named(old: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="uda.type='ProDA'"):
        upgrade(change(old, 'uda.type', 'ProDA'))


def test_what_has_no_counterpart_is_said(old: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(legacy_config, 'print_log', lambda message, *_: said.append(message))
    old['uda']['print_grad_magnitude'] = True
    old['log_config']['hooks'].append({'type': 'WandbLoggerHook'})
    upgrade(old)
    assert len(said) == 1
    assert 'print_grad_magnitude=True; log_config.hooks: WandbLoggerHook' in said[0]


@pytest.mark.parametrize('installed', [True, False])
def test_tensorboard_where_it_is_installed(
    old: dict[str, Any], monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    said: list[str] = []
    monkeypatch.setattr(legacy_config, 'print_log', lambda message, *_: said.append(message))
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: name if installed else None)
    old['log_config']['hooks'].append({'type': 'TensorboardLoggerHook'})
    assert upgrade(old).default_hooks.get('tensorboard', False) is installed
    assert installed or 'TensorboardLoggerHook (without TensorBoard; pip install "tensorboard>=2.16")' in said[0]


def test_todays_configs_are_not_legacy() -> None:
    assert not is_legacy(Config.fromfile(str(ROOT / DAFORMER)))
    assert not is_legacy({'model': {'type': 'EncoderDecoder'}, 'uda': {'type': 'DACS', 'teacher': {'alpha': 0.9}}})
    assert not is_legacy({'model': {'type': 'EncoderDecoder'}})


def test_a_method_of_the_users_own_may_name_its_settings_as_the_originals_did():
    assert not is_legacy({'model': {'type': 'EncoderDecoder'}, 'uda': {'type': 'Consistency', 'alpha': 0.99}})
    assert is_legacy({'model': {'type': 'EncoderDecoder'}, 'uda': {'alpha': 0.99}})


def test_source_only_alone_is_no_old_config():
    ours = {'model': {'type': 'EncoderDecoder'}, 'uda': {'type': 'DACS', 'source_only': True}, 'metainfo': {}}
    assert not is_legacy(ours)
    assert is_legacy({**ours, 'uda': {**ours['uda'], 'alpha': 0.9}})
