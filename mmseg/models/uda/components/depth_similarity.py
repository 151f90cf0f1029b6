"""Which source crop of a bank has its classes at the depths where the target image has them (CDDA).

For counts S of a crop and T of the target, both (C, K): cosine k of the depths of each class, overlap
o = sum_d min(S, T) of the raw counts, sizes a and t of the classes, cosine u of the sizes. A class that the target has
is similar by s = k / 2 + o / (a + t), which is (k + 1 - l) / 2 with l = sum_d |S - T| / (a + t), as |x - y| =
x + y - 2 min(x, y). A crop is as similar as u sum_c s_c. Counts below 2^24 make all sums of counts exact in float32.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mmseg.models.precision import exact_matmul, without_autocast
from mmseg.models.uda.components.depth_bounds import SimilarityBounds

EPS = 1e-8
CPU_ROWS = 2048  # rows of a block: 2 MB of counts stay in the cache for all images of the batch
FIRST = 64  # crops that are compared at first, to have something for the others to reach
SMALL = 1024  # smaller banks are compared as a whole
ROUNDING = 1e-5  # of totals, and more than that of their bounds
ALL = slice(None)
GPU_ROWS = 32768  # 32 MB: few launches, bounded memory


class Similarity(NamedTuple):
    """How R crops compare with each of B target images.

    Attributes:
        cosine: (B, R, C) k.
        distance: (B, R, C) l.
        classes: (B, R, C) s; 0 for classes that the target lacks.
        size_cosine: (B, R) u.
        total: (B, R) u sum_c s_c.
    """

    cosine: Tensor
    distance: Tensor
    classes: Tensor
    size_cosine: Tensor
    total: Tensor


class DepthMatch(NamedTuple):
    """The most similar crop of each target image.

    Attributes:
        best: (B,) int64, its number in the bank.
        score: (B,) its total over the number of classes that the target has.
        classes: (B, C) its similarity class by class.
        missing: (B, C) bool, classes that it has and the target lacks.
        counts: (B, C, K) its counts.
    """

    best: Tensor
    score: Tensor
    classes: Tensor
    missing: Tensor
    counts: Tensor


class BankIndex:
    """The counts of a bank, laid out for comparison: class by class, and once.

    It is no module: what can be read again from the bank's file belongs neither into checkpoints nor into what
    processes send each other. Memory: N C K float32 (486 MB for 24966 crops of 19 classes), 2 N C for sizes and norms,
    an eighth of N C K for bounds on a CPU; a comparison needs 4 B N and some blocks of rows more, of 2 MB on a CPU and
    34 MB on a GPU.

    Args:
        counts: (N, C, K) whole numbers.
        device: where to compare.

    Raises:
        ValueError: for a crop of so many pixels that float32 would round.
    """

    def __init__(self, counts: Tensor, device: torch.device | str = 'cpu') -> None:
        number, num_classes, bins = counts.shape
        self.counts = torch.empty(num_classes, number, bins, device=device)
        for index in range(num_classes):
            self.counts[index] = counts[:, index].to(device)
        self.sizes = self.counts.sum(dim=2)  # (C, N)
        self.norms = torch.linalg.vector_norm(self.counts, dim=2)
        self.size_norms = torch.linalg.vector_norm(self.sizes, dim=0)  # (N,)
        self._bounds: SimilarityBounds | None = None
        if float(self.sizes.sum(dim=0).max()) >= 2**24:
            raise ValueError('depth_guidance: crops of over 2^24 pixels cannot be counted in float32')

    def __len__(self) -> int:
        return self.counts.shape[1]

    @property
    def num_classes(self) -> int:
        """C."""
        return len(self.counts)

    @property
    def memory(self) -> int:
        """Bytes that are held."""
        held = [*vars(self).values(), *(vars(self._bounds).values() if self._bounds is not None else ())]
        unique = {value.data_ptr(): value.nbytes for value in held if isinstance(value, Tensor)}
        return sum(unique.values())

    def to(self, device: torch.device) -> BankIndex:
        """The same index, moved to where the images are."""
        if self.counts.device != device:
            for name in ('counts', 'sizes', 'norms', 'size_norms'):
                setattr(self, name, getattr(self, name).to(device))
            self._bounds = None
        return self

    @torch.no_grad()
    def match(self, target: Tensor) -> DepthMatch:
        """The most similar crop for each of the images' counts (B, C, K); of equally similar ones the first."""
        target = target.to(self.counts.dtype)
        with without_autocast(target.device), exact_matmul():
            if target.device.type == 'cpu' and len(self) > SMALL:
                best = torch.stack([self._best_one(one) for one in target.split(1)])
            else:
                best = self._totals(target).argmax(dim=1)
            found = self.compare(target, best[:, None])
        present = target.sum(dim=2) > 0
        counts = self.counts[:, best].transpose(0, 1)
        return DepthMatch(
            best=best,
            score=found.total[:, 0] / present.sum(dim=1).clamp(min=1),
            classes=found.classes[:, 0],
            missing=~present & (counts.sum(dim=2) > 0),
            counts=counts,
        )

    @torch.no_grad()
    def compare(self, target: Tensor, rows: Tensor) -> Similarity:
        """All terms for some crops.

        Args:
            target: (B, C, K) counts.
            rows: (B, R) int64, which crops each image is compared with.
        """
        target = target.to(self.counts.dtype)
        crops = self.counts[:, rows].permute(1, 2, 0, 3)  # (B, R, C, K)
        crop_sizes, sizes = self.sizes[:, rows].permute(1, 2, 0), target.sum(dim=2)[:, None]  # (B, R, C), (B, 1, C)
        wanted = target[:, None]
        norms = self.norms[:, rows].permute(1, 2, 0) * torch.linalg.vector_norm(wanted, dim=3)
        cosine = (crops * wanted).sum(dim=3) / norms.clamp(min=EPS)
        both = crop_sizes + sizes
        overlap = torch.minimum(crops, wanted).sum(dim=3) / both.clamp(min=1)
        classes = (cosine / 2 + overlap) * (sizes > 0)
        size_norms = self.size_norms[rows] * torch.linalg.vector_norm(sizes, dim=2)
        size_cosine = (crop_sizes * sizes).sum(dim=2) / size_norms.clamp(min=EPS)
        return Similarity(
            cosine=cosine,
            distance=(1 - 2 * overlap) * (both > 0),
            classes=classes,
            size_cosine=size_cosine,
            total=size_cosine * classes.sum(dim=2),
        )

    def _best_one(self, target: Tensor) -> Tensor:
        """The most similar crop of one image (1, C, K): exact for the crops that could be it, bounds for all others."""
        if self._bounds is None:
            self._bounds = SimilarityBounds(self.counts, self.sizes, self.norms)
        bounds = self._size_cosine(target)[0] * self._bounds(target[0])
        reached = self._totals(target, bounds.topk(FIRST).indices).max()
        rows = (bounds >= reached - ROUNDING).nonzero().flatten()
        if len(rows) > len(self) // 4:
            return self._totals(target)[0].argmax()
        return rows[self._totals(target, rows)[0].argmax()]

    def _size_cosine(self, target: Tensor, rows: Tensor | slice = ALL) -> Tensor:
        """(B, R) u."""
        sizes = target.sum(dim=2)
        norms = torch.linalg.vector_norm(sizes, dim=1)[:, None] * self.size_norms[rows]
        return (sizes @ self.sizes[:, rows]) / norms.clamp(min=EPS)

    def _totals(self, target: Tensor, chosen: Tensor | None = None) -> Tensor:
        """(B, R) similarity of chosen crops (R,), or of all."""
        sizes = target.sum(dim=2)  # (B, C)
        norms = torch.linalg.vector_norm(target, dim=2)
        pairs = _compared(sizes)
        number = len(self) if chosen is None else len(chosen)
        similar = torch.zeros(len(target), number, device=target.device)
        step = CPU_ROWS if target.device.type == 'cpu' else GPU_ROWS
        for first in range(0, number, step):
            part = slice(first, first + step)
            rows = part if chosen is None else chosen[part]
            for index, images in pairs:
                crops, wanted = self.counts[index, rows], target[images, index]  # (R, K), (b, K)
                products = norms[images, index, None] * self.norms[index, rows]
                cosine = (crops @ wanted.t()).t() / products.clamp(min=EPS)
                overlap = torch.stack([torch.minimum(crops, one).sum(dim=1) for one in wanted])
                size = sizes[images, index, None]
                overlap /= (size + self.sizes[index, rows]).clamp(min=1)
                similar[images, part] += (cosine / 2 + overlap) * (size > 0)
        return self._size_cosine(target, ALL if chosen is None else chosen) * similar


def _compared(sizes: Tensor) -> list[tuple[int, list[int] | slice]]:
    """Each class with the images that have it, by its size in them (B, C).

    On a GPU each class with all images: asking for less would make the host wait.
    """
    if sizes.device.type != 'cpu':
        return [(index, slice(None)) for index in range(sizes.shape[1])]
    having = [(index, column.nonzero().flatten().tolist()) for index, column in enumerate(sizes.t())]
    return [(index, images) for index, images in having if images]
