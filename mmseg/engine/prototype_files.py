"""Files of class prototypes, in ProCA's published format; ProDA's are read too."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmseg.engine.checkpoint_file import write_checkpoint
from mmseg.engine.legacy_checkpoint import read_checkpoint

FILES = {'feature': 'prototype_feat_dist.pth', 'output': 'prototype_out_dist.pth'}
"""Names in a folder, by the level: the features before the classifier, the class scores."""


def write_prototypes(path: str | Path, vectors: Tensor, counts: Tensor) -> None:
    """Write ``Proto`` (C, A) and ``Amount`` (C,), float32 as the original has them, and ``counts`` exactly."""
    content = {'Proto': vectors.float().cpu(), 'Amount': counts.float().cpu(), 'counts': counts.long().cpu()}
    write_checkpoint(path, content)


def read_prototypes(path: str | Path, trust: bool = False, options: str = '') -> tuple[Tensor, Tensor]:
    """Prototypes (C, A) and the number of positions that they are means of (C,) int64.

    Args:
        path: of the file.
        trust: read a file that can run code.
        options: of the tool that makes it, for the message.

    Raises:
        FileNotFoundError: no such file; says what makes it.
        ValueError: the file holds something else.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'{path}: no such prototypes; make them: python -m tools.init_prototypes CONFIG CHECKPOINT '
            f'{options}--out-dir {Path(path).parent}'
        )
    content = _content(path, trust)
    if not {'Proto', 'Amount'} <= content.keys():
        raise ValueError(f'{path}: no prototypes (Proto and Amount) in it, but {", ".join(map(str, content))}'[:200])
    counts = content.get('counts', content['Amount'])
    return content['Proto'], counts.to(torch.float64).round().long()


def _content(path: str | Path, trust: bool) -> Mapping[str, Any]:
    """Of a file of ours or ProCA's; of ProDA's, a bare tensor or a checkpoint with one, in the same form."""
    try:
        content: Mapping[str, Any] = read_checkpoint(path, trust)
    except ValueError:
        vectors = _bare_tensor(path)
        if vectors is None:
            raise
    else:
        network = content.get('ResNet101')
        vectors = network.get('objective_vectors') if isinstance(network, Mapping) else None
        if not isinstance(vectors, Tensor):
            return content
    # How many images these are means of is not kept.
    return {'Proto': vectors, 'Amount': torch.zeros(len(vectors))}


def _bare_tensor(path: str | Path) -> Tensor | None:
    try:
        vectors = torch.load(path, map_location='cpu', weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError):
        return None
    return vectors if isinstance(vectors, Tensor) and vectors.ndim == 2 else None
