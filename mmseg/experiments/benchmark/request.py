"""From a command line to what is to be run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmseg.experiments.benchmark.budget import preset_budget
from mmseg.experiments.benchmark.records import RESULTS
from mmseg.experiments.benchmark.rows import Benchmark
from mmseg.experiments.benchmark.running import Request


def make_request(
    benchmark: Benchmark,
    rows: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    preset: str | None = None,
    budget: int | None = None,
    machine: str = 'local',
    cfg_options: Mapping[str, Any] | None = None,
    results: str | None = None,
    startup_test: bool = False,
) -> Request:
    """Checked settings, with defaults for those that are None.

    Rows with changed configs or cut to a startup test are not the benchmark's: they are recorded only if ``results``
    says where.

    Raises:
        ValueError: an unknown row or preset, no positive budget, a negative seed, or a row or seed twice.
    """
    chosen = [benchmark.row(name) for name in rows] if rows else list(benchmark.rows)
    seeds = list(seeds or [0])
    for what, values in (('row', [row.name for row in chosen]), ('seed', seeds)):
        if len(set(values)) < len(values):
            raise ValueError(f'a {what} is named twice: {", ".join(map(str, values))}')
    if min(seeds) < 0:
        raise ValueError(f'--seeds {min(seeds)}: expected 0 or more')
    if budget is None:
        preset = preset or _preset_of_device()
        budget = preset_budget(benchmark, preset)
    elif budget < 1:
        raise ValueError(f'--budget {budget}: expected at least 1')
    else:
        preset = next((name for name, one in benchmark.budgets.items() if one == budget), f'{budget} iterations')
    own = bool(cfg_options) or startup_test
    return Request(
        benchmark=benchmark,
        rows=chosen,
        seeds=seeds,
        preset=preset,
        budget=budget,
        machine=machine,
        cfg_options=dict(cfg_options or {}),
        results=Path(results) if results else None if own else RESULTS,
        suffix='-startup' if startup_test else '',
    )


def _preset_of_device() -> str:
    import torch

    return 'gpu' if torch.cuda.is_available() else 'cpu'
