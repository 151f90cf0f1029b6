"""How many optimizer steps each training of a row takes, and what follows from that."""

from __future__ import annotations

from typing import Any

from mmseg.experiments.benchmark.rows import Benchmark, Row


def preset_budget(benchmark: Benchmark, preset: str) -> int:
    """Optimizer steps of a row of length 1.

    Raises:
        ValueError: there is no such preset.
    """
    if preset not in benchmark.budgets:
        raise ValueError(f'{benchmark.name} has no preset {preset}; presets: {", ".join(benchmark.budgets)}')
    return benchmark.budgets[preset]


def divided(total: int, parts: int) -> list[int]:
    """Steps in equal parts; what a division leaves goes to the last.

    Raises:
        ValueError: a part would have none.
    """
    if total < parts:
        raise ValueError(f'a budget of {total} iterations is too small for {parts} trainings')
    each = total // parts
    return [each] * (parts - 1) + [total - each * (parts - 1)]


def training_options(iterations: int, seed: int) -> dict[str, Any]:
    """Config values of a training: the harness tests the last iterate, so validation and panels wait for the end."""
    return {
        'train_cfg.max_iters': iterations,
        'train_cfg.val_interval': iterations,
        'default_hooks.panels.interval': iterations,
        'seed': seed,
    }


def guidance_options(iterations: int) -> dict[str, Any]:
    """CDDA's schedule, as long as the training: the published 10 000, 1000 and 40 000 of 40 000 iterations."""
    return {
        'uda.depth_guidance.decay_begin': iterations // 4,
        'uda.depth_guidance.decay_every': max(1, iterations // 40),
        'uda.depth_guidance.decay_end': iterations,
    }


def preset_of(benchmark: Benchmark, row: Row, iterations: int) -> str:
    """The preset in which a row takes so many steps; the steps themselves if there is none."""
    for preset, budget in benchmark.budgets.items():
        if budget * row.length == iterations:
            return preset
    return f'{iterations // row.length} iterations'
