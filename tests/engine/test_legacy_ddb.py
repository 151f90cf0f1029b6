"""Config files of DDB's original code base, whole and over our bases."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from mmseg.engine.config import load_config
from mmseg.engine.legacy_config import is_legacy, upgrade
from mmseg.models.uda import build_method

ROOT = Path(__file__).parents[2]
OURS = 'configs/ddb/{task}/{round}_{step}_dlv2_r101v1c_{gpus}_512x512_40k_{task}.py'
NORM = {'type': 'SyncBN', 'requires_grad': True}
INPUT = {'type': 'Normalize', 'mean': [123.675, 116.28, 103.53], 'std': [58.395, 57.12, 57.375], 'to_rgb': True}
MODEL = {
    'type': 'UDAEncoderDecoder',
    'pretrained': 'open-mmlab://resnet101_v1c',
    'backbone': {
        'type': 'ResNetV1c', 'depth': 101, 'num_stages': 4, 'out_indices': (0, 1, 2, 3), 'dilations': (1, 1, 2, 4),
        'strides': (1, 2, 1, 1), 'norm_cfg': NORM, 'norm_eval': False, 'style': 'pytorch', 'contract_dilation': True,
    },
    'decode_head': {
        'type': 'DLV2AdapterHead', 'in_channels': 2048, 'in_index': 3, 'channels': 256, 'dilations': (6, 12),
        'dropout_ratio': 0.1, 'num_classes': 19, 'norm_cfg': NORM, 'align_corners': False,
        'loss_decode': {'type': 'CrossEntropyLoss', 'use_sigmoid': False, 'loss_weight': 1.0},
    },
    'train_cfg': {},
    'test_cfg': {'mode': 'whole'},
}  # fmt: skip


def pipeline(labels: bool, colours: bool = False, **resize: Any) -> list[dict[str, Any]]:
    return [
        {'type': 'LoadImageFromFile'},
        {'type': 'LoadAnnotations'},
        {'type': 'Resize', **resize},
        {'type': 'RandomCrop', 'crop_size': (512, 512), **({'cat_max_ratio': 0.75} if labels else {})},
        {'type': 'RandomFlip', 'prob': 0.5},
        *([{'type': 'PhotoMetricDistortion'}] if colours else []),
        INPUT,
        {'type': 'Pad', 'size': (512, 512), 'pad_val': 0, 'seg_pad_val': 255},
        {'type': 'DefaultFormatBundle'},
        {'type': 'Collect', 'keys': ['img', 'gt_semantic_seg']},
    ]


TEST_PIPELINE = [
    {'type': 'LoadImageFromFile'},
    {
        'type': 'MultiScaleFlipAug',
        'img_scale': (1024, 512),
        'flip': False,
        'transforms': [
            {'type': 'Resize', 'keep_ratio': True},
            {'type': 'RandomFlip'},
            INPUT,
            {'type': 'ImageToTensor', 'keys': ['img']},
            {'type': 'Collect', 'keys': ['img']},
        ],
    },
]


def dataset(kind: str, root: str, images: str, labels: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {'type': kind, 'data_root': f'data/{root}/', 'img_dir': images, 'ann_dir': labels, 'pipeline': steps}


def gta(colours: bool) -> dict[str, Any]:
    return dataset('GTADataset', 'gta', 'images', 'labels', pipeline(True, colours, img_scale=(1280, 720)))


CITYSCAPES = dataset(
    'CityscapesDataset', 'cityscapes', 'leftImg8bit/train', 'gtFine/train', pipeline(False, img_scale=(1024, 512))
)
MAPILLARY = dataset(
    'MapillaryDataset', 'mapillary', 'training/images', 'cityscape_trainIdLabel/train/label',
    pipeline(False, img_scale=(1024, 512), min_size=512, keep_ratio=True),
)  # fmt: skip
VALIDATION = dataset('CityscapesDataset', 'cityscapes', 'leftImg8bit/val', 'gtFine/val', TEST_PIPELINE)
HALF = dataset('MapillaryDataset', 'mapillary', 'half/val_img', 'half/val_label', TEST_PIPELINE)


def whole(uda: dict[str, Any], train: dict[str, Any], val: Any = VALIDATION, per_gpu: int = 4) -> dict[str, Any]:
    """A 0.x config that stands alone."""
    optimizer = {
        'type': 'AdamW', 'lr': 6e-5, 'betas': (0.9, 0.999), 'weight_decay': 0.01,
        'paramwise_cfg': {'custom_keys': {'head': {'lr_mult': 10.0}}},
    }  # fmt: skip
    return copy.deepcopy(
        {
            'model': MODEL,
            'data': {
                'samples_per_gpu': per_gpu,
                'workers_per_gpu': 4,
                'train': {'type': 'STDataset', 'post_pmd': True, 'post_blur': True, 'img_norm_cfg': {}, **train},
                'val': val,
                'test': val,
            },
            # What the data above was put together from stays in a resolved file.
            'train_cityscapes': CITYSCAPES,
            'uda': uda,
            'optimizer': {'stu_model': optimizer} if uda['type'] == 'CKD' else optimizer,
            'optimizer_config': None,
            'lr_config': {
                'policy': 'poly', 'warmup': 'linear', 'warmup_iters': 1500, 'warmup_ratio': 1e-6, 'power': 1.0,
                'min_lr': 0.0, 'by_epoch': False,
            },
            'runner': {'type': 'IterBasedRunner', 'max_iters': 40000},
            'evaluation': {'interval': 4000, 'metric': 'mIoU'},
            'checkpoint_config': {'by_epoch': False, 'interval': 4000, 'max_keep_ckpts': 1},
            'seed': 0,
        }
    )  # fmt: skip


ST = {
    'type': 'ST', 'alpha': 0.99, 'pseudo_threshold': 0.968, 'pseudo_weight_ignore_top': 0,
    'pseudo_weight_ignore_bottom': 0, 'distilled_model_path': None, 'imnet_feature_dist_lambda': 0,
    'imnet_feature_dist_classes': None, 'imnet_feature_dist_scale_min_ratio': None, 'debug_img_interval': 1000,
    'print_grad_magnitude': False,
}  # fmt: skip
CKD = {
    'type': 'CKD', 'proto_rectify': True, 'rectify_on_prob': True, 'soft_distill': False,
    'cu_model_load_from': 'cu.pth', 'ca_model_load_from': 'ca.pth', 'cu_proto_path': 'cu_p.pth',
    'ca_proto_path': 'ca_p.pth', 'imnet_feature_dist_lambda': 0,
}  # fmt: skip


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize(
    ('old', 'step', 'task'),
    [
        (whole(ST, {'mask': 'class', 'source': gta(False), 'target': CITYSCAPES}), 'st_ca', 'gtav2cityscapes'),
        (whole(ST, {'mask': 'cut', 'source': gta(False), 'target': CITYSCAPES}), 'st_cu', 'gtav2cityscapes'),
        (whole(CKD, {'mask': 'zero', 'source': gta(True), 'target': CITYSCAPES}), 'ckd', 'gtav2cityscapes'),
        (
            whole(ST, {'mask': 'class', 'source': gta(False), 'target': [CITYSCAPES, MAPILLARY]}, [VALIDATION, HALF]),
            'st_ca',
            'gta2city+mapi',
        ),
    ],
)
def test_whole_files_are_our_configs(old: dict[str, Any], step: str, task: str) -> None:
    ours = load_config(ROOT / OURS.format(task=task, round='r1', step=step, gpus='1x4'))
    assert is_legacy(old)
    new = upgrade(old)
    assert not is_legacy(new)
    if step == 'ckd':
        for teacher in ours.uda.teachers:
            teacher.update(checkpoint=f'{teacher.name}.pth', prototypes=f'{teacher.name}_p.pth')
    assert new.sync_bn is True  # without effect in one process
    keys = ('model', 'uda', 'optim_wrapper', 'param_scheduler', 'train_dataloader', 'val_dataloader', 'val_evaluator')
    for key in keys:
        theirs = plain(new[key])
        if key == 'val_evaluator':
            theirs = {'type': 'IoUMetric', **theirs}
        assert theirs == plain(ours[key]), key
    assert new.train_cfg == {'max_iters': 40000, 'val_interval': 4000}


BASES = (
    'default_runtime', 'models/deeplabv2red_r101v1c-d8_adapter', 'datasets/st_gta2city_512x512{pmd}', 'uda/{uda}',
    'schedules/{adamw}', 'schedules/schedule_{length}',
)  # fmt: skip


def over_our_bases(folder: Path, text: str, uda: str = 'st', pmd: str = '', length: str = '40k') -> Any:
    """A file of the original that inherits from bases of the original's names."""
    names = {'uda': uda, 'pmd': pmd, 'adamw': 'adamw_ckd' if uda == 'ckd' else 'adamw', 'length': length}
    bases = [str(ROOT / 'configs' / '_base_' / f'{base}.py').format(**names) for base in BASES]
    file = folder / 'old.py'
    file.write_text(f'_base_ = {bases!r}\n{text}')
    return load_config(file)


