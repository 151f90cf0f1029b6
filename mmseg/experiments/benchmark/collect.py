"""From the folder of a finished row to its record."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmseg.engine.config import load_config
from mmseg.engine.settings_diff import differences
from mmseg.evaluation.result_file import Result, read_result
from mmseg.experiments.benchmark.budget import preset_of
from mmseg.experiments.benchmark.records import RowRecord, Scores, TrainingFacts
from mmseg.experiments.benchmark.row_stages import row_content
from mmseg.experiments.benchmark.rows import Benchmark
from mmseg.experiments.benchmark.training_log import TrainingLog, read_training_log
from mmseg.experiments.record import Record, read_record
from mmseg.experiments.references import references

MAX_LENGTH = 160
# They say where a training lies and how it is watched, not what it computes.
MECHANICS = ('work_dir', 'resume', 'val_cfg', 'val_dataloader', 'val_evaluator')


@dataclass(frozen=True)
class FinishedRow:
    """A row that was run, as its folder tells it.

    Attributes:
        record: what is kept of it; its files are not written yet.
        logs: of its trainings, by stage.
        final_folder: of the training whose student counts.
    """

    record: RowRecord
    logs: Mapping[str, TrainingLog]
    final_folder: Path


def collect(benchmarks: Mapping[str, Benchmark], folder: Path) -> FinishedRow:
    """Read the folder of a row, ``<row>_s<seed>`` with a folder per stage.

    Raises:
        FileNotFoundError: a stage lacks its log or scores.
        ValueError: it is no folder of a row, or not finished.
    """
    records = {path.parent.name: read_record(path.parent) for path in folder.glob('*/stage.json')}
    found = {name: one for name, one in records.items() if one is not None and '.old' not in name}
    named = re.fullmatch(r'(?P<row>\w+)_s(?P<seed>\d+)', folder.resolve().name)
    if named is None or not found:
        raise ValueError(f'{folder}: not the folder of a row, which is <row>_s<seed> and has a folder per stage')
    benchmark = _benchmark(benchmarks, folder, found)
    row, seed = benchmark.row(named['row']), int(named['seed'])
    content = row_content(benchmark, row, seed, max(benchmark.budgets.values()), benchmark.name)['stages']
    _check_finished(folder, content, found)
    trainings = {name: found[name] for name in content if 'train' in content[name]}
    tests = {name: found[name] for name in content if 'test' in content[name] and _is_finished(found.get(name))}
    logs = {name: read_training_log(folder / name) for name in trainings}
    scores = {
        name: scores_of(read_result(folder / name / Path(one.output).name), references(one.settings['test'])[0].stage)
        for name, one in tests.items()
    }
    iterations = sum(int(one.settings['config']['train_cfg']['max_iters']) for one in trainings.values())
    final = final_test(content)
    record = RowRecord(
        benchmark=benchmark.name,
        row=row.name,
        seed=seed,
        preset=preset_of(benchmark, row, iterations),
        iterations=iterations,
        trainings={
            name: training_facts(one.settings['train'], one.settings['config'], logs[name])
            for name, one in trainings.items()
        },
        tests=scores,
        final=final,
        environment={
            'began': min(one.began for one in found.values()),
            'ended': max(one.ended for one in found.values()),
            **environment(list(logs.values())),
        },
        fingerprint=fingerprint({name: found[name].settings for name in content if name in found}),
    )
    _check_seeds(folder, trainings, seed)
    return FinishedRow(record, logs, folder / scores[final].training)


def final_test(stages: Mapping[str, Mapping[str, Any]]) -> str:
    """The test that counts: the last one without further options."""
    return [name for name, stage in stages.items() if 'test' in stage and not stage.get('args')][-1]


def _benchmark(benchmarks: Mapping[str, Benchmark], folder: Path, stages: Mapping[str, Record]) -> Benchmark:
    """The benchmark in whose folder of configs those of the trainings lie."""
    folders = {Path(one.settings['train']).parent.as_posix() for one in stages.values() if 'train' in one.settings}
    for benchmark in benchmarks.values():
        if folders == {benchmark.configs}:
            return benchmark
    raise ValueError(f'{folder}: its trainings are of no benchmark ({", ".join(benchmarks)})')


def _is_finished(record: Record | None) -> bool:
    return record is not None and record.state == 'finished'


def _check_finished(folder: Path, content: Mapping[str, Any], found: Mapping[str, Record]) -> None:
    needed = [name for name, stage in content.items() if 'train' in stage] + [final_test(content)]
    missing = [name for name in content if name in needed and not _is_finished(found.get(name))]
    if missing:
        raise ValueError(f'{folder}: stage {missing[0]} is not finished, so there is nothing to record yet')


def _check_seeds(folder: Path, trainings: Mapping[str, Record], seed: int) -> None:
    for name, one in trainings.items():
        if one.settings['config'].get('seed') != seed:
            raise ValueError(f'{folder}: stage {name} was trained with seed {one.settings["config"].get("seed")}')


def training_facts(config: str, settings: Mapping[str, Any], log: TrainingLog) -> TrainingFacts:
    """What a record keeps of a training.

    Args:
        config: its config file.
        settings: its resolved config.
        log: of it.
    """
    written = json.loads(json.dumps(load_config(config).to_dict(), default=str))
    lines = differences(written, dict(settings))
    changes = [_with_value(line, settings) for line in lines if not re.match(rf'({"|".join(MECHANICS)})\b', line)]
    short = tuple(line if len(line) <= MAX_LENGTH else f'{line[:MAX_LENGTH]}...' for line in changes)
    return TrainingFacts(config, short, int(settings['train_cfg']['max_iters']), log.rate, log.memory)


def _with_value(line: str, settings: Mapping[str, Any]) -> str:
    """What a new setting is, beside that it is new."""
    key, new, _ = line.rpartition(' is new')
    if not new:
        return line
    value: Any = settings
    for part in key.split('.'):
        value = value[int(part) if isinstance(value, list) else part]
    return f'{key} = {value!r}'


def scores_of(result: Result, training: str) -> Scores:
    """What a record keeps of a test of a training.

    Raises:
        ValueError: it has no mIoU.
    """
    miou = result.scores.get('mIoU')
    if miou is None:
        raise ValueError(f'{result.path}: has no mIoU')
    iou = {name: None if value is None else round(value, 2) for name, value in result.per_class().items()}
    return Scores(training, result.options, result.iteration, result.images, round(miou, 3), iou)


def environment(logs: Sequence[TrainingLog]) -> dict[str, str]:
    """Hardware, versions and code revision of all trainings; what differs between them is joined."""

    def joined(key: str) -> str:
        return ', '.join(dict.fromkeys(str(log.meta[key]) for log in logs if log.meta.get(key) is not None))

    return {key: joined(key) for key in ('device', 'python', 'torch', 'git', 'processes')}


def fingerprint(settings: Mapping[str, Any]) -> str:
    """Digest of resolved settings."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
