"""Config files of the original code bases (mmsegmentation 0.x schema), in ours.

A 0.x file may stand alone, or inherit from this repository's ``_base_`` files: those bear the published names, so an
original config file dropped into ``configs/`` finds our bases and lays its 0.x settings over them. Both are translated
here, key by key; a key that is not known is an error.
"""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from mmseg.engine.config import OPTIONAL_KEYS
from mmseg.engine.legacy_cdda import with_depth
from mmseg.engine.legacy_data import as_plain, upgrade_data
from mmseg.engine.legacy_ddb import take_bridging, upgrade_ddb
from mmseg.engine.legacy_section import Section, merge
from mmseg.engine.legacy_uda import FLAT_UDA_KEYS, METHODS, discriminator_settings, upgrade_uda

SECTIONS = (
    'data', 'optimizer', 'optimizer_config', 'lr_config', 'runner', 'total_iters', 'evaluation', 'checkpoint_config',
    'log_config', 'dist_params', 'workflow', 'resume_from', 'cudnn_benchmark', 'use_ddp_wrapper',
    'find_unused_parameters',
)  # fmt: skip
RENAMED = {
    'UniHead': 'DAFormerHead',
    'MultiResEncoderDecoder': 'HRDAEncoderDecoder',
    'MultiResAttentionWrapper': 'HRDAHead',
    'UDAEncoderDecoder': 'EncoderDecoder',
}
# Processes share the statistics of batch norms by a switch of the run here.
NORMS = {'SyncBN': 'BN'}
# Options without effect; those of HRDA's head the segmentor fills in from its own.
GONE_BELOW = {'fusion_cfg': ('fusion',), 'decode_head': ('scales', 'enable_hr_crop', 'hr_slide_inference')}
# Settings of today's schema, and words about a run: both stay as they are.
KEPT = re.compile(
    '|'.join(OPTIONAL_KEYS) + '|model|train_cfg|train_dataloader|optim_wrapper|test_evaluator|default_scope|'
    'n_gpus|gpu_model|git_rev|name_.*|_.*'
)
# Python variables of the original files that other keys were built from, and what their train script added.
VARIABLES = re.compile(
    r'\w*pipeline|\w*data_root|\w*root|\w*dataset_type|\w*norm_cfg|\w*crop_size|\w*img_scale|num_classes|classes|'
    'gpus|gpu_ids|device'
)


def is_legacy(cfg: Mapping[str, Any] | Config) -> bool:
    """Whether any part of a config is in the 0.x schema."""
    if any(key in cfg for key in SECTIONS) or _has_flat_keys(cfg.get('uda') or {}):
        return True
    return any(name in RENAMED for name in _type_names(cfg.get('model')))


def _has_flat_keys(uda: Mapping[str, Any]) -> bool:
    # Ours has source_only too, and a method of the user's own may call its settings what it likes.
    flat = (key for key in uda if FLAT_UDA_KEYS.fullmatch(key) and key != 'source_only')
    return uda.get('type', 'DACS') in METHODS and any(flat)


