"""Depth guidance by its formulas as they stand, on whole (N, C, K) tensors: what the benchmark compares with."""

from __future__ import annotations

from collections import Counter

import torch
import torch.nn.functional as F
from torch import Tensor


def direct_histogram(labels: Tensor, depth: Tensor, num_classes: int, bins: int) -> Tensor:
    """(C, K) counts, pixel by pixel, as the published code does it."""
    counts = torch.zeros(num_classes, bins, device=labels.device)
    for (label, level), number in Counter(
        zip(labels.flatten().tolist(), depth.flatten().tolist(), strict=True)
    ).items():
        counts[label, level] = number
    return counts


def direct_similarity(bank: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Total similarity (N,) and that of the classes (N, C), by the formulas for float counts (N, C, K) and (C, K)."""
    sizes, size = bank.sum(dim=2), target.sum(dim=1)
    shape = bank / sizes.clamp(min=1)[..., None]
    cosine = F.cosine_similarity(shape, (target / size.clamp(min=1)[:, None])[None], dim=2)
    distance = (bank - target).abs().sum(dim=2) / (sizes + size).clamp(min=1)
    classes = (cosine + 1 - distance) / 2 * (size > 0)
    return F.cosine_similarity(sizes, size[None], dim=1) * classes.sum(dim=1), classes


def direct_call(bank: Tensor, labels: Tensor, confident: Tensor, weight: Tensor, depth: Tensor) -> tuple[Tensor, list]:
    """New weights (B, H, W) and the chosen crops; also fills dense soft labels (B, C, H, W) as the formulas do."""
    weight, chosen = weight.clone(), []
    soft = F.one_hot(labels, bank.shape[1]).permute(0, 3, 1, 2).float()
    for image in range(len(labels)):
        target = direct_histogram(labels[image], depth[image], *bank.shape[1:])
        total, classes = direct_similarity(bank, target)
        best = int(total.argmax())
        chosen.append(best)
        for index in range(bank.shape[1]):
            similarity, mine = float(classes[best, index]), labels[image] == index
            if target[index].sum() == 0:
                share = bank[best, index] / bank[best].sum(dim=0).clamp(min=1)
                seen = share[depth[image].long()]
                soft[image, index] = torch.where(seen > 0, seen, soft[image, index])
            elif similarity > 0.75:
                weight[image][mine & confident[image]] = 1
            else:
                weight[image][mine] = max(0.0, (similarity - 0.1) / 0.65)
    return weight, chosen
