"""The modes in which a training step is measured, and the method that each of them builds."""

from __future__ import annotations

import argparse
from typing import Any

FORMATS = ('plain', 'fp32', 'tf32', 'bf16', 'fp16')
WORDS = (*FORMATS, 'channels_last', 'compiled', 'cuda_graphs')


def parse_mode(text: str) -> str:
    """A mode such as `bf16+channels_last`; at most one number format."""
    words = text.split('+')
    unknown = [word for word in words if word not in WORDS]
    formats = [word for word in words if word in FORMATS]
    if unknown or len(formats) > 1:
        formats_line = ', '.join(FORMATS)
        others = 'and channels_last, compiled or cuda_graphs (compiled too, with graphs)'
        raise argparse.ArgumentTypeError(f'{text!r}: at most one of {formats_line}, {others}')
    return text


def build(cfg: Any, mode: str, device: Any) -> tuple[Any, Any]:
    """Method and optimizer of a config, with random weights, as ``mode`` wants them."""
    import torch

    from benchmarks._plain import make_optimizers_plain, make_plain
    from mmseg.engine.compilation import CUDA_GRAPHS, compile_method
    from mmseg.engine.optimizer_groups import build_optim_wrapper
    from mmseg.engine.precision import Precision
    from mmseg.models.uda import build_method

    words = mode.split('+')
    torch.manual_seed(0)
    method = build_method(cfg)
    if getattr(method, 'imnet_model', None) is not None:
        # The distance to random features costs as much as to those of ImageNet.
        method.imnet_model.check_pretrained = lambda: None
    method.init_weights()
    method.to(device).train()
    if 'channels_last' in words:
        method.to(memory_format=torch.channels_last)
    precision = Precision(next((word for word in words if word in FORMATS[1:]), 'fp32'))
    precision.apply_global_flags()
    method.precision = precision
    optim_wrapper = build_optim_wrapper(method, cfg['optim_wrapper'])
    if 'plain' in words:
        torch.backends.cudnn.allow_tf32 = True
        make_plain(method)
        make_optimizers_plain(optim_wrapper)
    if 'compiled' in words:
        compile_method(method, True)
    if 'cuda_graphs' in words:
        compile_method(method, CUDA_GRAPHS)
    return method, optim_wrapper


def without_weights(cfg: dict[str, Any]) -> dict[str, Any]:
    """A config whose networks load no files."""
    model = {**cfg['model'], 'pretrained': None}
    if isinstance(model.get('backbone'), dict):
        names = ('init_cfg', 'pretrained')
        model['backbone'] = {key: value for key, value in model['backbone'].items() if key not in names}
    return {**cfg, 'model': model}
