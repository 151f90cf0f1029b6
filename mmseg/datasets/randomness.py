"""Random numbers of the loader: all follow from (seed, sample number), never from the process that draws them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

T = TypeVar('T')

# Streams of one seed that must not share numbers.
_SAMPLE, _EPOCH, _TARGET_EPOCH = 0, 1, 2


class Draws:
    """The random decisions of one sample: drawn from its generator, or handed in.

    Args:
        generator: source of the decisions that are not handed in.
        given: decisions by name, each a sequence used up in call order (for tests and reproductions).
    """

    def __init__(self, generator: np.random.Generator, given: Mapping[str, Iterable[Any]] | None = None):
        self.generator = generator
        self._given = {name: iter(values) for name, values in (given or {}).items()}

    def __call__(self, name: str, draw: Callable[[np.random.Generator], T]) -> T:
        """The next decision called ``name``.

        Raises:
            IndexError: decisions of this name were handed in, but too few.
        """
        if name not in self._given:
            return draw(self.generator)
        try:
            return next(self._given[name])
        except StopIteration:
            raise IndexError(f'more decisions {name!r} are needed than were handed in') from None


def sample_generator(seed: int, number: int, part: int = 0) -> np.random.Generator:
    """The generator of one part (image pair, source, target, ...) of sample ``number``."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SAMPLE, number, part)))


@lru_cache(maxsize=4)
def _order(seed: int, stream: int, epoch: int, length: int) -> np.ndarray:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream, epoch))).permutation(length)


def shuffled_index(seed: int, number: int, length: int, target: bool = False) -> int:
    """File of sample ``number`` when every file comes once per epoch, each epoch in another order.

    Args:
        seed: of the data.
        number: >= 0.
        length: number of files.
        target: in the orders of the target domain, which are others than those of the source.
    """
    epoch, position = divmod(number, length)
    return int(_order(seed, _TARGET_EPOCH if target else _EPOCH, epoch, length)[position])
