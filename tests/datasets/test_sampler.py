from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmseg.datasets import SampleNumberSampler


class Sized:
    seed = None

    def set_seed(self, seed):
        self.seed = seed

    def __len__(self):
        return 10


@given(st.integers(0, 10**12), st.integers(1, 5))
def test_processes_share_the_numbers(start, world_size):
    samplers = [
        SampleNumberSampler(Sized(), start=start, rank=rank, world_size=world_size) for rank in range(world_size)
    ]
    drawn = sorted(number for sampler in samplers for number in islice(sampler, 4))
    assert drawn == list(range(start, start + 4 * world_size))


def test_seed_goes_to_the_dataset():
    dataset = Sized()
    assert list(islice(SampleNumberSampler(dataset, seed=5), 3)) == [0, 1, 2] and dataset.seed == 5
    SampleNumberSampler(dataset)
    assert dataset.seed == 5


def test_continue():
    sampler = SampleNumberSampler(Sized(), rank=1, world_size=2)
    before = list(islice(sampler, 8))
    sampler.set_start(6)
    assert list(islice(sampler, 5)) == before[3:]
    assert len(sampler) == 5
    with pytest.raises(ValueError, match='-1'):
        sampler.set_start(-1)
