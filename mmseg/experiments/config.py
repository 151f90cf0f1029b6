"""The config of one training: names of base files and what lies over them."""

from __future__ import annotations

from typing import Any

from mmseg.experiments.grid import SAME, Masking, Training, Unknown
from mmseg.experiments.names import dataset_name, decoder_name, method_name, optimizer_name, training_name
from mmseg.experiments.networks import network

Config = dict[str, Any]

# (top, bottom, left, right) in pixels of the target's 1024x2048 canvas, and rows of the training crops.
TARGET_MARGINS = [30, 240, 30, 30]
CROP_MARGINS = {'ignore_top': 15, 'ignore_bottom': 120}


def child_config(training: Training) -> Config:
    """A config over the files of ``configs/_base_/``, whose paths are given relative to ``configs/``.

    Raises:
        Unknown: a setting that no config stands for.
    """
    base, model = network(training)
    files = ['default_runtime', f'models/{base}', f'datasets/{_dataset_file(training)}']
    if training.adapts:
        files.append(f'uda/{training.uda}')
    files += _schedules(training)
    config: Config = {
        '_base_': [f'_base_/{file}.py' for file in files],
        'seed': training.seed,
        'n_gpus': 1,
        'model': model,
        'train_dataloader': _loader(training),
        'optim_wrapper': _optimizer(training),
        'train_cfg': {'max_iters': training.max_iters, 'val_interval': max(training.max_iters // 10, 1)},
        'default_hooks': {'checkpoint': {'interval': training.max_iters}},
    }
    if method := _method(training):
        config['uda'] = method
    return {
        **config,
        'name': training_name(training),
        'name_dataset': dataset_name(training),
        'name_architecture': f'{decoder_name(training)}_{training.backbone}',
        'name_encoder': training.backbone,
        'name_decoder': decoder_name(training),
        'name_uda': method_name(training),
        'name_opt': optimizer_name(training),
    }


def _dataset_file(training: Training) -> str:
    crop = f'{training.crop}x{training.crop}'
    if training.uda == 'target-only':
        return f'{training.target}_{crop}'
    pair = f'{training.source}_to_{training.target}_{crop}'
    return pair if training.uda == 'source-only' else f'uda_{pair}'


def _schedules(training: Training) -> list[str]:
    if training.uda != 'advseg':
        return [f'schedules/{training.optimizer}', f'schedules/{training.schedule}']
    # Two optimizers, with their schedules, in one file.
    if (training.optimizer, training.schedule) != ('sgd', 'poly10warm'):
        raise Unknown('advseg: there is a config for optimizer sgd with schedule poly10warm only')
    return ['schedules/sgd_advseg']


def _loader(training: Training) -> Config:
    dataset: Config = {}
    if training.margins == 2:
        dataset['pseudo_margins'] = TARGET_MARGINS
    if training.rcs is not None:
        dataset['rare_class_sampling'] = {
            'min_pixels': 3000,
            # Infinity would not survive being written to a file.
            'class_temp': 'inf' if training.rcs == float('inf') else training.rcs,
            'min_crop_ratio': training.rcs_min_crop,
        }
    if training.sync_crop:
        dataset['sync_crop_size'] = list(training.sync_crop)
    loader: Config = {'batch_size': 2, 'num_workers': training.workers}
    return {**loader, 'dataset': dataset} if dataset else loader


def _method(training: Training) -> Config:
    method: Config = {}
    if training.margins == 1:
        method['pseudo_labels'] = dict(CROP_MARGINS)
    if training.masking is not None:
        method['masking'] = _masking(training.masking)
    return method


def _masking(masking: Masking) -> Config:
    settings: Config = {
        'mode': masking.mode,
        'weight': masking.weight,
        'generator': {'type': 'block', 'mask_ratio': masking.ratio, 'mask_block_size': masking.block},
    }
    own = {'alpha': masking.alpha, 'threshold': masking.threshold}
    return settings | {key: value for key, value in own.items() if value != SAME}


def _optimizer(training: Training) -> Config:
    keys: Config = {}
    if training.fast_head:
        keys['head'] = {'lr_mult': 10.0}
    if training.backbone.startswith('mit'):
        keys |= {'pos_block': {'decay_mult': 0.0}, 'norm': {'decay_mult': 0.0}}
    main: Config = {'optimizer': {'lr': training.lr}}
    if keys:
        main['paramwise_cfg'] = {'custom_keys': keys}
    return {'main': main} if training.uda == 'advseg' else main
