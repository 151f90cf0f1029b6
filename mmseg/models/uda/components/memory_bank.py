"""ProCA's ablation with a memory bank in place of prototypes, as the original has it (its table 3).

References: ProCA (Jiang et al., ECCV 2022); the bank and its anchors are those of Wang et al., "Exploring cross-image
pixel contrast", ICCV 2021. Kept from the original: a random projection that nothing trains, queues that start
normalised over the classes, pixel queues that are negatives for their own class too, and a step of one slot after
several were written. The temperature behind the published number is not known: its script stops before reading one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg.models.precision import at_least_float32, without_autocast
from mmseg.models.uda.components.prototypes import class_sums
from mmseg.structures import IGNORE


class ProjectionHead(nn.Module):
    """Two 1x1 convolutions to vectors of length 1.

    Args:
        channels: A, of the features.
        width: D, of the projections.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Sequential(
            nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, width, 1)
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, D, h, w) of features (B, A, h, w)."""
        return F.normalize(self.proj(features), dim=1)


class MemoryBankContrast(BaseModule):
    """Anchors of a batch against queues of class means and of single positions.

    The projection is random and stays so: no optimizer has it. Each process keeps its own queues.

    Args:
        temperature: T; has no published value.
        width: D, of the projections.
        memory_size: M, slots of each queue.
        pixel_update_freq: positions of each class that go into its queue at an update.
        min_samples: classes with more positions give anchors, at most so many each.
        max_samples: anchors of all classes together.

    Raises:
        ValueError: for sizes that make no sense.
    """

    per_process = True
    proto_queue: Tensor
    pixel_queue: Tensor
    proto_pointer: Tensor
    pixel_pointer: Tensor

    def __init__(
        self,
        temperature: float,
        width: int = 256,
        memory_size: int = 1000,
        pixel_update_freq: int = 10,
        min_samples: int = 10,
        max_samples: int = 1024,
    ) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f'uda.memory_bank: temperature is above 0, not {temperature}')
        if not 1 <= pixel_update_freq <= memory_size:
            raise ValueError(
                f'uda.memory_bank: pixel_update_freq={pixel_update_freq} does not fit memory_size={memory_size}'
            )
        self.temperature = temperature
        self.width = width
        self.memory_size = memory_size
        self.pixel_update_freq = pixel_update_freq
        self.min_samples = min_samples
        self.max_samples = max_samples

    def attach(self, num_classes: int, channels: int) -> MemoryBankContrast:
        """Make projection and queues for features of so many channels."""
        self.projection = ProjectionHead(channels, self.width).requires_grad_(False)
        for name in ('proto', 'pixel'):
            queue = F.normalize(torch.randn(num_classes, self.memory_size, self.width), dim=0)
            self.register_buffer(f'{name}_queue', queue)
            self.register_buffer(f'{name}_pointer', torch.zeros(num_classes, dtype=torch.int64), persistent=False)
        return self

    def training_state(self) -> dict[str, Any]:
        """What is not in the state dict."""
        return {'proto_pointer': self.proto_pointer.cpu(), 'pixel_pointer': self.pixel_pointer.cpu()}

    def load_training_state(self, state: Mapping[str, Any]) -> None:
        """Continue where ``training_state`` was taken."""
        self.proto_pointer.copy_(state['proto_pointer'])
        self.pixel_pointer.copy_(state['pixel_pointer'])

    def embed(self, features: Tensor) -> Tensor:
        """Projections (B, D, h, w) of features (B, A, h, w), at least float32."""
        with without_autocast(features.device):
            return self.projection(at_least_float32(features))

    # Updates

    def draw_picks(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Which positions go into the pixel queues: (C, K) flat indices into ``labels``, -1 where there are too few."""
        flat = labels.flatten().cpu()
        picks = torch.full((len(self.proto_queue), self.pixel_update_freq), -1)
        chosen, groups, ranks = _ranked(flat, flat != IGNORE, generator)
        kept = ranks < self.pixel_update_freq
        picks[groups[kept], ranks[kept]] = chosen[kept]
        return picks

    @torch.no_grad()
    def update(self, embedding: Tensor, labels: Tensor, picks: Tensor) -> None:
        """Write class means and picked positions into the queues.

        Args:
            embedding: (B, D, h, w).
            labels: (B, h, w) int64.
            picks: of :meth:`draw_picks`.
        """
        sums, counts = class_sums(embedding, labels, len(self.proto_queue))
        count = counts.sum(dim=0)
        present = count > 0
        means = sums.sum(dim=0) / count.clamp(min=1)[:, None]
        rows = torch.arange(len(present), device=present.device)
        slot = self.proto_pointer
        self.proto_queue[rows, slot] = torch.where(present[:, None], means, self.proto_queue[rows, slot])
        self.proto_pointer.copy_(torch.where(present, (slot + 1) % self.memory_size, slot))

        picks = picks.to(labels.device, non_blocking=True)
        written = picks >= 0
        number = written.sum(dim=1)
        wraps = self.pixel_pointer + number > self.memory_size
        first = torch.where(wraps, self.memory_size - number, self.pixel_pointer)
        slots = first[:, None] + torch.arange(picks.shape[1], device=picks.device)
        vectors = embedding.transpose(0, 1).flatten(1).t()  # (B h w, D)
        owner = rows[:, None].expand_as(picks)
        self.pixel_queue[owner[written], slots[written]] = vectors[picks[written]].to(self.pixel_queue.dtype)
        moved = torch.where(wraps, 0, (self.pixel_pointer + 1) % self.memory_size)
        self.pixel_pointer.copy_(torch.where(present, moved, self.pixel_pointer))

    # Loss

    def draw_anchors(self, labels: Tensor, prediction: Tensor, generator: torch.Generator) -> Tensor:
        """Positions that are compared: half of each class hard (wrongly predicted), half easy, where there are enough.

        Args:
            labels: (B, h, w) int64.
            prediction: (B, h, w) int64.
            generator: of the CPU.

        Returns:
            (classes, V) flat indices, hard ones first; (0, 0) if no class has enough positions.
        """
        labels, prediction = labels.flatten().cpu(), prediction.flatten().cpu()
        count = torch.bincount(labels[labels != IGNORE], minlength=len(self.proto_queue))
        classes = (count > self.min_samples).nonzero().flatten()
        if len(classes) == 0:
            return torch.zeros(0, 0, dtype=torch.int64)
        views = min(self.max_samples // len(classes), self.min_samples)
        taking = (labels[:, None] == classes).any(dim=1)
        hard = _table(labels, taking & (prediction != labels), views, len(count), generator)[classes]
        easy = _table(labels, taking & (prediction == labels), views, len(count), generator)[classes]
        available_hard, available_easy = (hard >= 0).sum(dim=1), (easy >= 0).sum(dim=1)
        # Of an odd number, hard ones may be the smaller half, easy ones must be the larger.
        few_easy = 2 * available_easy < views
        of_hard = torch.where(few_easy, views - available_easy, available_hard.clamp(max=views // 2))
        column = torch.arange(views)
        position = torch.where(column < of_hard[:, None], column, column - of_hard[:, None])
        return torch.where(column < of_hard[:, None], hard.gather(1, position), easy.gather(1, position))

    def forward(self, embedding: Tensor, labels: Tensor, anchors: Tensor) -> Tensor:
        """The loss of a batch; 0 without anchors.

        Args:
            embedding: (B, D, h, w), with gradient.
            labels: (B, h, w) int64.
            anchors: of :meth:`draw_anchors`.
        """
        if anchors.numel() == 0:
            return embedding.sum() * 0
        with without_autocast(embedding.device):
            # All classes' first anchors, then their second, ...
            anchors = anchors.to(labels.device, non_blocking=True).t().flatten()
            vectors = embedding.transpose(0, 1).flatten(1).t()[anchors]
            bank = torch.cat([self.proto_queue, self.pixel_queue]).to(vectors.dtype)
            scores = vectors @ bank.flatten(0, 1).t() / self.temperature
            scores = scores - scores.detach().amax(dim=1, keepdim=True)
            owner = torch.arange(len(bank), device=labels.device).repeat_interleave(self.memory_size)
            positive = labels.flatten()[anchors][:, None] == owner
            negatives = (scores.exp() * ~positive).sum(dim=1, keepdim=True)
            rows = torch.arange(len(scores), device=labels.device)
            # A leftover of contrasts of a batch with itself.
            self_free = rows[:, None] != torch.arange(len(owner), device=labels.device)
            counted = (positive & self_free).to(scores.dtype)
            logs = scores - (scores.exp() + negatives).log()
            return -((logs * counted).sum(dim=1) / counted.sum(dim=1)).mean() / len(embedding)


def _ranked(groups: Tensor, taking: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Indices that take part, their groups, and their ranks in a random order within the group."""
    shuffled = torch.randperm(len(groups), generator=generator)
    chosen = shuffled[taking[shuffled]]
    chosen = chosen[groups[chosen].argsort(stable=True)]
    owner = groups[chosen]
    starts = torch.searchsorted(owner, owner)  # where each one's group begins
    return chosen, owner, torch.arange(len(chosen)) - starts


def _table(groups: Tensor, taking: Tensor, width: int, count: int, generator: torch.Generator) -> Tensor:
    """(count, width) random indices of each group, without repetition, -1 where it has too few."""
    chosen, owner, ranks = _ranked(groups, taking, generator)
    table = torch.full((count, width), -1)
    kept = ranks < width
    table[owner[kept], ranks[kept]] = chosen[kept]
    return table
