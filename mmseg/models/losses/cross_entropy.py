"""Cross entropy over the pixels of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.fileio import load
from torch import Tensor, nn

from mmseg.engine.gradient_sync import reduce_sum, world_size
from mmseg.registry import MODELS

REDUCTIONS = ('none', 'mean', 'sum')


@MODELS.register_module()
class CrossEntropyLoss(nn.Module):
    """Softmax cross entropy with weights for classes and pixels.

    Of a pixel p with label y: ``-class_weight[y] * log softmax(logits)[y] * weight[p]``, 0 where it is ignored.
    The mean is over **all** pixels, ignored ones included, and is divided by no sum of weights: the published loss
    weights were tuned for that, and a batch with nothing but ignored pixels gives 0.

    Args:
        use_sigmoid: accepted because configs have it; must be False.
        use_mask: likewise.
        reduction: ``mean``, ``sum`` or ``none`` (the map).
        class_weight: one factor per class, or a file with them (.npy, .json, .yaml, .pkl).
        loss_weight: factor on the result.
        avg_non_ignore: the mean is over the pixels that are not ignored, of all processes; 0 without any. (PyTorch's
            mean, as ProCA and PBAL have it.)
        loss_name: key of the loss, where a head has several.

    Raises:
        ValueError: for an unknown reduction, the binary variants, or class weights that are no list of numbers.
        FileNotFoundError: if the file of class weights is missing.
    """

    class_weight: Tensor | None

    def __init__(
        self,
        use_sigmoid: bool = False,
        use_mask: bool = False,
        reduction: str = 'mean',
        class_weight: Sequence[float] | str | None = None,
        loss_weight: float = 1.0,
        avg_non_ignore: bool = False,
        loss_name: str = 'loss_seg',
    ):
        super().__init__()
        if use_sigmoid or use_mask:
            raise ValueError('CrossEntropyLoss: use_sigmoid and use_mask must be False; only softmax is supported')
        _check_reduction(reduction)
        self.reduction = reduction
        self.loss_weight = loss_weight
        self.avg_non_ignore = avg_non_ignore
        self.loss_name = loss_name
        weight = None if class_weight is None else torch.tensor(_class_weights(class_weight), dtype=torch.float64)
        self.register_buffer('class_weight', weight, persistent=False)

    def forward(
        self,
        logits: Tensor,
        labels: Tensor,
        weight: Tensor | None = None,
        ignore_index: int = 255,
        avg_factor: float | Tensor | None = None,
        reduction_override: str | None = None,
    ) -> Tensor:
        """The loss of a batch.

        Args:
            logits: (B, C, H, W).
            labels: (B, H, W) int64 in [0, C) or ``ignore_index``.
            weight: (B, H, W) factor on each pixel.
            ignore_index: label that costs nothing.
            avg_factor: divides the sum, in place of the number of pixels; only for ``mean``.
            reduction_override: in place of the configured reduction.

        Returns:
            A scalar, or the map (B, H, W) with reduction ``none``.

        Raises:
            ValueError: for an unknown reduction, ``avg_factor`` with ``sum``, or another number of class weights.
        """
        reduction = reduction_override or self.reduction
        _check_reduction(reduction)
        if avg_factor is not None and reduction == 'sum':
            raise ValueError("CrossEntropyLoss: avg_factor has no meaning with reduction 'sum'")
        if self.avg_non_ignore and reduction == 'mean' and avg_factor is None:
            avg_factor = self.divisor(labels, ignore_index)
        # The fused sum is not deterministic on CUDA (atomic additions); the map and its mean are.
        loss = F.cross_entropy(logits, labels, self._weight_like(logits), reduction='none', ignore_index=ignore_index)
        if weight is not None:
            loss = loss * weight.to(loss.dtype)
        if reduction == 'sum' or (reduction == 'mean' and avg_factor is not None):
            loss = loss.sum()
            if avg_factor is not None:
                loss = loss / avg_factor
        elif reduction == 'mean':
            loss = loss.mean()
        return self.loss_weight * loss

    def divisor(self, labels: Tensor, ignore_index: int = 255) -> Tensor | int:
        """What the configured reduction divides the sum over these labels by."""
        if self.reduction == 'sum':
            return 1
        if not self.avg_non_ignore:
            return labels.numel()
        # Gradients are averaged over processes afterwards, hence the division.
        return reduce_sum((labels != ignore_index).sum()).clamp(min=1) / world_size()

    def _weight_like(self, logits: Tensor) -> Tensor | None:
        if self.class_weight is None:
            return None
        if len(self.class_weight) != logits.shape[1]:
            raise ValueError(
                f'CrossEntropyLoss: {len(self.class_weight)} class weights for {logits.shape[1]} classes '
                '(loss_decode.class_weight in the config)'
            )
        return self.class_weight.to(logits)


def _check_reduction(reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise ValueError(f'CrossEntropyLoss: unknown reduction {reduction!r}; known: {", ".join(REDUCTIONS)}')


def _class_weights(source: Sequence[float] | str) -> list[float]:
    if isinstance(source, str):
        if not Path(source).is_file():
            raise FileNotFoundError(f'{source}: no such file of class weights (loss_decode.class_weight in the config)')
        source = np.load(source) if source.endswith('.npy') else load(source)
    weights = np.asarray(source)
    if weights.ndim != 1 or weights.dtype.kind not in 'fiu':
        raise ValueError(f'CrossEntropyLoss: class_weight must be one number per class, got {source!r}')
    return weights.tolist()
