"""The baseline that speed is measured against: a training step as code bases of this field had it.

A backward of its own for the feature distance, an average per parameter for the teacher, torch's own convolutions and
choice of the optimizer's kernels, losses of all rows at once, and a wait for the device wherever a number was read on
the host: classes by ``unique``, the share of confident pixels, every log value.
"""

from __future__ import annotations

import sys
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.engine.optimizer_groups import optimizers
from mmseg.models.decode_heads.shifted_conv import ShiftedConv2d
from mmseg.models.uda.components.mixing import MixedBatch
from mmseg.models.uda.step import Losses, Step

FEATURE_DISTANCE = 'imnet_feat_dist'


def make_optimizers_plain(optim_wrapper: Any) -> None:
    """Leave it to torch which kernels step."""
    for optimizer in optimizers(optim_wrapper).values():
        for group in optimizer.param_groups:
            group['fused'] = None


def make_plain(method: Any) -> None:
    """Change a freshly built method, in place."""
    method.run_passes = MethodType(_run_passes, method)
    method.log_interval = 1
    for module in method.modules():
        if isinstance(module, ShiftedConv2d):
            module.forward = MethodType(nn.Conv2d.forward, module)
        if hasattr(module, 'band_limit'):
            module.band_limit = sys.maxsize
    own = getattr(getattr(method, 'mic', None), 'teacher', None)
    for teacher in (getattr(method, 'teacher', None), getattr(own, 'average', None)):
        if teacher is not None:
            teacher.update = MethodType(_update_teacher, teacher)
            teacher.band_limit = sys.maxsize
    if getattr(method, 'mixing', None) is not None:
        method.mixing.apply = MethodType(_mix, method.mixing)
    if getattr(method, 'pseudo_labels', None) is not None:
        method.pseudo_labels._weight = MethodType(_confident_share, method.pseudo_labels)


def _run_passes(self: Any, step: Step) -> Losses:
    log: Losses = {}
    for one_pass in self.passes():
        self._seed_networks(one_pass.__name__)
        losses = one_pass(step)
        apart = {name: value for name, value in losses.items() if FEATURE_DISTANCE in name}
        together = [value for name, value in losses.items() if 'loss' in name and name not in apart]
        torch.stack(together).sum().backward(retain_graph=bool(apart))
        for value in apart.values():
            value.backward()
        log |= {name: torch.tensor(value.item()) for name, value in losses.items()}
    return log


@torch.no_grad()
def _update_teacher(self: Any, teacher: nn.Module, student: nn.Module, iteration: int) -> None:
    momentum = min(1 - 1 / (iteration + 1), self.alpha)
    for ours, theirs in zip(teacher.parameters(), student.parameters(), strict=True):
        ours.data[:] = momentum * ours[:].data[:] + (1 - momentum) * theirs[:].data[:]


def _mix(_self: Any, source: Any, target: Any, pseudo: Any, chosen: Tensor) -> MixedBatch:
    images, labels, weights = [], [], []
    for number in range(len(source.images)):
        present = torch.unique(source.labels[number])
        picked = [int(label) for label in present if bool(chosen[number, int(label)])]
        mask = torch.zeros_like(source.labels[number], dtype=torch.bool)
        for label in picked:
            mask |= source.labels[number] == label
        images.append(mask * source.images[number] + ~mask * target.images[number])
        labels.append(mask * source.labels[number] + ~mask * pseudo.labels[number])
        weights.append(mask * torch.ones_like(pseudo.weight[number]) + ~mask * pseudo.weight[number])
    return MixedBatch(torch.stack(images), torch.stack(labels), torch.stack(weights))


def _confident_share(self: Any, confidence: Tensor) -> Tensor:
    enough = confidence >= self.threshold
    share = int(enough.sum().item()) / confidence.cpu().numpy().size
    return share * torch.ones_like(confidence)
