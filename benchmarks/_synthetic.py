"""Training batches without any data: what a loader would hand over, of random blocks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

BLOCK = 32  # pixels; regions of one class are not single pixels in street scenes either


def loader_batch(
    size: tuple[int, int], batch: int, classes: int, adapts: bool, depth: bool, seed: int = 0, pin: bool = False
) -> dict[str, Any]:
    """A collated batch of bytes, as ``collate_domains`` gives it.

    Args:
        size: (height, width) of the crops in pixels.
        batch: images per domain.
        classes: number of train ids in the labels; a few pixels are 255.
        adapts: with an unlabelled target domain.
        depth: the target has depth maps.
        seed: of the contents.
        pin: in page-locked memory, for a GPU.
    """
    generator = torch.Generator().manual_seed(seed)
    source = _domain(size, batch, generator) | {'label': _labels(size, batch, classes, generator)}
    if not adapts:
        return _pinned(source) if pin else source
    target = _domain(size, batch, generator)
    if depth:
        target['depth'] = _blocks(size, batch, 256, generator)
    return {'source': _pinned(source), 'target': _pinned(target)} if pin else {'source': source, 'target': target}


def _domain(size: tuple[int, int], batch: int, generator: torch.Generator) -> dict[str, Any]:
    image = torch.randint(0, 256, (batch, 3, *size), generator=generator, dtype=torch.uint8)
    return {'image': image, 'meta': [{'img_shape': size} for _ in range(batch)]}


def _labels(size: tuple[int, int], batch: int, classes: int, generator: torch.Generator) -> Tensor:
    labels = _blocks(size, batch, classes, generator)
    labels[:, :4] = 255
    return labels


def _blocks(size: tuple[int, int], batch: int, values: int, generator: torch.Generator) -> Tensor:
    rows, columns = (-(-side // BLOCK) for side in size)
    coarse = torch.randint(0, values, (batch, rows, columns), generator=generator, dtype=torch.uint8)
    return coarse.repeat_interleave(BLOCK, 1).repeat_interleave(BLOCK, 2)[:, : size[0], : size[1]].contiguous()


def _pinned(domain: dict[str, Any]) -> dict[str, Any]:
    return {key: value.pin_memory() if isinstance(value, Tensor) else value for key, value in domain.items()}