def upgrade(cfg: Mapping[str, Any] | Config) -> Config:
    """The same experiment in today's schema.

    Args:
        cfg: a whole 0.x config, one that lays 0.x settings over ours, or a part such as ``{model, uda, optimizer}``
            (then only the counterparts of these are in the result).

    Raises:
        ValueError: names the key that is unknown or whose value has no counterpart.
    """
    filename = cfg.filename if isinstance(cfg, Config) else None
    old = Section(as_plain(cfg.to_dict() if isinstance(cfg, Config) else cfg), '')
    new = {key: old.take(key) for key in list(old.left) if KEPT.fullmatch(key)}
    notes: list[str] = []
    if 'model' in new:
        if 'SyncBN' in _type_names(new['model']):
            new.setdefault('sync_bn', True)
        new['model'] = _upgrade_model(new['model'])
    discriminator = None
    if new.get('uda') is not None:
        uda = Section(new['uda'], 'uda')
        new |= upgrade_ddb(uda)
        discriminator = discriminator_settings(uda, 'discriminator' in (new.get('optim_wrapper') or {}))
        upgraded, panels = upgrade_uda(uda, notes)
        new = merge({**new, 'uda': upgraded}, panels)
    if 'data' in old:
        data = Section(old.take('data'), 'data')
        if bridging := take_bridging(data, (new.get('uda') or {}).get('type')):
            new = merge(new, {'uda': bridging})
        new = merge(new, upgrade_data(data))
        for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            if 'dataset' not in new.get(loader, {}):
                new.pop(loader, None)
    for key, translate in TRANSLATIONS.items():
        if key in old:
            value = old.take(key)
            new = merge(new, translate(value if key == 'total_iters' else Section(value, key), notes))
    if 'lr_config' in old:
        new['param_scheduler'] = _upgrade_schedule(Section(old.take('lr_config'), 'lr_config'))
    if discriminator is not None:
        new = _with_discriminator(new, *discriminator)
    if 'cudnn_benchmark' in old:
        new = merge(new, {'env_cfg': {'cudnn_benchmark': old.take('cudnn_benchmark')}})
    if resume_from := old.take('resume_from'):
        new['resume'] = resume_from
    if 'workflow' in old:
        old.expect('workflow', [('train', 1)], [['train', 1]])
    if new.get('seed', 0) is None:
        del new['seed']
    # Gradients are averaged over processes without a wrapper around the networks.
    old.take('use_ddp_wrapper')
    old.take('find_unused_parameters')
    for key, value in list(old.left.items()):
        # DDB's files keep whole data sets in variables.
        if VARIABLES.fullmatch(key) or (isinstance(value, Mapping) and 'pipeline' in value):
            old.take(key)
    old.close()
    if notes:
        print_log(f'0.x config: left out, as nothing here corresponds: {"; ".join(notes)}', 'current', logging.WARNING)
    return Config(with_depth(new), filename=filename)


def _type_names(node: Any) -> list[str]:
    if isinstance(node, Mapping):
        return [
            *(str(node[key]) for key in ('type', 'single_scale_head') if key in node),
            *(name for value in node.values() for name in _type_names(value)),
        ]
    # A cascade lists its heads.
    return [name for item in node for name in _type_names(item)] if isinstance(node, list) else []


def _upgrade_model(node: Any, parent: str = 'model') -> Any:
    """Old class names and options; the rest of the model schema has not changed."""
    if isinstance(node, list):
        return [_upgrade_model(item, parent) for item in node]
    if not isinstance(node, Mapping):
        return (RENAMED | NORMS).get(node, node) if parent in ('type', 'single_scale_head') else node
    gone = {'ema_drop_path_rate', *GONE_BELOW.get(parent, ())}
    return {key: _upgrade_model(value, key) for key, value in node.items() if key not in gone}


def _upgrade_optimizer(old: Section, notes: list[str]) -> dict[str, Any]:
    if 'stu_model' in old:
        # DDB's distillation has its optimizer by the trained network's name.
        student = Section(old.take('stu_model'), old.name('stu_model'))
        old.close()
        return _upgrade_optimizer(student, notes)
    old.expect('constructor', 'DefaultOptimizerConstructor')
    rules = Section(old.take('paramwise_cfg'), old.name('paramwise_cfg'))
    custom_keys = rules.take('custom_keys')
    rules.close()
    optimizer = {key: old.take(key) for key in list(old.left)}
    if 'betas' in optimizer:
        optimizer['betas'] = tuple(optimizer['betas'])
    return {
        'optim_wrapper': {'optimizer': optimizer}
        | ({'paramwise_cfg': {'custom_keys': custom_keys}} if custom_keys else {})
    }


def _upgrade_optimizer_config(old: Section, notes: list[str]) -> dict[str, Any]:
    clip = old.take('grad_clip')
    old.close()
    return {'optim_wrapper': {'clip_grad': clip}} if clip else {}


def _upgrade_schedule(old: Section) -> dict[str, Any] | None:
    """Polynomial decay in mmcv's parameters; None is a constant rate."""
    policy = old.take('policy')
    old.expect('by_epoch', False)
    if policy == 'fixed':
        old.close()
        return None
    if policy != 'poly':
        raise ValueError(f"0.x config: lr_config.policy={policy!r} cannot be translated; only 'poly' and 'fixed' can")
    new = {'power': old.take('power', 1.0), 'min_lr': old.take('min_lr', 0.0)}
    warmup = {'warmup_iters': old.take('warmup_iters', 0), 'warmup_ratio': old.take('warmup_ratio', 0.1)}
    if 'warmup' in old and old.left['warmup'] is not None:
        new |= warmup
    old.expect('warmup', None, 'linear')
    old.expect('warmup_by_epoch', False)
    old.close()
    if new == {'power': 1.0, 'min_lr': 1e-4}:
        return {'type': 'Poly10'}
    if new == {'power': 1.0, 'min_lr': 0.0, 'warmup_iters': 1500, 'warmup_ratio': 1e-6}:
        return {'type': 'Poly10Warm'}
    return {'type': 'Poly', **new}


