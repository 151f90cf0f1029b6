"""A trained network, ready to predict."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import nn

from mmseg.datasets.metainfo import dataset_metainfo
from mmseg.engine.config import load_config
from mmseg.engine.device import usable_device
from mmseg.engine.errors import clear_config_errors
from mmseg.engine.legacy_checkpoint import load_student
from mmseg.engine.legacy_config import is_legacy, upgrade
from mmseg.evaluation.config_options import loader_section
from mmseg.evaluation.evaluate import build_networks
from mmseg.evaluation.run_folder import find_checkpoint, find_config


def init_model(
    config: str | Path | Config,
    checkpoint: str | Path | None = None,
    device: str | torch.device | None = None,
    *,
    ema: bool = False,
    cfg_options: Mapping[str, Any] | None = None,
    trust: bool = False,
) -> nn.Module:
    """Build the segmentor of a config and load its trained weights.

    Args:
        config: config file, a ``Config``, or the folder of a run: its config and, without ``checkpoint``, its last
            checkpoint.
        checkpoint: of any layout (whole method, student only, published), or a run's folder: its last one. None
            beside a config leaves random weights.
        device: to compute on; None = the GPU if there is one.
        ema: load the teacher instead of the student.
        cfg_options: changes to the config by dotted key, e.g. ``{'model.test_cfg.mode': 'whole'}``.
        trust: read checkpoints that need pickle; only for files from a trusted source, as they can run any code.

    Returns:
        The segmentor in evaluation mode, with ``cfg``, ``dataset_meta`` (``classes``, ``palette``),
        ``checkpoint_meta`` (such as the iteration) and ``data_preprocessor``.

    Raises:
        FileNotFoundError: there is no such config or checkpoint.
        ValueError: config, checkpoint, classes and device do not fit each other.
    """
    if not isinstance(config, Config) and Path(config).is_dir():
        checkpoint = config if checkpoint is None else checkpoint
        config = find_config(config)
    cfg = _changed(config, cfg_options) if isinstance(config, Config) else load_config(config, cfg_options)
    device = usable_device(device)
    meta = dataset_metainfo(loader_section(cfg)['dataset'])
    with clear_config_errors(cfg):
        preprocessor, model = build_networks(cfg)
    if model.num_classes != len(meta['classes']):
        raise ValueError(
            f'the network has {model.num_classes} classes, the test data set of the config {len(meta["classes"])}'
        )
    model.checkpoint_meta = {}
    if checkpoint is not None:
        model.checkpoint_meta = load_student(model, find_checkpoint(checkpoint), ema=ema, trust=trust)
    elif ema:
        raise ValueError('ema=True needs a checkpoint')
    # A part of the model, so that model.to(device) moves both.
    model.data_preprocessor = preprocessor
    model.cfg = cfg
    model.dataset_meta = meta
    return model.to(device).eval()


def _changed(config: Config, options: Mapping[str, Any] | None) -> Config:
    cfg = copy.deepcopy(config)
    if options:
        cfg.merge_from_dict(dict(options))
    return upgrade(cfg) if is_legacy(cfg) else cfg
