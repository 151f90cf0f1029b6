"""Class-balanced sampling (FADA's and ProCA's): classes that were seen less in the last draws come more often.

Reference: the code of ProCA (Jiang et al., ECCV 2022). Unlike rare class sampling it counts files, not pixels, and
follows what has been drawn: with q_c the share of class c among the classes of the files drawn since the last sub-epoch
of 3000 began, class c is drawn with P(c) ~ 1 / ln(1.01 + q_c), and of the files with c the next one.
"""

from __future__ import annotations

import itertools
import json
import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.concatenation import ConcatDataset, build_dataset
from mmseg.datasets.file_lookup import listed_files
from mmseg.datasets.randomness import Draws, sample_generator
from mmseg.datasets.rare_class_sampling import CLASS_FILES_FILE
from mmseg.registry import DATASETS

SUB_EPOCH = 3000
EMPTY = 1.01


def class_weights(seen: np.ndarray) -> np.ndarray:
    """P(c) from how many of the drawn files held each class, (C,)."""
    share = seen / max(seen.sum(), 1)
    weights = 1 / np.log(EMPTY + share)
    return weights / weights.sum()


def balanced_sequence(
    presence: np.ndarray,
    draw_class: Callable[[np.ndarray], int],
    shuffle: Callable[[list[int]], None],
    sub_epoch: int = SUB_EPOCH,
) -> Iterator[int]:
    """File indices without end.

    Args:
        presence: (files, C), whether a file holds a class.
        draw_class: a class from probabilities (C,); 0 for a class without files.
        shuffle: puts a class's files into a new order, in place, when all have been taken. The next round then begins
            at its second file, as in the original.
        sub_epoch: draws after which the counts start anew.
    """
    presence = presence.astype(np.int64)
    files = [np.flatnonzero(column).tolist() for column in presence.T]
    available = np.array([bool(each) for each in files])
    position = np.zeros(len(files), np.int64)
    while True:
        seen = np.zeros(len(files), np.int64)
        for _ in range(sub_epoch):
            weights = np.where(available, class_weights(seen), 0)
            chosen = draw_class(weights / weights.sum())
            if position[chosen] >= len(files[chosen]):
                shuffle(files[chosen])
                position[chosen] = position[chosen] % max(len(files[chosen]) - 1, 1)
            index = files[chosen][position[chosen]]
            position[chosen] += 1
            seen += presence[index]
            yield index


class ClassBalancedSampling:
    """Which file of a labelled dataset a sample number stands for.

    The sequence follows from the seed alone. It is made as far as it is asked for, in each loader worker; a resumed run
    goes through what came before.

    Args:
        dataset: the source domain.
        label_info: statistics; None = ``samples_with_class.json`` of the converter in ``data_root``; or a
            ``*_label_info.p`` of the original, of several datasets in one a list of such.

    Raises:
        FileNotFoundError: there are no statistics.
        ValueError: they are broken, or of other files.
    """

    def __init__(self, dataset: BaseSegDataset | ConcatDataset, label_info: str | Sequence[str] | None = None):
        infos = [label_info] if label_info is None or isinstance(label_info, str) else list(label_info)
        infos *= len(dataset.parts) if infos == [None] else 1
        if len(infos) != len(dataset.parts):
            raise ValueError(
                f'class-balanced sampling: label_info names {len(infos)} files for {len(dataset.parts)} datasets'
            )
        self.presence = np.concatenate(
            [class_presence(part, info) for part, info in zip(dataset.parts, infos, strict=True)]
        )
        self._seed: int | None = None
        self._drawn: list[int] = []
        self._sequence: Iterator[int] = iter(())

    def index(self, number: int, seed: int) -> int:
        """File of sample ``number``."""
        if seed != self._seed:
            self._seed, self._drawn, self._sequence = seed, [], self._start(seed)
        while len(self._drawn) <= number:
            self._drawn.append(next(self._sequence))
        return self._drawn[number]

    def __getstate__(self) -> dict[str, Any]:
        """A worker process begins anew: generators cannot be sent."""
        return {**self.__dict__, '_seed': None, '_drawn': [], '_sequence': iter(())}

    def _start(self, seed: int) -> Iterator[int]:
        generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,)))
        classes = self.presence.shape[1]

        def draw_class(weights: np.ndarray) -> int:
            return min(int(np.searchsorted(weights.cumsum(), generator.random())), classes - 1)

        # The first round in an order of its own: file names sort images by scene.
        order = generator.permutation(len(self.presence))
        shuffled = balanced_sequence(self.presence[order], draw_class, generator.shuffle)
        return (int(order[index]) for index in shuffled)