def _with_discriminator(
    new: Mapping[str, Any], optim_wrapper: Mapping[str, Any], schedule: Mapping[str, Any]
) -> dict[str, Any]:
    """The originals' optimizer and schedule become ``main``, beside those of the discriminator."""
    for key, ours, single in (
        ('optim_wrapper', optim_wrapper, 'optimizer'),
        ('param_scheduler', schedule, 'type'),
    ):
        by_name = dict(new.get(key) or {})
        if single in by_name:
            by_name = {'main': by_name}
        new = {**new, key: {**by_name, 'discriminator': ours}}
    return dict(new)


def _upgrade_runner(old: Section, notes: list[str]) -> dict[str, Any]:
    old.expect('type', 'IterBasedRunner', 'DynamicIterBasedRunner')
    # Of DDB's runner: gradients are averaged after the last backward anyway.
    old.take('is_dynamic_ddp')
    old.take('pass_training_status')
    new = {'max_iters': old.take('max_iters')} if 'max_iters' in old else {}
    old.close()
    return {'train_cfg': new}


def _upgrade_evaluation(old: Section, notes: list[str]) -> dict[str, Any]:
    new: dict[str, Any] = {}
    if 'interval' in old:
        new['train_cfg'] = {'val_interval': old.take('interval')}
    if 'metric' in old:
        metric = old.take('metric')
        metrics = {'iou_metrics': [metric] if isinstance(metric, str) else list(metric)}
        new |= {'val_evaluator': metrics, 'test_evaluator': dict(metrics)}
    if 'save_best' in old:
        new['default_hooks'] = {'checkpoint': {'save_best': old.take('save_best')}}
    for how_only in ('by_epoch', 'pre_eval', 'efficient_test', 'gpu_collect'):
        old.take(how_only)
    old.close()
    return new


def _upgrade_checkpoints(old: Section, notes: list[str]) -> dict[str, Any]:
    new = {
        ours: old.take(theirs)
        for ours, theirs in (('interval', 'interval'), ('max_keep', 'max_keep_ckpts'))
        if theirs in old
    }
    old.expect('by_epoch', False)
    old.take('meta')  # filled in by the originals' train script
    old.close()
    return {'default_hooks': {'checkpoint': new}}


def _upgrade_log(old: Section, notes: list[str]) -> dict[str, Any]:
    hooks: dict[str, Any] = {}
    if 'interval' in old:
        hooks['logger'] = {'interval': old.take('interval')}
    if 'img_interval' in old:
        hooks['panels'] = {'interval': old.take('img_interval')}
    for hook in old.take('hooks', []):
        if hook['type'] == 'TensorboardLoggerHook' and importlib.util.find_spec('tensorboard'):
            hooks['tensorboard'] = True
        elif hook['type'] == 'TensorboardLoggerHook':
            notes.append(f'log_config.hooks: {hook["type"]} (without TensorBoard; pip install "tensorboard>=2.16")')
        elif hook['type'] != 'TextLoggerHook':
            notes.append(f'log_config.hooks: {hook["type"]}')
    old.close()
    return {'default_hooks': hooks}


def _upgrade_processes(old: Section, notes: list[str]) -> dict[str, Any]:
    new = {'env_cfg': {'dist_cfg': {'backend': old.take('backend', 'nccl')}}}
    old.close()
    return new


TRANSLATIONS = {
    'optimizer': _upgrade_optimizer,
    'optimizer_config': _upgrade_optimizer_config,
    'runner': _upgrade_runner,
    'total_iters': lambda iterations, notes: {'train_cfg': {'max_iters': iterations}},
    'evaluation': _upgrade_evaluation,
    'checkpoint_config': _upgrade_checkpoints,
    'log_config': _upgrade_log,
    'dist_params': _upgrade_processes,
}
