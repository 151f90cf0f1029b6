"""From a row, a seed and a budget to stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmseg.engine.config import load_config
from mmseg.experiments.benchmark.budget import divided, guidance_options, training_options
from mmseg.experiments.benchmark.rows import Benchmark, Row

# The stages that make a bank of source crops are the tools of this file.
BANK_STAGES = 'cdda_stages'


def row_name(row: Row, seed: int) -> str:
    """Of a row's folder and files."""
    return f'{row.name}_s{seed}'


def row_content(
    benchmark: Benchmark,
    row: Row,
    seed: int,
    budget: int,
    group: str,
    cfg_options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a file of stages would say.

    Args:
        benchmark: of the row.
        row: what to train.
        seed: of all its trainings.
        budget: optimizer steps of a row of length 1.
        group: second part of the name of the folder of all rows.
        cfg_options: laid over all its trainings.

    Raises:
        ValueError: the budget is too small, or the row has options for a stage that it has not.
        FileNotFoundError: a config is missing.
    """
    stages = _chain(benchmark, row) if row.is_chain else _single(benchmark, row)
    trainings = [stage for stage in stages.values() if 'train' in stage]
    for training, iterations in zip(trainings, divided(budget * row.length, len(trainings)), strict=True):
        options = {**(training.get('cfg_options') or {}), **training_options(iterations, seed)}
        if row.bank:
            options |= {'uda.depth_guidance.bank': '{bank}', **guidance_options(iterations)}
        training['cfg_options'] = options
    for name, own in row.options.items():
        if 'train' not in stages.get(name, {}):
            raise ValueError(f'row {row.name}: {name} is no training of {benchmark.config_file(row.config)}')
        stages[name]['cfg_options'] |= own
    for training in trainings:
        training['cfg_options'] |= cfg_options or {}
    return {'name': row_name(row, seed), 'exp': group, 'stages': stages}


def _chain(benchmark: Benchmark, row: Row) -> dict[str, Any]:
    return load_config(benchmark.config_file(row.config))['stages'].to_dict()


def _single(benchmark: Benchmark, row: Row) -> dict[str, Any]:
    stages = _bank(benchmark) if row.bank else {}
    stages['train'] = {'train': benchmark.config_file(row.config)}
    stages['test'] = {'test': '{train}'}
    if row.teacher:
        stages['test_teacher'] = {'test': '{train}', 'args': ['--ema']}
    if row.adapt_bn:
        stages['test_adabn'] = {'test': '{train}', 'args': ['--adapt-bn', benchmark.config_file(benchmark.adapt_bn)]}
    return stages


def _bank(benchmark: Benchmark) -> dict[str, Any]:
    listed = load_config(benchmark.config_file(BANK_STAGES))['stages'].to_dict()
    return {name: stage for name, stage in listed.items() if 'tool' in stage}
