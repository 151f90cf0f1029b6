"""Every config file loads, survives a dump and names only what exists; the published ones are those of the papers."""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import FUNCTIONS, OPTIMIZERS

from mmseg.datasets.metainfo import dataset_metainfo
from mmseg.datasets.transforms import Compose
from mmseg.engine.legacy_config import is_legacy, upgrade
from mmseg.evaluation.classes import SYNTHIA_SUBSETS
from mmseg.models.uda import build_method
from mmseg.registry import DATA_SAMPLERS, DATASETS, METRICS, PARAM_SCHEDULERS
from tests.goldens.harness import Case

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs'
FILES = sorted(
    path
    for path in CONFIGS.rglob('*.py')
    # tests/experiments reads the lists of stages.
    if not {'_base_', 'generated'} & set(path.relative_to(CONFIGS).parts) and not path.stem.endswith('_stages')
)
NAMES = [str(path.relative_to(CONFIGS).with_suffix('')) for path in FILES]
# They train nothing.
TESTED_ONLY = ('ddb/test/test_cityscapes', 'ddb/test/test_mapillary')
GOLDENS = ROOT / 'tests' / 'goldens'
DAFORMER = 'daformer/gta2cs_uda_warm_fdthings_rcs_croppl_a999_daformer_mitb5_s0'
PUBLISHED = (
    DAFORMER,
    'daformer/syn2cs_uda_warm_fdthings_rcs_croppl_a999_daformer_mitb5_s0',
    'daformer/gta2cs_dacs_a999_fdthings_rcs001_cpl_dlv2red_r101v1c_poly10warm_s0',
    'daformer/gta2cs_dacs_a999_fdthings_rcs001_cpl_segformer_mitb5_poly10warm_s0',
    'dacs/gta2cs_dacs_dlv2red_r101v1c_poly10warm_s0',
    'dacs/gta2cs_dacs_segformer_mitb5_poly10warm_s0',
    'source_only/gta2cs_source-only_daformer_sepaspp_mitb5_poly10warm_s0',
    'source_only/gta2cs_source-only_dlv2red_r101v1c_poly10warm_s0',
    'source_only/gta2cs_source-only_segformer_mitb5_poly10warm_s0',
    'oracle/gta2cs_target-only_daformer_sepaspp_mitb5_poly10warm_s0',
    'oracle/gta2cs_target-only_dlv2red_r101v1c_poly10warm_s0',
    'demo/source_only',
    'demo/oracle',
    'demo/dacs',
    'demo/daformer',
    'demo/daformer_mitb0_demo',
    'demo/hrda',
    'demo/mic',
    'demo/mic_hrda',
    'demo/advseg',
    'demo/minent',
    'hrda/gtaHR2csHR_hrda',
    'mic/gtaHR2csHR_mic_hrda',
)


@functools.cache
def _loaded(name: str) -> Config:
    return Config.fromfile(str(CONFIGS / f'{name}.py'))


def load(name: str) -> Config:
    """A config of its own for every test; the files are read once."""
    return copy.deepcopy(_loaded(name))


