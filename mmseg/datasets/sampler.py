"""The sampler of training: sample numbers without end."""

from __future__ import annotations

from collections.abc import Iterator, Sized

from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from mmseg.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class SampleNumberSampler(Sampler[int]):
    """Yields start + rank, start + rank + P, ... for P processes: together they see every number once.

    A dataset turns (seed, number) into a file and all random decisions, so a resumed run continues the sequence exactly
    when it starts at the number of samples used before, over all processes: iteration x batch size x processes.

    Args:
        dataset: gets the seed.
        seed: seed of the loader's random decisions; None leaves the dataset's.
        start: first sample number.
        rank: this process; by default the process group's.
        world_size: number of processes; by default the process group's.
    """

    def __init__(
        self,
        dataset: Sized,
        seed: int | None = None,
        start: int = 0,
        rank: int | None = None,
        world_size: int | None = None,
    ):
        group_rank, group_size = get_dist_info()
        self.rank = group_rank if rank is None else rank
        self.world_size = group_size if world_size is None else world_size
        self.length = len(dataset)
        self.set_start(start)
        if seed is not None:
            dataset.set_seed(seed)

    def set_start(self, sample_number: int) -> None:
        """Start the next iteration at this sample number (the same on all processes)."""
        if sample_number < 0:
            raise ValueError(f'sample numbers start at 0, got {sample_number}')
        self.start = sample_number

    def __iter__(self) -> Iterator[int]:
        number = self.start + self.rank
        while True:
            yield number
            number += self.world_size

    def __len__(self) -> int:
        """Files per process (pairs for a pair dataset): what a progress display calls an epoch."""
        return -(-self.length // self.world_size)
