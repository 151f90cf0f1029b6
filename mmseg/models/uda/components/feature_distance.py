"""Feature distance: keep the encoder near the features that ImageNet taught it.

Reference: DAFormer (Hoyer et al., CVPR 2022), section 3.3, equations 9 to 13.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mmseg.engine.gradient_sync import reduce_sum, world_size
from mmseg.models.precision import at_least_float32, without_autocast
from mmseg.structures import IGNORE


def downscale_label(labels: Tensor, factor: int, min_ratio: float, num_classes: int) -> Tensor:
    """Each cell's commonest class, or 255 where that is "ignore" or holds less than ``min_ratio`` of the cell.

    Args:
        labels: (B, H, W) int64, 255 = ignore.
        factor: side of a cell; a remainder at the right and bottom is dropped.
        min_ratio: share of the cell that a class needs.
        num_classes: C; of equally common classes the smallest wins, "ignore" counts as the last.

    Returns:
        (B, H // factor, W // factor) int64.

    Raises:
        ValueError: if ``factor`` is not above 1.
    """
    if factor <= 1:
        raise ValueError(f'feature_distance: labels must be larger than features, got the factor {factor}')
    batch, height, width = labels.shape
    rows, columns = height // factor, width // factor
    cells = labels[:, : rows * factor, : columns * factor].reshape(batch, rows, factor, columns, factor)
    cells = cells.masked_fill(cells == IGNORE, num_classes).permute(0, 1, 3, 2, 4).flatten(3)
    counts = (cells[..., None] == torch.arange(num_classes + 1, device=labels.device)).sum(dim=3)  # (B, h, w, C + 1)
    count, winner = counts.max(dim=3)
    unclear = (winner == num_classes) | (count.float() / factor**2 < min_ratio)
    return winner.masked_fill(unclear, IGNORE)


class FeatureDistance:
    """Mean Euclidean distance between student and ImageNet features where the label is of certain classes.

    Args:
        weight: lambda_FD.
        classes: train ids of the classes that count (thing classes); None = all positions, labels are not looked at.
        min_ratio: share of a feature's cell that must belong to one class.
    """

    def __init__(self, weight: float = 0.005, classes: Sequence[int] | None = None, min_ratio: float = 0.75) -> None:
        self.weight = weight
        self.classes = None if classes is None else tuple(classes)
        self.min_ratio = min_ratio

    def check_classes(self, num_classes: int) -> None:
        """Raise ValueError for a class that the network does not have: its positions would never be found."""
        foreign = [class_id for class_id in self.classes or () if not 0 <= class_id < num_classes]
        if foreign:
            raise ValueError(
                f'uda.feature_distance.classes has {foreign}, but the network has classes 0 to {num_classes - 1}: list '
                'the ids of its things, or None for all positions'
            )

    def positions(self, labels: Tensor, size: tuple[int, int], num_classes: int) -> Tensor:
        """(B, h, w) bool, where features of ``size`` (h, w) are compared, by labels (B, H, W).

        Raises:
            ValueError: if the reduced labels have another size than the features.
        """
        if self.classes is None:
            return torch.ones(labels.shape[0], *size, dtype=torch.bool, device=labels.device)
        small = downscale_label(labels, labels.shape[2] // size[1], self.min_ratio, num_classes)
        if small.shape[1:] != size:
            raise ValueError(
                f'feature_distance: labels of {tuple(labels.shape[1:])} reduce to {tuple(small.shape[1:])}, '
                f'features have {tuple(size)}; use a crop size that the encoder divides evenly'
            )
        wanted = torch.zeros(IGNORE + 1, dtype=torch.bool)
        wanted[list(self.classes)] = True
        return wanted.to(labels.device, non_blocking=True)[small]

    def of_views(
        self, pairs: Sequence[tuple[Tensor, Tensor]], references: Sequence[Tensor], num_classes: int
    ) -> dict[str, Tensor]:
        """The sum of the losses of several views of the images (HRDA's context and detail).

        Args:
            pairs: of each view features and labels.
            references: of each view the frozen encoder's features.
            num_classes: C.

        Returns:
            as of :meth:`__call__`; ``fd_valid`` is 1 if any view had something to compare.
        """
        first, *others = [
            self(features, reference, labels, num_classes)
            for (features, labels), reference in zip(pairs, references, strict=True)
        ]
        for other in others:
            first['loss_imnet_feat_dist'] = first['loss_imnet_feat_dist'] + other['loss_imnet_feat_dist']
            first['fd_valid'] = torch.maximum(first['fd_valid'], other['fd_valid'])
        return first

    def __call__(self, features: Tensor, reference: Tensor, labels: Tensor, num_classes: int) -> dict[str, Tensor]:
        """The loss and whether there was anything to compare.

        Without any position the loss is 0 with zero gradients (the originals log NaN). The mean runs over the positions
        of all processes.

        Args:
            features: (B, D, h, w) of the student, with gradient.
            reference: (B, D, h, w) of the frozen ImageNet encoder.
            labels: (B, H, W) int64.
            num_classes: C.

        Returns:
            ``loss_imnet_feat_dist`` and ``fd_valid`` (1 if any position counted, else 0), scalars.
        """
        with without_autocast(features.device):
            distance = torch.linalg.vector_norm(at_least_float32(features) - at_least_float32(reference), dim=1)
            kept = self.positions(labels, (distance.shape[1], distance.shape[2]), num_classes).to(distance.dtype)
            count = reduce_sum(kept.sum())
            # gradients are averaged over processes afterwards, hence the factor
            total = (distance * kept).sum() * world_size()
            return {
                'loss_imnet_feat_dist': self.weight * total / count.clamp(min=1),
                'fd_valid': (count > 0).to(distance.dtype),
            }
