"""Golden cases: what a case holds, and how numbers are compared with it.

A driver is ``drivers/<part>/<kind>.py`` with a function ``run(case)`` that rebuilds the run with our code and raises
``AssertionError`` where it differs. Drivers know nothing of single cases: unseen ones of the same kind run unchanged.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import json
import re
import warnings
from collections.abc import ItemsView, ValuesView
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

HERE = Path(__file__).parent


class StoredArrays(dict[str, np.ndarray]):
    """A case's arrays, which remember those that nobody has looked at. Asking for keys is no look."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        super().__init__(arrays)
        self.unread = set(arrays)

    def __getitem__(self, key: str) -> np.ndarray:
        self.unread.discard(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.unread.discard(key)
        return super().get(key, default)

    def items(self) -> ItemsView[str, np.ndarray]:
        self.unread.clear()
        return super().items()

    def values(self) -> ValuesView[np.ndarray]:
        self.unread.clear()
        return super().values()


@cache
def load_rules(path: Path) -> ModuleType:
    """A file of ``inputs/``, or ``fill.py``, by its place: another folder of cases may bring its own."""
    spec = importlib.util.spec_from_file_location(f'goldens_{path.stem}', path)
    assert spec is not None and spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Case:
    """One ``.npz``: its meta, its stored arrays, and its inputs rebuilt from names."""

    path: Path

    @property
    def id(self) -> str:
        return f'{self.path.parent.name}/{self.path.stem}'

    @cached_property
    def _stored(self) -> dict[str, np.ndarray]:
        with np.load(self.path) as stored:
            return {key: stored[key] for key in stored.files}

    @cached_property
    def meta(self) -> dict[str, Any]:
        return json.loads(str(self._stored['meta']))

    @cached_property
    def arrays(self) -> StoredArrays:
        return StoredArrays({key: value for key, value in self._stored.items() if key != 'meta'})

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Input arrays and state dicts by name, as NumPy arrays."""
        rules = load_rules(self._beside(f'inputs/{self.meta["part"]}.py'))
        return rules.inputs(self.meta, self.arrays, load_rules(self._beside('fill.py')))

    def _beside(self, name: str) -> Path:
        """A file of rules in the folder that the case's part lies in; ours where that has none."""
        own = self.path.resolve().parents[1] / name
        return own if own.is_file() else HERE / name

    def tensor(self, name: str, dtype: torch.dtype = torch.float64) -> torch.Tensor:
        """An input as a tensor; floats become ``dtype``, integers stay."""
        return as_tensor(self.inputs[name], dtype)

    def run(self, strict: bool = True) -> None:
        """Drive our code with this case; a kind without a driver is an error.

        An array that the driver leaves out is one too; without ``strict`` it is a warning.
        """
        importlib.import_module(f'tests.goldens.drivers.{self.meta["part"]}.{self._driver()}').run(self)
        if self.arrays.unread:
            message = f'{self.id}: stored, but never compared: {", ".join(sorted(self.arrays.unread))}'
            assert not strict, message
            warnings.warn(message, stacklevel=2)

    def _driver(self) -> str:
        """The kind; of a case that is a kind of its own, ``geometry_h`` say, the one that its name begins with."""
        part, kind = self.meta['part'], self.meta['kind']
        words = kind.split('_')
        for count in range(len(words), 0, -1):
            name = '_'.join(words[:count])
            if (HERE / 'drivers' / part / f'{name}.py').is_file():
                return name
        raise AssertionError(f'{self.id}: no driver for kind {kind!r} (expected drivers/{part}/{kind}.py)')


def as_tensor(value: np.ndarray, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    tensor = torch.from_numpy(np.array(value))
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def state_tensors(state: dict[str, np.ndarray], dtype: torch.dtype = torch.float64) -> dict[str, torch.Tensor]:
    """A state dict of arrays as tensors."""
    return {key: as_tensor(value, dtype) for key, value in state.items()}


def within_classes(uda: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    """Published settings whose list of thing classes goes no further than the network's classes.

    In the originals further ones select nothing; here they are a mistake.
    """
    key = 'imnet_feature_dist_classes'
    head = model['decode_head'][-1] if isinstance(model['decode_head'], list) else model['decode_head']
    if not uda.get(key):
        return uda
    return {**uda, key: [number for number in uda[key] if number < head['num_classes']]}


def statistics(tensor: torch.Tensor) -> np.ndarray:
    """A row of the goldens' tables: norm, sum, absmax, first four values (zero-padded), in float64."""
    flat = tensor.detach().double().flatten()
    first = torch.zeros(4, dtype=torch.float64)
    first[: min(4, flat.numel())] = flat[:4]
    return torch.cat([torch.stack([flat.norm(), flat.sum(), flat.abs().max()]), first]).numpy()


def relative_error(ours: np.ndarray, reference: np.ndarray) -> float:
    """||ours - reference|| / ||reference|| in the Euclidean norm."""
    ours, reference = np.asarray(ours, np.float64), np.asarray(reference, np.float64)
    assert ours.shape == reference.shape, f'shape {ours.shape}, expected {reference.shape}'
    return float(np.linalg.norm(ours - reference) / max(np.linalg.norm(reference), 1e-300))


def strided(key: str) -> tuple[str, int]:
    """``mixed_img_s8``, every eighth row and column of ``mixed_img``, as its name and stride; 1 without ``_s8``."""
    match = re.fullmatch(r'(.+)_s(\d+)', key)
    return (match[1], int(match[2])) if match else (key, 1)


def sampled_like(ours: np.ndarray, stored: np.ndarray) -> np.ndarray:
    """Every so-manieth entry of ``ours`` along each axis, so that the shape is that of ``stored``.

    The strides follow from both shapes; where several would give the shape, those whose entries fit best are taken.
    """
    assert ours.ndim == stored.ndim, f'{ours.ndim} axes, {stored.ndim} stored'
    strides = [
        [step for step in range(1, full + 1) if -(-full // step) == kept]
        for full, kept in zip(ours.shape, stored.shape, strict=True)
    ]
    assert all(strides), f'no strides thin {ours.shape} to {stored.shape}'
    candidates = [ours[tuple(slice(None, None, step) for step in steps)] for steps in itertools.product(*strides)]
    return min(candidates, key=lambda thinned: float(np.abs(thinned - stored).max(initial=0)))
