"""How similar a crop can be at most, by an eighth of its counts: on a CPU few crops then need all of them.

Neighbouring depths are put together in groups g. Then sum_d S T <= sum_g |S_g| |T_g| (Cauchy and Schwarz in each group)
and sum_d min(S, T) <= sum_g min(sum S_g, sum T_g), so that the similarity of :mod:`depth_similarity` has a bound of the
same form.
"""

from __future__ import annotations

import torch
from torch import Tensor

GROUP = 16  # depths of a group
EPS = 1e-8


class SimilarityBounds:
    """Bounds for all crops of a bank.

    Memory: 2 N C K / 16 float32 (61 MB for 24966 crops of 19 classes).

    Args:
        counts: (C, N, K).
        sizes: (C, N), pixels of each class.
        norms: (C, N), Euclidean norm of each class's counts.
    """

    def __init__(self, counts: Tensor, sizes: Tensor, norms: Tensor) -> None:
        num_classes, number, bins = counts.shape
        self.sizes, self.norms = sizes, norms
        self.sums = counts.new_empty(num_classes, bins // GROUP, number)  # depths before crops: vectors are long
        self.group_norms = torch.empty_like(self.sums)
        for index, of_class in enumerate(counts):
            groups = of_class.unflatten(1, (-1, GROUP))
            self.sums[index] = groups.sum(dim=2).t()
            self.group_norms[index] = torch.linalg.vector_norm(groups, dim=2).t()

    def __call__(self, target: Tensor) -> Tensor:
        """(N,) at least sum_c s_c of each crop with a target's counts (C, K)."""
        groups = target.unflatten(1, (-1, GROUP))
        sums, group_norms = groups.sum(dim=2), torch.linalg.vector_norm(groups, dim=2)
        sizes, norms = sums.sum(dim=1), torch.linalg.vector_norm(group_norms, dim=1)
        bound = torch.zeros_like(self.sizes[0])
        for index in sizes.nonzero().flatten().tolist():
            cosine = (group_norms[index] @ self.group_norms[index]) / (norms[index] * self.norms[index]).clamp(min=EPS)
            overlap = torch.minimum(self.sums[index], sums[index, :, None]).sum(dim=0)
            bound += cosine / 2 + overlap / (sizes[index] + self.sizes[index])
        return bound
