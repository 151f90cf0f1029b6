"""Depth maps of many images: in batches, without those that are there, one broken image at a time left out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from mmseg.apis.depth_model import DepthAnything, FlatRoad
from mmseg.datasets.depth_layouts import DepthTask
from mmseg.datasets.image_io import read_image, write_png
from mmseg.datasets.parallel import start_worker

# Beside the maps: which model made them.
DESCRIPTION = 'depth_maps.json'


def claim_folder(folder: Path, model: str) -> None:
    """Note the model in the folder of depth maps, so that those of another are not mixed in.

    Raises:
        ValueError: the maps there are of another model.
    """
    file = folder / DESCRIPTION
    if file.is_file():
        found = json.loads(file.read_text()).get('model')
        if found != model:
            raise ValueError(
                f'{folder} holds depth maps of {found}, not of {model}: remove them, or write to another --depth-dir'
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({'model': model, 'content': 'inverse relative depth, 8 bits, 255 = nearest'}))


def make_depth_maps(
    tasks: Sequence[DepthTask], model: DepthAnything | FlatRoad, batch_size: int = 4, workers: int = 2
) -> Iterator[str | None]:
    """Write a depth map for each task, of its image's size; yields what was wrong with an image, else None."""
    loader = DataLoader(
        _Images(tasks, model.prepare),
        batch_size=batch_size,
        num_workers=workers,
        collate_fn=list,
        worker_init_fn=start_worker,
    )
    for batch in loader:
        for (shape, size), group in groupby(batch, key=lambda item: (item['shape'], item['size'])):
            items = list(group)
            if shape is None:
                yield from (item['error'] for item in items)
                continue
            maps = model(torch.stack([item['input'] for item in items]), size)
            for item, depth in zip(items, maps, strict=True):
                path = tasks[item['index']].depth
                os.makedirs(os.path.dirname(path), exist_ok=True)
                write_png(path, depth)
                yield None


class _Images(Dataset):
    """The network's inputs; an image that cannot be read becomes its error."""

    def __init__(self, tasks: Sequence[DepthTask], prepare: Callable[[np.ndarray], torch.Tensor]) -> None:
        self.tasks = tasks
        self.prepare = prepare

    def __len__(self) -> int:
        return len(self.tasks)

    def __getitem__(self, index: int) -> dict[str, Any]:
        try:
            image = read_image(self.tasks[index].image)
        except (ValueError, OSError) as error:
            return {'index': index, 'shape': None, 'size': None, 'error': str(error)}
        prepared = self.prepare(image)
        return {'index': index, 'shape': tuple(prepared.shape), 'size': image.shape[:2], 'input': prepared}
