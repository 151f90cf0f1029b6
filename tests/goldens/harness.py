"""Golden cases: what a case holds, and how numbers are compared with it.

A driver is ``drivers/<part>/<kind>.py`` with a function ``run(case)`` that rebuilds the run with our code and raises
``AssertionError`` where it differs. Drivers know nothing of single cases: unseen ones of the same kind run unchanged.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.goldens import fill


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
    def arrays(self) -> dict[str, np.ndarray]:
        return {key: value for key, value in self._stored.items() if key != 'meta'}

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Input arrays and state dicts by name, as NumPy arrays."""
        rules = importlib.import_module(f'tests.goldens.inputs.{self.meta["part"]}')
        return rules.inputs(self.meta, self.arrays, fill)

    def tensor(self, name: str, dtype: torch.dtype = torch.float64) -> torch.Tensor:
        """An input as a tensor; floats become ``dtype``, integers stay."""
        return as_tensor(self.inputs[name], dtype)

    def run(self) -> None:
        """Drive our code with this case; a kind without a driver is an error."""
        name = f'tests.goldens.drivers.{self.meta["part"]}.{self.meta["kind"]}'
        try:
            driver = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            raise AssertionError(f'{self.id}: no driver for kind {self.meta["kind"]!r} (expected {name})') from None
        driver.run(self)


def as_tensor(value: np.ndarray, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    tensor = torch.from_numpy(np.array(value))
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def state_tensors(state: dict[str, np.ndarray], dtype: torch.dtype = torch.float64) -> dict[str, torch.Tensor]:
    """A state dict of arrays as tensors."""
    return {key: as_tensor(value, dtype) for key, value in state.items()}


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