def plain(value: Any) -> Any:
    """Tuples as lists: JSON knows no other."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def datasets(node: Any) -> Iterator[dict[str, Any]]:
    """All dicts with a pipeline below a config."""
    if isinstance(node, dict) and 'pipeline' in node:
        yield node
    # Several sources or targets are lists.
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from datasets(value)


def without_weights(cfg: Config) -> Config:
    cfg.model.pretrained = None
    cfg.model.backbone.pop('pretrained', None)
    return cfg


@pytest.mark.parametrize('name', PUBLISHED)
def test_published_name_exists(name: str) -> None:
    assert name in NAMES


@pytest.mark.parametrize('name', NAMES)
def test_dumped_config_loads_again(name: str, tmp_path: Path) -> None:
    cfg = load(name)
    assert not is_legacy(cfg)
    copy = tmp_path / 'copy.py'
    cfg.dump(str(copy))
    assert Config.fromfile(str(copy)).to_dict() == cfg.to_dict()


@pytest.mark.parametrize('name', NAMES)
def test_every_data_type_exists_and_takes_its_settings(name: str) -> None:
    cfg = load(name)
    loaders = [cfg.val_dataloader, cfg.test_dataloader]
    if name not in TESTED_ONLY:
        loaders.append(cfg.train_dataloader)
        assert FUNCTIONS.get(cfg.train_dataloader.collate_fn.type)
    for loader in loaders:
        assert DATA_SAMPLERS.get(loader.sampler.type)
        # Validation takes a list of datasets.
        assert isinstance(loader.dataset, list) or DATASETS.get(loader.dataset.type)
        found = list(datasets(loader.to_dict()))
        assert found
        for dataset in found:
            assert DATASETS.get(dataset['type'])
            Compose(dataset['pipeline'])


@pytest.mark.parametrize('name', NAMES)
def test_every_runtime_type_exists(name: str) -> None:
    cfg = load(name)
    assert METRICS.build(cfg.val_evaluator)
    assert METRICS.build(cfg.test_evaluator)
    if name in TESTED_ONLY:
        return
    several = 'optimizer' not in cfg.optim_wrapper
    for wrapper in cfg.optim_wrapper.values() if several else [cfg.optim_wrapper]:
        assert OPTIMIZERS.get(wrapper.optimizer.type)
    for schedule in cfg.param_scheduler.values() if several else [cfg.param_scheduler]:
        assert PARAM_SCHEDULERS.get(schedule.type)
    assert cfg.train_cfg.max_iters % cfg.train_cfg.val_interval == 0


@pytest.mark.parametrize('name', NAMES)
def test_method_and_networks_build(name: str) -> None:
    with torch.device('meta'):
        method = build_method(without_weights(load(name)))
    loader = load(name).get('train_dataloader') or load(name).test_dataloader
    assert method.model.num_classes == len(dataset_metainfo(loader.dataset)['classes'])


@pytest.mark.parametrize('path', FILES, ids=NAMES)
def test_reads_like_a_recipe_card(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 60
    statements = [type(node).__name__ for node in ast.parse(text).body]
    assert set(statements) == {'Assign'}, 'a config is plain data'


@pytest.mark.parametrize('name', [name for name in NAMES if 'demo' not in name])
def test_name_follows_from_the_file_name(name: str) -> None:
    cfg, file = load(name), Path(name)
    assert cfg.name in (file.name, f'{file.name}_s{cfg.get("seed")}', f'{file.parent}_{file.name}')


@pytest.mark.parametrize('name', NAMES)
def test_synthia_is_scored_on_its_own_classes(name: str) -> None:
    cfg = load(name)
    # With a second source the other classes have labels too.
    pair = cfg.get('train_dataloader', {'dataset': {}})['dataset']
    kinds = {dataset['type'] for dataset in datasets(pair.get('source', pair))}
    trains_on_synthia = kinds == {'SynthiaDataset'}
    # ProCA's last stage knows SYNTHIA by its pseudo-labels only.
    expected = SYNTHIA_SUBSETS if trains_on_synthia or 'synthia' in name else None
    assert cfg.val_evaluator.get('subsets') == expected
    assert cfg.test_evaluator.get('subsets') == expected


# Against the configs that the original code bases resolved.

RECORDED = Case(GOLDENS / 'self_training' / 'experiments_mic.npz').meta['resolved']
MODELS = {
    entry['architecture']: entry for entry in Case(GOLDENS / 'architectures' / 'experiment_models.npz').meta['entries']
}
COMPARED = (
    'model', 'uda', 'optim_wrapper', 'param_scheduler', 'train_dataloader', 'val_dataloader', 'test_dataloader',
    'val_evaluator', 'seed', 'name', 'exp', 'n_gpus', 'name_dataset', 'name_architecture', 'name_encoder',
    'name_decoder', 'name_uda', 'name_opt',
)  # fmt: skip


def test_annotated_daformer_config_is_the_recorded_one() -> None:
    ours, recorded = load(DAFORMER), upgrade(RECORDED[f'configs/{DAFORMER}.py'])
    for key in COMPARED:
        assert plain(ours[key]) == plain(recorded[key]), key
    assert ours.train_cfg.max_iters == recorded.train_cfg.max_iters
    assert ours.train_cfg.val_interval == recorded.train_cfg.val_interval


@pytest.mark.parametrize(
    ('ours', 'recorded'),
    [
        (PUBLISHED[2], 'gta2cs_dacs_a999_fdthings_rcs001_cpl_m32-07-spta_dlv2red_r101v1c_poly10warm_s0'),
        ('dacs/gta2cs_dacs_dlv2red_r101v1c_poly10warm_s0', 'gta2cs_dacs_m32-07-spta_dlv2red_r101v1c_poly10warm_s0'),
    ],
)
def test_dlv2_configs_are_mic_ones_without_the_mask(ours: str, recorded: str) -> None:
    cfg, theirs = load(ours), upgrade(RECORDED[recorded])
    del theirs.uda['masking']
    # MIC reads with one worker.
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        theirs[loader].num_workers = cfg[loader].num_workers
    for key in ('model', 'uda', 'optim_wrapper', 'param_scheduler', 'train_dataloader', 'val_dataloader', 'seed'):
        assert plain(cfg[key]) == plain(theirs[key]), key


def model_of(cfg: Config) -> dict[str, Any]:
    return {key: value for key, value in plain(cfg.model.to_dict()).items() if key != 'data_preprocessor'}


@pytest.mark.parametrize('name', [name for name in NAMES if _loaded(name).get('name_architecture') in MODELS])
def test_model_and_optimizer_rules_are_the_recorded_ones(name: str) -> None:
    cfg = load(name)
    recorded = MODELS[cfg.name_architecture]
    assert model_of(cfg) == recorded['model']
    if cfg.get('uda', {}).get('type') not in ('AdvSeg', 'MinEnt'):  # they have one rate for encoder and head
        assert plain(cfg.optim_wrapper.paramwise_cfg.to_dict()) == recorded['paramwise_cfg']


BASE_MODELS = {
    'daformer_conv1_mitb5': ('daformer_conv1_mitb5', {}),
    'daformer_isa_mitb5': ('daformer_isa_mitb5', {}),
    'daformer_aspp_mitb5': ('daformer_aspp_mitb5', {}),
    'daformer_sepaspp_bottleneck_mitb5': ('daformer_sepaspp_bottleneck_mitb5', {}),
    'upernet_mitb5': ('upernet_mit', {'pretrained': 'pretrained/mit_b5.pth'}),
    'upernet_ch256_mitb5': ('upernet_ch256_mit', {'pretrained': 'pretrained/mit_b5.pth'}),
    'da_nodbn_r101v1c': ('danet_r50-d8', 'nodbn'),
    'isa_nodbn_r101v1c': ('isanet_r50-d8', 'nodbn'),
    'dlv3p_nodbn_r101v1c': ('deeplabv3plus_r50-d8', 'nodbn'),
}
NO_DECODER_NORM = {'pretrained': 'open-mmlab://resnet101_v1c', 'backbone.depth': 101, 'decode_head.norm_cfg': None}


@pytest.mark.parametrize('architecture', BASE_MODELS)
def test_base_model_is_the_recorded_one(architecture: str) -> None:
    file, changes = BASE_MODELS[architecture]
    cfg = load(f'_base_/models/{file}')
    changes = NO_DECODER_NORM if changes == 'nodbn' else changes
    cfg.merge_from_dict({f'model.{key}': value for key, value in changes.items()})
    assert model_of(cfg) == MODELS[architecture]['model']


@pytest.mark.parametrize('architecture', ['daformer_sepaspp_mitb5', 'dlv2red_r101v1c', 'segformer_mitb5'])
def test_parameter_counts_are_the_published_ones(architecture: str) -> None:
    name = next(name for name in NAMES if _loaded(name).get('name_architecture') == architecture)
    with torch.device('meta'):
        student = build_method(without_weights(load(name))).model
    expected = MODELS[architecture]['parameters']
    assert sum(parameter.numel() for parameter in student.parameters()) == expected['total']
    assert sum(parameter.numel() for parameter in student.decode_head.parameters()) == expected['decode_head']


def test_daformer_differs_from_dacs_by_its_stabilisers_only() -> None:
    """Feature distance, a slower teacher, margins and rare class sampling are configuration, not code."""
    dacs, daformer = load('dacs/gta2cs_dacs_segformer_mitb5_poly10warm_s0'), load(PUBLISHED[3])
    assert daformer.uda.pop('feature_distance').weight == 0.005
    assert daformer.train_dataloader.dataset.pop('rare_class_sampling').class_temp == 0.01
    daformer.uda.teacher.alpha = 0.99
    daformer.uda.pseudo_labels.update(ignore_top=0, ignore_bottom=0)
    for key in ('model', 'uda', 'optim_wrapper', 'train_dataloader', 'val_dataloader'):
        assert daformer[key] == dacs[key], key


@pytest.mark.parametrize('name', [name for name in NAMES if name.startswith(('dacs', 'daformer', 'demo/da'))])
def test_target_labels_are_not_read_in_training(name: str) -> None:
    target = load(name).train_dataloader.dataset.target
    for dataset in target if isinstance(target, list) else [target]:
        assert 'LoadAnnotations' not in [step.type for step in dataset.pipeline]
