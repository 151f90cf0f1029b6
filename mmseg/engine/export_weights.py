"""A trained network on its own: weights without method, optimizer and counters, for others to load."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import mmseg
from mmseg.engine.checkpoint_file import write_checkpoint
from mmseg.engine.export_metadata import HASH_LENGTH, class_info, sha256
from mmseg.engine.legacy_checkpoint import select_segmentor_state, state_dict_of

# What a checkpoint of ours says about itself, and is worth keeping.
KEPT = ('iter', 'seed', 'exp_name', 'mmseg_version', 'torch_version', 'time')

STATISTICS = ('.running_mean', '.running_var')


def published_content(
    checkpoint: Mapping[str, Any],
    cfg: Mapping[str, Any] | None = None,
    *,
    ema: bool = False,
    half: bool = False,
) -> dict[str, Any]:
    """One network of a checkpoint under the bare keys ``backbone.``, ``decode_head.``, and ``meta``.

    Args:
        checkpoint: of any layout.
        cfg: config of the run, for class names and text that the checkpoint lacks.
        ema: the teacher instead of the student.
        half: weights of 16 bits (IEEE half precision); networks load them into their 32 bits.

    Returns:
        ``state_dict`` and ``meta``: tensors, numbers, strings and lists only.

    Raises:
        ValueError: no such network in it, or numbers that 16 bits do not hold.
    """
    state = select_segmentor_state(state_dict_of(checkpoint), ema)
    meta = checkpoint.get('meta')
    meta = meta if isinstance(meta, Mapping) else {}
    classes, palette = class_info(meta, cfg)
    kept = {key: meta[key] for key in KEPT if isinstance(meta.get(key), (int, float, str))}
    return {
        'state_dict': {key: _stored(key, value, half) for key, value in state.items() if isinstance(value, Tensor)},
        'meta': {
            **kept,
            'network': 'teacher' if ema else meta.get('network', 'student'),
            'dtype': 'float16' if half else 'float32',
            'classes': classes,
            'palette': palette,
            'config': config_of(meta) or getattr(cfg, 'pretty_text', ''),
            'published_with': f'mmseg {mmseg.__version__}',
        },
    }


def config_of(meta: Mapping[str, Any]) -> str | None:
    """The config's text in a checkpoint's ``meta``; 0.x and 1.x of mmsegmentation keep it there too."""
    for key in ('config', 'cfg'):
        if isinstance(meta.get(key), str) and meta[key].strip():
            return meta[key]
    return None


def write_published(content: Mapping[str, Any], folder: Path, name: str) -> Path:
    """Write ``NAME-<first 8 hex digits of its SHA-256>.pth``; the same content gives the same bytes."""
    unnamed = folder / f'{name}.pth.unnamed'
    write_checkpoint(unnamed, content)
    try:
        return unnamed.replace(folder / f'{name}-{sha256(unnamed)[:HASH_LENGTH]}.pth')
    finally:
        unnamed.unlink(missing_ok=True)


def _stored(key: str, value: Tensor, half: bool) -> Tensor:
    # A view of a larger storage would be written with all of it.
    value = value.detach().to('cpu').clone(memory_format=torch.contiguous_format)
    if not value.is_floating_point():
        return value
    # Variances of layers after sums go beyond what 16 bits hold, and weigh nothing.
    half = half and not key.endswith(STATISTICS)
    stored = value.to(torch.float16 if half else torch.float32)
    if half and not torch.equal(stored.isfinite(), value.isfinite()):
        raise ValueError(f'--half: {key} has values up to {value.abs().max():.3g}, 16 bits hold 65504 at most')
    return stored
