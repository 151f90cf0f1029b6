"""A run folder in miniature for the commands' tests: data, config, checkpoint, and a network of two convolutions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from PIL import Image
from torch import nn

from mmseg.registry import MODELS

CLASSES = ('road', 'sky', 'car')
PALETTE = [[128, 64, 128], [70, 130, 180], [0, 0, 142]]
SIZE = (24, 32)


@MODELS.register_module()
class TwoLevelBackbone(nn.Module):
    """Features at 1/2 and 1/4 of the image."""

    def __init__(self, pretrained: str | None = None) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, 2, 1)
        self.second = nn.Conv2d(4, 8, 3, 2, 1)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        first = self.first(images).relu()
        return [first, self.second(first).relu()]


def write_images(root: Path, split: str, count: int = 3, labels: bool = True) -> None:
    generator = np.random.default_rng(count)
    for number in range(count):
        city = 'aachen' if number % 2 else 'bochum'
        image = root / 'leftImg8bit' / split / city / f'{city}_{number:06d}_leftImg8bit.png'
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (*SIZE, 3), np.uint8)).save(image)
        if labels:
            label = root / 'gtFine' / split / city / f'{city}_{number:06d}_gtFine_labelTrainIds.png'
            label.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(generator.choice(np.array([0, 1, 2, 255], np.uint8), SIZE)).save(label)


def model_config(classes: int = 3) -> dict:
    return {
        'type': 'EncoderDecoder',
        'data_preprocessor': {
            'type': 'SegDataPreProcessor',
            'mean': [123.675, 116.28, 103.53],
            'std': [58.395, 57.12, 57.375],
            'bgr_to_rgb': True,
        },
        'pretrained': 'pretrained/that_is_not_needed_for_testing.pth',
        'backbone': {'type': 'TwoLevelBackbone'},
        'decode_head': {
            'type': 'FCNHead',
            'in_channels': 8,
            'in_index': 1,
            'channels': 4,
            'num_convs': 1,
            'num_classes': classes,
            'loss_decode': {'type': 'CrossEntropyLoss'},
        },
        'test_cfg': {'mode': 'whole'},
    }


def config(data: Path, classes: int = 3) -> Config:
    test = {
        'batch_size': 1,
        'num_workers': 0,
        'dataset': {
            'type': 'CityscapesDataset',
            'data_root': str(data),
            'data_prefix': {'img_path': 'leftImg8bit/val', 'seg_map_path': 'gtFine/val'},
            'metainfo': {'classes': CLASSES, 'palette': PALETTE},
            'pipeline': [
                {'type': 'LoadImageFromFile'},
                {'type': 'Resize', 'scale': (16, 12), 'keep_ratio': True},
                {'type': 'LoadAnnotations'},
                {'type': 'PackSegInputs'},
            ],
            'test_mode': True,
        },
    }
    crop = [{'type': 'RandomCrop', 'crop_size': (8, 12)}]
    return Config(
        {
            'custom_imports': {'imports': ['tests.tools.tiny_run']},
            'model': model_config(classes),
            'train_dataloader': {'dataset': {'source': {'pipeline': crop}, 'sync_crop_size': None}},
            'test_dataloader': test,
            'test_evaluator': {'type': 'IoUMetric', 'subsets': {'mIoU2': ['road', 'sky']}},
        }
    )


def student(classes: int = 3, seed: int = 0) -> nn.Module:
    from mmseg.evaluation.evaluate import build_networks

    torch.manual_seed(seed)
    return build_networks(Config({'model': model_config(classes)}))[1]


def make_run(folder: Path, data: Path, classes: int = 3) -> Path:
    """A run folder with ``<name>.py`` and ``latest.pth``, a whole method's checkpoint."""
    folder.mkdir(parents=True)
    write_images(data, 'val')
    config(data, classes).dump(folder / f'{folder.name}.py')
    state = {f'model.{key}': value for key, value in student(classes).state_dict().items()}
    state |= {f'ema_model.{key}': value for key, value in student(classes, seed=1).state_dict().items()}
    state['imnet_model.backbone.first.weight'] = torch.zeros(1)
    torch.save({'state_dict': state, 'meta': {'iter': 7}}, folder / 'latest.pth')
    return folder