@pytest.mark.parametrize(
    ('length', 'iterations', 'interval'),
    [('40k', 40000, 4000), ('60k', 60000, 4000), ('80k', 80000, 4000), ('160k', 160000, 16000)],
)
def test_schedules_over_our_bases(tmp_path: Path, length: str, iterations: int, interval: int) -> None:
    cfg = over_our_bases(tmp_path, 'data = dict(samples_per_gpu=2)\n', length=length)
    assert (cfg.train_cfg.max_iters, cfg.train_cfg.val_interval) == (iterations, interval)
    assert cfg.param_scheduler.type == 'Poly10Warm'


def test_round_two_over_our_bases(tmp_path: Path) -> None:
    cfg = over_our_bases(
        tmp_path,
        "data = dict(samples_per_gpu=2, train=dict(mask='cut'))\n"
        'optimizer = dict(lr=6e-6, paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0))))\n'
        "runner = dict(type='DynamicIterBasedRunner', is_dynamic_ddp=True, pass_training_status=True)\n"
        "uda = dict(distilled_model_path='student.pth')\n",
    )
    assert cfg.uda.mixing == {'type': 'CutMix', 'area': 0.4}
    assert cfg.uda.strong_augment['scope'] == 'image' and cfg.uda.type == 'DACS'
    assert cfg.load_from == 'student.pth' and cfg.optim_wrapper.optimizer.lr == 6e-6
    assert cfg.train_dataloader.batch_size == 2 and cfg.train_dataloader.dataset.source_order == 'shuffled'