@DATASETS.register_module()
class ClassBalancedDataset(Dataset):
    """A labelled dataset whose files come by :class:`ClassBalancedSampling`.

    Args:
        dataset: the labelled dataset, or a list of such.
        label_info: see :class:`ClassBalancedSampling`.
    """

    def __init__(
        self,
        dataset: Mapping[str, Any] | Sequence[Mapping[str, Any]] | BaseSegDataset,
        label_info: str | Sequence[str] | None = None,
    ):
        self.dataset: BaseSegDataset | ConcatDataset = build_dataset(dataset)
        self.metainfo = self.dataset.metainfo
        self.sampling = ClassBalancedSampling(self.dataset, label_info)
        self.seed = 0

    def set_seed(self, seed: int) -> None:
        """Seed of the random decisions; call it before the loader starts its workers."""
        self.seed = seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, number: int) -> dict[str, Any]:
        index = self.sampling.index(number, self.seed)
        return self.dataset.sample(index, Draws(sample_generator(self.seed, number)))


def class_presence(dataset: BaseSegDataset, label_info: str | None) -> np.ndarray:
    """(files, C) bool, whether a file holds a class, see :class:`ClassBalancedSampling`."""
    own = (dataset.label_names, dataset.seg_map_dir) if label_info is None else (dataset.img_names, dataset.img_dir)
    files = _converter_files(dataset) if label_info is None else _original_files(Path(label_info), dataset.num_classes)
    listing = label_info or os.path.join(dataset.data_root, CLASS_FILES_FILE)
    indices = listed_files(itertools.chain.from_iterable(files.values()), *own, listing)
    presence = np.zeros((len(dataset), dataset.num_classes), bool)
    for class_id, names in files.items():
        presence[[indices[name] for name in names if name in indices], class_id] = True
    if not presence.any():
        raise ValueError(
            f'class-balanced sampling: {label_info or CLASS_FILES_FILE} names no file of {dataset.img_dir}'
        )
    return presence


def _converter_files(dataset: BaseSegDataset) -> dict[int, list[str]]:
    path = os.path.join(dataset.data_root, CLASS_FILES_FILE)
    advice = f'run {dataset.statistics_command()}'
    try:
        files = json.loads(Path(path).read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise FileNotFoundError(f'class-balanced sampling needs {path}, which does not exist: {advice}') from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f'{path} is broken ({error}): delete it and {advice}') from None
    if dataset.label_map is not None:
        files = dataset.label_map.merge_files(files)
    listed = {int(key): [entry[0] for entry in entries] for key, entries in files.items()}
    foreign = sorted(class_id for class_id in listed if class_id >= dataset.num_classes)
    if foreign:
        raise ValueError(f'{path} lists classes {foreign}, the dataset has {dataset.num_classes}: {advice}')
    return listed


class _PlainUnpickler(pickle.Unpickler):
    """Lists, dicts, strings and numbers; anything that would run code is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f'it holds {module}.{name}')


def _original_files(path: Path, num_classes: int) -> dict[int, list[str]]:
    if not path.is_file():
        raise FileNotFoundError(f'class-balanced sampling: label_info {path} does not exist')
    try:
        with path.open('rb') as file:
            label_to_file: Sequence[Sequence[str]] = _PlainUnpickler(file).load()[0]
        listed = {class_id: [str(name) for name in names] for class_id, names in enumerate(label_to_file)}
    except (pickle.UnpicklingError, EOFError, TypeError, LookupError, ValueError, AttributeError) as error:
        raise ValueError(f'{path}: not a label_info file of the original ({error})') from None
    foreign = [class_id for class_id, names in listed.items() if names and class_id >= num_classes]
    if foreign:
        raise ValueError(
            f'{path} lists classes {foreign}, the dataset has {num_classes}: give label_info of the same classes, or '
            f'leave it out to use {CLASS_FILES_FILE}'
        )
    return {class_id: names for class_id, names in listed.items() if names}
