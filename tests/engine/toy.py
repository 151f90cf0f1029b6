"""A run of milliseconds: a method, a dataset and a config with the interfaces of the real ones."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.registry import FUNCTIONS
from torch import Tensor, nn
from torch.utils.data import Dataset, Sampler

from mmseg.engine.gradient_sync import average_gradients, rank, world_size
from mmseg.engine.runner import Runner
from mmseg.registry import DATA_SAMPLERS, DATASETS, METRICS, MODELS

CLASSES = ('road', 'sky', 'car')
PALETTE = [[128, 64, 128], [70, 130, 180], [0, 0, 142]]


@DATASETS.register_module()
class ToyDataset(Dataset):
    """Sample n is f(seed, n)."""

    metainfo = {'classes': CLASSES, 'palette': PALETTE}

    def __init__(self, length: int = 8) -> None:
        self.length = length
        self.seed = 0

    def set_seed(self, seed: int) -> None:
        self.seed = seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, number: int) -> Tensor:
        return torch.randn(5, generator=torch.Generator().manual_seed(1000 * self.seed + number), dtype=torch.float64)


@DATA_SAMPLERS.register_module()
class ToySampler(Sampler[int]):
    def __init__(self, dataset: Any, seed: int | None = None) -> None:
        self.start = 0

    def set_start(self, start: int) -> None:
        self.start = start

    def __iter__(self):
        number = self.start + rank()
        while True:
            yield number
            number += world_size()


@METRICS.register_module()
class ToyMetric(BaseMetric):
    """Falls with the size of the outputs."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results += [float(value) for value in data_samples]

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return {'mIoU': 100 - sum(results), 'IoU.road': float('nan')}


@FUNCTIONS.register_module()
def toy_collate(samples: list[Tensor]) -> Tensor:
    return torch.stack(samples)


class ToyMethod(nn.Module):
    """Student and averaged teacher; noise that follows from (seed, iteration); dropout from the global generator."""

    def __init__(self, batch_norm: bool = True, width: int = 4) -> None:
        super().__init__()
        self.model = self._network(batch_norm, width)
        self.ema_model = self._network(batch_norm, width).requires_grad_(False)
        self.imnet_model = nn.Linear(2, 2).requires_grad_(False)
        self.double()
        self.iteration, self.seed, self.accumulate = 0, 0, 1
        self.log_interval, self.panel_interval = 50, 0
        self.panel: dict[str, Tensor] = {}
        self.losses: list[Tensor] = []
        self.seen: list[Tensor] = []

    @staticmethod
    def _network(batch_norm: bool, width: int) -> nn.Module:
        backbone = nn.Sequential(nn.Linear(5, width), nn.BatchNorm1d(width) if batch_norm else nn.Identity())
        network = nn.ModuleDict({'backbone': backbone, 'decode_head': nn.Linear(width, 1)})
        network['unused'] = nn.Linear(1, 1)
        return network

    def _seed_of(self, name: str) -> int:
        digest = hashlib.blake2b(f'{self.seed}/{self.iteration}/{name}'.encode(), digest_size=6).digest()
        return int.from_bytes(digest, 'big')

    def compute_loss(self, batch: Tensor) -> Tensor:
        noise = torch.randn(5, generator=torch.Generator().manual_seed(self._seed_of('noise')), dtype=torch.float64)
        torch.manual_seed(self._seed_of('dropout'))
        features = nn.functional.dropout(self.model['backbone'](batch + 0.1 * noise), 0.1, self.training)
        teacher = self.ema_model['decode_head'](self.ema_model['backbone'](batch))
        return ((self.model['decode_head'](features) - batch.sum(1, keepdim=True)) ** 2).mean() + 0.1 * (
            (self.model['decode_head'](features) - teacher) ** 2
        ).mean()

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, Tensor]:
        micro_batches = data if isinstance(data, list) else [data]
        optim_wrapper.zero_grad()
        for batch in micro_batches:
            self.seen.append(batch)
            loss = self.compute_loss(batch) / len(micro_batches)
            loss.backward()
            self.losses.append(loss.detach())
        average_gradients([self.model])
        optim_wrapper.step()
        with torch.no_grad():
            for teacher, student in zip(self.ema_model.parameters(), self.model.parameters(), strict=True):
                teacher.lerp_(student, 0.1)
        if self.panel_interval and self.iteration % self.panel_interval == 0:
            self.panel = {'source_image': torch.zeros(1, 3, 8, 8), 'source_label': torch.zeros(1, 8, 8).long()}
        self.iteration += 1
        if self.iteration == 1 or self.iteration % self.log_interval == 0:
            mean, self.losses = torch.stack(self.losses).mean(), []
            return {'decode.loss_seg': mean, 'decode.acc_seg': mean * 0}
        return {}

    def val_step(self, data: Tensor) -> list[Tensor]:
        return list(self.model['decode_head'](self.model['backbone'](data)).abs().flatten())

    test_step = val_step

    def training_state(self) -> dict[str, Any]:
        return {'iteration': self.iteration, 'losses': self.losses}

    def load_training_state(self, state: dict[str, Any]) -> None:
        self.iteration, self.losses = state['iteration'], state['losses']


