"""The real method on tiny files: resumed equals undisturbed, in one process and with workers."""

import pytest
import torch
from mmengine.config import Config

from mmseg.engine.json_log import read_rows
from mmseg.engine.runner import Runner
from mmseg.engine.training_state import load_checkpoint
from tests.datasets.tiny_data import cityscapes_config, gta_config, write_cityscapes, write_gta
from tests.engine.test_resume import same_run, stop_after

SIZE = 32


def dacs_config(data, work_dir, workers=0, **changes):
    """DACS with rare class sampling, margins, all augmentations, dropout and drop path on a small Mix Transformer."""
    source, target = str(data / 'gta'), str(data / 'cityscapes')
    cfg = Config(
        {
            'model': {
                'type': 'EncoderDecoder',
                'data_preprocessor': {
                    'type': 'SegDataPreProcessor',
                    'mean': [123.675, 116.28, 103.53],
                    'std': [58.395, 57.12, 57.375],
                    'bgr_to_rgb': True,
                },
                'backbone': {'type': 'mit_b0'},
                'decode_head': {
                    'type': 'SegFormerHead',
                    'in_channels': [32, 64, 160, 256],
                    'in_index': [0, 1, 2, 3],
                    'channels': 16,
                    'decoder_params': {'embed_dim': 16},
                    'dropout_ratio': 0.1,
                    'num_classes': 19,
                    'norm_cfg': {'type': 'BN'},
                    'align_corners': False,
                    'loss_decode': {'type': 'CrossEntropyLoss'},
                },
                'test_cfg': {'mode': 'whole'},
            },
            'uda': {
                'type': 'DACS',
                'teacher': {'alpha': 0.99},
                'pseudo_labels': {'threshold': 0.05, 'ignore_top': 2, 'ignore_bottom': 3},
                'mixing': {'type': 'ClassMix'},
                'strong_augment': {'jitter_strength': 0.2, 'jitter_probability': 0.8, 'blur': True},
            },
            'work_dir': str(work_dir),
            'train_dataloader': {
                'dataset': {
                    'type': 'UDADataset',
                    'source': gta_config(source),
                    'target': cityscapes_config(target),
                    'rare_class_sampling': {'min_pixels': 10, 'class_temp': 0.01, 'min_crop_ratio': 0.5},
                },
                'batch_size': 2,
                'num_workers': workers,
            },
            'val_dataloader': {
                'dataset': cityscapes_config(
                    target,
                    test_mode=True,
                    pipeline=[{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}, {'type': 'PackSegInputs'}],
                ),
                'batch_size': 1,
            },
            'val_evaluator': {'type': 'IoUMetric'},
            'optim_wrapper': {
                'optimizer': {'type': 'AdamW', 'lr': 6e-4, 'weight_decay': 0.01},
                'paramwise_cfg': {'custom_keys': {'head': {'lr_mult': 10.0}, 'norm': {'decay_mult': 0.0}}},
            },
            'param_scheduler': {'type': 'Poly10Warm', 'warmup_iters': 2},
            'train_cfg': {'max_iters': 6, 'val_interval': 3},
            'default_hooks': {'logger': {'interval': 2}, 'checkpoint': {'interval': 2, 'save_best': 'mIoU'}},
            'seed': 3,
        }
    )
    cfg.merge_from_dict({key.replace('__', '.'): value for key, value in changes.items()})
    return cfg


@pytest.fixture
def data(tmp_path):
    write_gta(tmp_path / 'gta')
    write_cityscapes(tmp_path / 'cityscapes')
    return tmp_path


@pytest.mark.parametrize(('workers', 'accumulate'), [(0, 1), (1, 1), (3, 2)])
def test_resumed_dacs_equals_undisturbed(data, workers, accumulate):
    def run(name, **changes):
        return Runner.from_cfg(dacs_config(data, data / name, workers, train_cfg__accumulate=accumulate, **changes))

    run('whole').train()
    stop_after(run('parts'), 4).train()
    resumed = run('parts', resume=True)
    resumed.train()
    same_run(data / 'parts', data / 'whole')
    state = load_checkpoint(data / 'parts' / 'latest.pth')['state_dict']
    assert {key.split('.')[0] for key in state} == {'model', 'ema_model'}
    assert len(list((data / 'whole' / 'panels').glob('*.png'))) == 1
    assert resumed.best['mIoU']['iteration'] in (3, 6)


def test_worker_count_does_not_matter(data):
    for workers in (0, 2):
        Runner.from_cfg(dacs_config(data, data / f'run{workers}', workers)).train()
    same_run(data / 'run2', data / 'run0')


def test_channels_last_changes_rounding_and_dropout_masks_only(data):
    for name, changes in (('first', {}), ('last', {'channels_last': True})):
        changes['model__decode_head__dropout_ratio'] = 0.0
        runner = Runner.from_cfg(dacs_config(data, data / name, train_cfg__max_iters=1, **changes))
        runner.train()
    kernel = runner.model.student.backbone.patch_embed1.proj.weight
    assert kernel.is_contiguous(memory_format=torch.channels_last)
    losses = [read_rows(data / name / 'log.jsonl')[1]['mix.decode.loss_seg'] for name in ('first', 'last')]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


@pytest.mark.parametrize(('before', 'after'), [(False, True), (True, False)])
def test_resumed_in_another_memory_order(data, before, after):
    def run(name, iterations, order, **changes):
        changes['model__decode_head__dropout_ratio'] = 0.0
        cfg = dacs_config(data, data / name, train_cfg__max_iters=iterations, channels_last=order, **changes)
        runner = Runner.from_cfg(cfg)
        runner.train()
        return runner

    run('whole', 2, before)
    run('parts', 1, before)
    kernels = run('parts', 2, after, resume=True)
    for parameter, values in kernels.optim_wrapper.optimizer.state.items():
        assert values['exp_avg'].stride() == parameter.stride()
    weights = [load_checkpoint(data / name / 'latest.pth')['state_dict'] for name in ('whole', 'parts')]
    for key, value in weights[0].items():
        if value.is_floating_point():
            torch.testing.assert_close(weights[1][key], value, rtol=1e-3, atol=1e-4, msg=key)
