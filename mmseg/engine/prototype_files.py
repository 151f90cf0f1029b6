"""Files of class prototypes, in ProCA's published format; ProDA's are read too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mmseg.engine.checkpoint_file import write_checkpoint
from mmseg.engine.legacy_checkpoint import read_torch_file

if TYPE_CHECKING:
    from mmseg.models.uda.components.prototypes import PrototypeBank

FILES = {'feature': 'prototype_feat_dist.pth', 'output': 'prototype_out_dist.pth'}
"""Names in a folder, by the level: the features before the classifier, the class scores."""
TENSORS_ALONE = 'prototypes are tensors: save these alone with torch.save'


def write_prototypes(path: str | Path, vectors: Tensor, counts: Tensor) -> None:
    """Write ``Proto`` (C, A) and ``Amount`` (C,), float32 as the original has them, and ``counts`` exactly."""
    content = {'Proto': vectors.float().cpu(), 'Amount': counts.float().cpu(), 'counts': counts.long().cpu()}
    write_checkpoint(path, content)


def read_prototypes(path: str | Path, options: str = '') -> tuple[Tensor, Tensor]:
    """Prototypes (C, A) and the number of positions that they are means of (C,) int64.

    Args:
        path: of the file.
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
    content = read_torch_file(path, advice=TENSORS_ALONE)
    bare = _bare_vectors(content)
    if bare is not None:  # how many images these are means of is not kept
        return bare, torch.zeros(len(bare), dtype=torch.int64)
    if not isinstance(content, Mapping) or not {'Proto', 'Amount'} <= content.keys():
        held = ', '.join(map(str, content)) if isinstance(content, Mapping) else type(content).__name__
        raise ValueError(f'{path}: no prototypes (Proto and Amount) in it, but {held}'[:200])
    counts = content.get('counts', content['Amount'])
    return content['Proto'], counts.to(torch.float64).round().long()


def fill_bank(bank: PrototypeBank, path: str | Path, options: str = '') -> None:
    """Start a bank from a file, with the arguments and errors of :func:`read_prototypes`.

    Raises:
        ValueError: prototypes of other classes or another width too.
    """
    vectors, counts = read_prototypes(path, options)
    try:
        bank.set(vectors, counts)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def _bare_vectors(content: Any) -> Tensor | None:
    """ProDA's: a tensor, or one in its checkpoint; None for ProCA's and ours."""
    if isinstance(content, Mapping):
        network = content.get('ResNet101')
        content = network.get('objective_vectors') if isinstance(network, Mapping) else None
    return content if isinstance(content, Tensor) and content.ndim == 2 else None
