"""Tiny data sets in the original layouts, written to a temporary folder."""

import numpy as np
from PIL import Image

from mmseg.datasets.conversion import class_counts, write_statistics


def picture(height, width, seed=0):
    """(H, W, 3) uint8 noise."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def train_ids(height, width, seed=0, num_classes=19, block=4):
    """(H, W) uint8 blocks of train ids, some 255."""
    generator = np.random.default_rng(seed + 1000)
    small = generator.integers(0, num_classes + 1, (-(-height // block), -(-width // block)))
    small[small == num_classes] = 255
    return np.kron(small, np.ones((block, block), int))[:height, :width].astype(np.uint8)


def save(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return str(path)


def write_gta(root, count=4, size=(40, 60), num_classes=19):
    """Images, train-id labels and statistics, as after conversion."""
    stats = []
    for i in range(1, count + 1):
        label = train_ids(*size, seed=i, num_classes=num_classes)
        save(root / f'images/{i:05d}.png', picture(*size, seed=i))
        path = save(root / f'labels/{i:05d}_labelTrainIds.png', label)
        stats.append((path, class_counts(label)))
    write_statistics(str(root), stats)
    return str(root)


def write_cityscapes(root, count=3, size=(32, 64), split='train'):
    for i in range(count):
        stem = f'{split}/aachen/aachen_{i:06d}_000019'
        save(root / f'leftImg8bit/{stem}_leftImg8bit.png', picture(*size, seed=i + 50))
        save(root / f'gtFine/{stem}_gtFine_labelTrainIds.png', train_ids(*size, seed=i + 50))
    return str(root)


def train_pipeline(crop=(32, 32), scale=(60, 40), labels=True, cat_max_ratio=1.0):
    load = [{'type': 'LoadImageFromFile'}] + ([{'type': 'LoadAnnotations'}] if labels else [])
    return [
        *load,
        {'type': 'Resize', 'scale': scale, 'keep_ratio': True},
        {'type': 'RandomCrop', 'crop_size': crop, 'cat_max_ratio': cat_max_ratio},
        {'type': 'RandomFlip', 'prob': 0.5},
        {'type': 'Pad', 'size': crop},
        {'type': 'PackTrainInputs'},
    ]


def gta_config(root, **kwargs):
    config = {
        'type': 'GTADataset',
        'data_root': root,
        'data_prefix': {'img_path': 'images', 'seg_map_path': 'labels'},
        'pipeline': train_pipeline(cat_max_ratio=0.75),
    }
    return {**config, **kwargs}


def cityscapes_config(root, split='train', **kwargs):
    config = {
        'type': 'CityscapesDataset',
        'data_root': root,
        'data_prefix': {'img_path': f'leftImg8bit/{split}', 'seg_map_path': f'gtFine/{split}'},
        'pipeline': train_pipeline(scale=(64, 32), labels=False),
    }
    return {**config, **kwargs}