def test_distillation_over_our_bases(tmp_path: Path) -> None:
    cfg = over_our_bases(
        tmp_path,
        'data = dict(samples_per_gpu=4)\n'
        'optimizer = dict(stu_model=dict(lr=6e-5, paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0)))))\n'
        "uda = dict(soft_distill=True, soft_distill_w=0.5, temp=2, proto_rectify=True, cu_model_load_from='a.pth',\n"
        "           cu_proto_path='p.pth', ca_model_load_from='b.pth', ca_proto_path='q.pth')\n",
        'ckd',
        '_pmd',
    )
    assert cfg.uda.teachers == [
        {'name': 'cu', 'checkpoint': 'a.pth', 'prototypes': 'p.pth'},
        {'name': 'ca', 'checkpoint': 'b.pth', 'prototypes': 'q.pth'},
    ]
    assert (cfg.uda.mode, cfg.uda.rectify, cfg.uda.soft_weight, cfg.uda.temperature) == ('soft', 'logit', 0.5, 2)
    assert cfg.optim_wrapper.optimizer.type == 'AdamW'
    cfg.model.pretrained = None
    with torch.device('meta'):
        assert build_method(cfg).mode == 'soft'


def test_originals_defaults_of_the_distillation() -> None:
    """Files that say nothing of it distil hard labels without prototypes."""
    new = upgrade(
        {'uda': {'type': 'CKD', 'cu_model_load_from': 'cu.pth', 'use_pl_weight': True, 'pseudo_threshold': 0.9}}
    )
    assert new.uda == {
        'type': 'CrossPathDistillation',
        'mode': 'hard',
        'rectify': None,
        'pseudo_labels': {'weighting': 'batch', 'threshold': 0.9},
        'teachers': [{'name': 'cu', 'checkpoint': 'cu.pth'}, {'name': 'ca', 'checkpoint': ''}],
    }


def test_one_key_over_our_distillation_leaves_the_others() -> None:
    ours = {'type': 'CrossPathDistillation', 'mode': 'hard', 'rectify': 'probability'}
    ours |= {'teachers': [{'name': 'cu', 'checkpoint': 'a', 'prototypes': 'b', 'ema': True}, {'name': 'x'}]}
    new = upgrade({'uda': {**ours, 'rectify_on_prob': False, 'cu_model_load_from': 'c'}}).uda
    assert (new.mode, new.rectify) == ('hard', 'logit')
    assert new.teachers == [{'name': 'cu', 'checkpoint': 'c', 'prototypes': 'b', 'ema': True}, {'name': 'x'}]


def test_bridging_images_without_augmentation() -> None:
    train = {'type': 'STDataset', 'mask': 'zero', 'post_pmd': False, 'post_blur': False, 'source': gta(False)}
    new = upgrade({'uda': {'type': 'ST'}, 'data': {'train': train}}).uda
    assert new.mixing == {'type': 'NoMix'}
    assert (new.strong_augment.jitter_probability, new.strong_augment.blur) == (0.0, False)


def test_rare_class_sampling_draws_as_it_did() -> None:
    sampling = {'class_temp': 0.01, 'min_crop_ratio': 0.5, 'min_pixels': 3000}
    train = {'type': 'STDataset', 'mask': 'cut', 'source': gta(False), 'rare_class_sampling': sampling}
    dataset = upgrade({'data': {'train': train}}).train_dataloader.dataset
    assert dataset.rare_class_sampling == sampling and 'source_order' not in dataset


@pytest.mark.parametrize(
    ('cfg', 'message'),
    [
        (
            {'data': {'train': {'mask': 'cow'}}},
            r"data\.train\.mask='cow' cannot be translated; only cut, class, zero can",
        ),
        ({'uda': {'type': 'CKD', 'proto_rectifi': True}}, r'unknown key uda\.proto_rectifi=True'),
        ({'optimizer': {'stu_model': {'lr': 1}, 'cu_model': {'lr': 1}}}, r'unknown key optimizer\.cu_model'),
        ({'uda': {'type': 'DACS', 'proto_rectify': True}}, r'unknown key uda\.proto_rectify=True'),
    ],
)
def test_what_cannot_be_translated_is_named(cfg: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        upgrade(cfg)
