"""Lovász-softmax: a smooth surrogate of the mean IoU.

Reference: Berman et al., "The Lovász-Softmax loss", CVPR 2018.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmseg.models.precision import at_least_float32, without_autocast
from mmseg.registry import MODELS


def lovasz_softmax(probabilities: Tensor, labels: Tensor, ignore_index: int = 255) -> Tensor:
    """Mean over the classes present of the Lovász extension of 1 - IoU, all pixels of the batch pooled.

    All classes are sorted at once. Ignored pixels get the error 0, so they come last, behind all that counts.

    Args:
        probabilities: (B, C, H, W).
        labels: (B, H, W) int64.
        ignore_index: label that costs nothing.

    Returns:
        A scalar; 0 with zero gradients if no pixel counts.
    """
    classes = probabilities.shape[1]
    flat = probabilities.transpose(0, 1).flatten(1)  # (C, P)
    labels = labels.flatten()
    member = labels == torch.arange(classes, device=labels.device)[:, None]
    errors = torch.where(labels != ignore_index, (member.to(flat.dtype) - flat).abs(), 0)
    errors, order = errors.sort(dim=1, descending=True)
    with torch.no_grad():
        steps = _jaccard_steps(member.gather(1, order), errors.dtype)
        present = member.any(dim=1)
    per_class = (errors * steps).sum(dim=1) * present
    return per_class.sum() / present.sum().clamp(min=1)


def _jaccard_steps(member: Tensor, dtype: torch.dtype) -> Tensor:
    """By how much 1 - IoU grows when the errors of the first k pixels are counted, for each k; (C, P).

    With I and U, intersection and union without the first k: 1 / U for a pixel of the class, else I / (U (U - 1)). The
    difference of two nearly equal quotients would lose digits.
    """
    total = member.sum(dim=1, keepdim=True)
    inside = member.cumsum(dim=1)
    outside = torch.arange(1, member.shape[1] + 1, device=member.device) - inside
    intersection, union = (total - inside).to(dtype), (total + outside).to(dtype)
    return torch.where(member, 1 / union.clamp(min=1), intersection / (union * (union - 1)).clamp(min=1))


@MODELS.register_module()
class LovaszLoss(nn.Module):
    """Lovász-softmax of class scores, as a further loss of a head.

    Several processes each rank the pixels of their own batch: the loss of a joint batch would need a joint ranking.

    Args:
        loss_weight: factor on the result.
        loss_name: key of the loss.
    """

    def __init__(self, loss_weight: float = 1.0, loss_name: str = 'loss_lovasz'):
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, labels: Tensor, weight: Tensor | None = None, ignore_index: int = 255) -> Tensor:
        """The loss of a batch.

        Args:
            logits: (B, C, H, W).
            labels: (B, H, W) int64.
            weight: (B, H, W); a pixel of weight 0 is left out, others rank alike.
            ignore_index: label that costs nothing.
        """
        if weight is not None:
            labels = labels.masked_fill(weight == 0, ignore_index)
        with without_autocast(logits.device):
            probabilities = at_least_float32(logits).softmax(dim=1)
            return self.loss_weight * lovasz_softmax(probabilities, labels, ignore_index)