@MODELS.register_module()
class ToyFromConfig(ToyMethod):
    """The toy as a config's ``uda``; its weights follow from the run's seed."""

    def __init__(
        self,
        model: Any,
        max_iters: int | None = None,
        data_preprocessor: Any = None,
        fail_at: int = -1,
        interrupt_at: int = -1,
        interrupt_with: int = signal.SIGINT,
    ) -> None:
        super().__init__(batch_norm=model.get('batch_norm', True))
        self.fail_at, self.interrupt_at, self.interrupt_with = fail_at, interrupt_at, interrupt_with

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, Tensor]:
        if self.iteration == self.fail_at:
            raise MemoryError('as if killed')
        if self.iteration == self.interrupt_at:
            # What a terminal does on Ctrl-C, a scheduler when time is up: all processes, the loader's workers too. From
            # another process, as PyTorch's workers forgive their parent.
            subprocess.run(['sh', '-c', f'kill -{int(self.interrupt_with)} 0'], check=False)
            time.sleep(0.5)  # in which workers that died of it would be noticed
        return super().train_step(data, optim_wrapper)


@MODELS.register_module()
class ToyWithoutDropout(ToyFromConfig):
    """The gradient of a batch is the mean over its samples'."""

    def compute_loss(self, batch: Tensor) -> Tensor:
        self.eval()
        return super().compute_loss(batch)


def toy_config(work_dir: Path, **changes: Any) -> Config:
    """A config of 12 iterations; ``changes`` by dotted key with ``__`` for the dot."""
    cfg = Config(
        {
            'model': {'type': 'Toy'},
            'work_dir': str(work_dir),
            'train_dataloader': {
                'dataset': {'type': 'ToyDataset'},
                'sampler': {'type': 'ToySampler'},
                'collate_fn': {'type': 'toy_collate'},
                'batch_size': 4,
                'num_workers': 0,
            },
            'val_dataloader': {
                'dataset': {'type': 'ToyDataset', 'length': 3},
                'batch_size': 1,
                'collate_fn': {'type': 'toy_collate'},
            },
            'val_evaluator': {'type': 'ToyMetric'},
            'optim_wrapper': {
                'optimizer': {'type': 'AdamW', 'lr': 0.01, 'weight_decay': 0.1},
                'paramwise_cfg': {'custom_keys': {'head': {'lr_mult': 10.0}}},
            },
            'param_scheduler': {'type': 'Poly10Warm', 'warmup_iters': 3},
            'train_cfg': {'max_iters': 12, 'val_interval': 6},
            'default_hooks': {'logger': {'interval': 4}, 'checkpoint': {'interval': 4}, 'panels': {'interval': 6}},
            'seed': 7,
        }
    )
    cfg.merge_from_dict({key.replace('__', '.'): value for key, value in changes.items()})
    return cfg


def toy_runner(work_dir: Path, batch_norm: bool = True, width: int = 4, **changes: Any) -> Runner:
    """A run of the toy method, its weights the same every time."""
    torch.manual_seed(0)
    return Runner.from_cfg(toy_config(work_dir, **changes), method=ToyMethod(batch_norm, width))


def rows(work_dir: Path, mode: str) -> list[dict[str, Any]]:
    """The rows of one kind in a run's log."""
    lines = (work_dir / 'log.jsonl').read_text().splitlines()
    return [row for row in map(json.loads, lines) if row['mode'] == mode]
