"""Files of class prototypes for distillation: ours, and DDB's, which are a bare tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from mmseg.engine.checkpoint_file import write_checkpoint
from mmseg.engine.legacy_checkpoint import read_torch_file
from mmseg.engine.prototype_files import TENSORS_ALONE


class ClassPrototypes(NamedTuple):
    """Prototypes of a network.

    Attributes:
        vectors: (C, A), zero for a class that was never predicted.
        counts: (C,) int64, how many images each is a mean of, up to the rule's cap; None = not known.
        network: hash of the weights whose features these are; empty = not known.
        classes: their names; empty = not known.
    """

    vectors: Tensor
    counts: Tensor | None = None
    network: str = ''
    classes: Sequence[str] = ()

    @property
    def absent(self) -> Tensor:
        """(C,) bool, the classes without a prototype."""
        return (self.vectors == 0).all(dim=1) if self.counts is None else self.counts == 0


def write_class_prototypes(path: str | Path, prototypes: ClassPrototypes, epochs: int, checkpoint: str) -> None:
    """Write prototypes and where they come from: tensors, numbers and strings."""
    counts = prototypes.counts
    content = {
        'prototypes': prototypes.vectors.float().cpu(),
        'counts': None if counts is None else counts.long().cpu(),
        'classes': [str(name) for name in prototypes.classes],
        'epochs': epochs,
        'checkpoint': checkpoint,
        'network': prototypes.network,
    }
    write_checkpoint(path, content)


def read_class_prototypes(path: str | Path) -> ClassPrototypes:
    """Prototypes of a file of either kind.

    Raises:
        FileNotFoundError: no such file; says what makes it.
        ValueError: the file holds something else.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'{path}: no such prototypes; make them: python tools/cal_prototypes/cal_prototype.py CONFIG '
            f'--checkpoint CHECKPOINT --out {path}'
        )
    content = read_torch_file(path, advice=TENSORS_ALONE)
    if isinstance(content, Tensor):
        content = {'prototypes': content}
    vectors = content.get('prototypes') if isinstance(content, Mapping) else None
    if not isinstance(vectors, Tensor) or vectors.ndim != 2 or not torch.is_floating_point(vectors):
        held = ', '.join(map(str, content)) if isinstance(content, Mapping) else type(content).__name__
        raise ValueError(f'{path}: no prototypes (classes x channels) in it, but {held}'[:200])
    known = {key: content[key] for key in ('counts', 'network', 'classes') if key in content}
    return ClassPrototypes(vectors, **known)
