"""What a network that leaves the repository carries with it: class names, colours, where it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import mmseg
from mmseg.datasets.metainfo import dataset_metainfo

HASH_LENGTH = 8
"""Hex digits of a file's hash in its name, as torch.hub and OpenMMLab have them."""
# Where checkpoints keep class names and colours: ours, mmsegmentation 0.x, 1.x.
_CLASS_KEYS = (('classes', 'palette'), ('CLASSES', 'PALETTE'))


def sha256(path: Path) -> str:
    """Hash of a file, 64 hex digits."""
    with path.open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest() if hasattr(hashlib, 'file_digest') else _digest(file)


def _digest(file: Any) -> str:
    # Python 3.10 has no file_digest.
    total = hashlib.sha256()
    while block := file.read(1 << 20):
        total.update(block)
    return total.hexdigest()


def class_info(meta: Mapping[str, Any], cfg: Mapping[str, Any] | None) -> tuple[list[str], list[list[int]]]:
    """Class names and RGB colours: those the checkpoint was trained with, else those of the config's dataset.

    Args:
        meta: of a checkpoint of ours or of mmsegmentation.
        cfg: config with a test, validation or training dataset; None = there is none.

    Returns:
        Names and colours; two empty lists where neither tells.
    """
    for source in (meta, meta.get('dataset_meta')):
        for names, colours in _CLASS_KEYS:
            if isinstance(source, Mapping) and source.get(names) and source.get(colours):
                return _plain_info(source[names], source[colours])
    for loader in ('test_dataloader', 'val_dataloader', 'train_dataloader'):
        dataset = ((cfg or {}).get(loader) or {}).get('dataset')
        if dataset:
            info = dataset_metainfo(dataset)
            return _plain_info(info['classes'], info['palette'])
    return [], []


def _plain_info(classes: Any, palette: Any) -> tuple[list[str], list[list[int]]]:
    return [str(name) for name in classes], [[int(value) for value in colour] for colour in palette]


def export_metadata(model: Any, checkpoint: Path, output: str, ema: bool) -> dict[str, Any]:
    """The metadata of an exported file: strings, numbers and lists.

    Args:
        model: of :func:`mmseg.apis.init_model`.
        checkpoint: its file, which is hashed.
        output: what the exported network gives.
        ema: whether it is the teacher.
    """
    meta, options = model.checkpoint_meta, model.inference_options
    shape = '(batch, height, width)' if output == 'labels' else '(batch, classes, height, width)'
    classes, palette = _plain_info(model.dataset_meta['classes'], model.dataset_meta['palette'])
    return {
        'input': 'images: uint8 (batch, 3, height, width), RGB, 0 to 255; normalised inside',
        'output': output,
        'output_shape': shape,
        'classes': classes,
        'palette': palette,
        'network': 'teacher' if ema else meta.get('network', 'student'),
        'iteration': meta.get('iter'),
        'name': str(model.cfg.get('name') or checkpoint.stem),
        'checkpoint': checkpoint.name,
        'checkpoint_sha256': sha256(checkpoint),
        # mode 'slide': the file holds the network for one window; whoever runs it cuts and averages.
        'inference': {
            'mode': options.mode,
            'crop_size': list(options.crop_size or ()),
            'stride': list(options.stride or ()),
        },
        'mmseg_version': mmseg.__version__,
        'torch_version': torch.__version__.split('+')[0],
    }
