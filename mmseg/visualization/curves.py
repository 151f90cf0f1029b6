"""What a run's log says, as named series of numbers: the reading half of curves, summaries and reports.

A log is ``log.jsonl``, or a ``*.log.json`` of the original code bases (mmsegmentation 0.x), which published runs ship.
Nothing is drawn here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmseg.engine.json_log import read_rows
from mmseg.evaluation.run_folder import find_config

LOG = 'log.jsonl'
LOG_OF_0X = '*.log.json'
EVALUATION = 'eval_latest.json'
NOT_VALUES = ('mode', 'iter', 'epoch')


@dataclass(frozen=True)
class Series:
    """Numbers over iterations.

    Attributes:
        iterations: (N,) int64, rising.
        values: (N,) float64; NaN where a value was logged that is not finite, such as the IoU of an absent class.
    """

    iterations: np.ndarray
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.iterations)

    @property
    def last(self) -> tuple[int, float]:
        """Iteration and value of the last entry."""
        return int(self.iterations[-1]), float(self.values[-1])

    @property
    def best(self) -> tuple[int, float]:
        """Iteration and value of the highest entry; NaN as value if none is a number."""
        if np.isnan(self.values).all():
            return self.last
        place = int(np.nanargmax(self.values))
        return int(self.iterations[place]), float(self.values[place])


@dataclass(frozen=True)
class Run:
    """A training as its log tells it.

    Attributes:
        name: of the run's folder.
        log: the file that was read.
        config_path: the config in the same folder; None if there is none, or several.
        train: training values by name (losses, accuracies, ``lr``, ``time`` and ``data_time`` in s, ``memory`` in MiB).
        val: validation scores by name, in percent (``mIoU``, ``IoU.<class>``).
        rows: all rows of the log.
        broken_lines: lines that could not be read, such as one that a crash cut off.
        evaluated_at: iteration of the checkpoint that ``tools/test.py`` evaluated; None if it has not, or if unknown.
        evaluated: that evaluation's scores in percent, of ``eval_latest.json``; None for an absent class.
    """

    name: str
    log: Path
    config_path: Path | None
    train: dict[str, Series]
    val: dict[str, Series]
    rows: list[dict[str, Any]] = field(repr=False)
    broken_lines: int = 0
    evaluated_at: int | None = None
    evaluated: dict[str, float | None] = field(default_factory=dict)

    @property
    def iterations(self) -> int:
        """The last iteration in the log; 0 in an empty one."""
        return max((int(row.get('iter', 0)) for row in self.rows), default=0)


@dataclass(frozen=True)
class Timing:
    """What an iteration costs.

    Attributes:
        seconds: of an iteration, median over the log's windows.
        data_seconds: of them, waiting for data.
        memory: peak, in MiB.
    """

    seconds: float
    data_seconds: float
    memory: float


def find_logs(path: str | Path) -> list[Path]:
    """The logs that a path names: itself, that of a run's folder, or those of all runs, or stages of runs, in it.

    Raises:
        FileNotFoundError: there is no such path, or no log in it.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FileNotFoundError(f'{path}: no such run folder or log file')
    own = _log_of(path)
    if own is not None:
        return [own]
    below = list(_logs_below(path, levels=2))
    if not below:
        raise FileNotFoundError(
            f'{path}: no {LOG} in it or in the folders in it; a run writes its first line when its training starts'
        )
    return below


def _logs_below(path: Path, levels: int) -> Iterator[Path]:
    for folder in sorted(folder for folder in path.iterdir() if folder.is_dir()):
        if (log := _log_of(folder)) is not None:
            yield log
        elif levels > 1:
            yield from _logs_below(folder, levels - 1)


def read_run(path: str | Path) -> Run:
    """A run from its folder or its log file.

    Raises:
        FileNotFoundError: there is no log.
        ValueError: several runs are meant, or the file is no log.
    """
    logs = find_logs(path)
    if len(logs) > 1:
        raise ValueError(f'{path}: holds {len(logs)} runs ({logs[0].parent.name}, ...); name one')
    log = logs[0]
    try:
        rows = [row for row in read_rows(log) if isinstance(row, dict)]
        lines = sum(1 for line in log.read_text(encoding='utf-8').splitlines() if line.strip())
    except UnicodeDecodeError:
        raise ValueError(f'{log}: not a log of a training (not a text file)') from None
    broken = lines - len(rows)
    rows = _translated(rows)
    if not any('mode' in row for row in rows):
        raise ValueError(f'{log}: not a log of a training (no line of JSON with a "mode" among {lines} lines)')
    evaluated_at, evaluated = _evaluation(log.parent / EVALUATION)
    return Run(
        name=log.parent.resolve().name if log.name == LOG else _name_of(log),
        log=log,
        config_path=_config(log.parent),
        train=series_of(row for row in rows if row.get('mode') == 'train'),
        val=series_of(row for row in rows if row.get('mode') == 'val'),
        rows=rows,
        broken_lines=broken,
        evaluated_at=evaluated_at,
        evaluated=evaluated,
    )


def series_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Series]:
    """A series for each number in rows with an ``iter``, in the order of first appearance.

    Where an iteration stands in the log twice (two runs wrote to one file), the later row counts.
    """
    found: dict[str, dict[int, float]] = {}
    for row in rows:
        for name, value in row.items():
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if name not in NOT_VALUES and (number or value is None):
                found.setdefault(name, {})[int(row.get('iter', 0))] = math.nan if value is None else float(value)
    return {
        name: Series(np.array(sorted(points), np.int64), np.array([points[i] for i in sorted(points)], np.float64))
        for name, points in found.items()
    }


def distinct_names(runs: Sequence[Run]) -> list[str]:
    """A name for each run; as much of the path in front as it takes to tell runs of one name apart.

    Where all have one name, such as that of a stage, the path alone is the name.
    """
    names = [run.name for run in runs]
    folders = [run.log.resolve().parent.parts for run in runs]
    for depth in range(2, max((len(parts) for parts in folders), default=0) + 1):
        twice = {name for name in names if names.count(name) > 1}
        if not twice:
            break
        names = [
            '/'.join([*parts[-depth:-1], run.name]) if name in twice else name
            for run, parts, name in zip(runs, folders, names, strict=True)
        ]
    if len(runs) > 1 and len(names) == len(set(names)) and len({run.name for run in runs}) == 1:
        names = [name.removesuffix(f'/{run.name}') for run, name in zip(runs, names, strict=True)]
    return names


def class_series(series: Mapping[str, Series], score: str = 'IoU') -> dict[str, Series]:
    """The series of each class, by class name, of a score such as ``IoU`` or ``Acc``."""
    prefix = f'{score}.'
    return {name.removeprefix(prefix): values for name, values in series.items() if name.startswith(prefix)}


def smoothed(series: Series, weight: float) -> Series:
    """Exponential moving average, unbiased at its start.

    Args:
        series: its NaNs stay NaN and count nothing.
        weight: of the past, 0 (nothing changes) to less than 1.

    Raises:
        ValueError: for a weight outside.
    """
    if not 0 <= weight < 1:
        raise ValueError(f'smoothing weight is {weight}, expected a number from 0 to less than 1')
    total, norm, values = 0.0, 0.0, np.full_like(series.values, math.nan)
    for place, value in enumerate(series.values):
        if math.isfinite(value):
            total, norm = weight * total + (1 - weight) * value, weight * norm + (1 - weight)
            values[place] = total / norm
    return Series(series.iterations, values)


def timing(run: Run) -> Timing | None:
    """What an iteration took after the warm-up; None if nothing was logged.

    The first row after each start of the run (kernels are chosen, workers start) is left out if others remain.
    """
    warm: list[dict[str, Any]] = []
    cold: list[dict[str, Any]] = []
    starting = True
    for row in run.rows:
        if row.get('mode') == 'meta':
            starting = True
        elif row.get('mode') == 'train' and isinstance(row.get('time'), (int, float)):
            (cold if starting else warm).append(row)
            starting = False
    rows = warm or cold
    if not rows:
        return None
    seconds, data = (float(np.median([row.get(key) or 0.0 for row in rows])) for key in ('time', 'data_time'))
    return Timing(seconds, data, max(float(row.get('memory') or 0.0) for row in warm + cold))


def _log_of(folder: Path) -> Path | None:
    if (folder / LOG).is_file():
        return folder / LOG
    others = sorted(folder.glob(LOG_OF_0X), key=lambda file: file.stat().st_mtime)
    return others[-1] if others else None


def _name_of(log: Path) -> str:
    """Logs of the originals and logs that were moved aside lie several in one folder."""
    return f'{log.parent.resolve().name}/{log.name.removesuffix(".json").removesuffix(".jsonl").removesuffix(".log")}'


def _translated(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a 0.x log (told by ``epoch``) as ours.

    There a validation row's ``iter`` is the number of images, and its scores are shares of one.
    """
    translated, done = [], 0
    for row in rows:
        if row.get('mode') == 'train':
            done = int(row.get('iter') or 0)
        elif row.get('mode') == 'val' and 'epoch' in row:
            scores = {
                key: 100 * value
                for key, value in row.items()
                if isinstance(value, (int, float)) and key not in (*NOT_VALUES, 'lr')
            }
            row = {'mode': 'val', 'iter': done, **scores}
        translated.append(row)
    return translated


def _config(folder: Path) -> Path | None:
    try:
        return find_config(folder)
    except (FileNotFoundError, ValueError):
        return None


def _evaluation(path: Path) -> tuple[int | None, dict[str, float | None]]:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None, {}
    scores = content.get('scores') if isinstance(content, dict) else None
    return (content.get('iteration'), dict(scores)) if isinstance(scores, dict) else (None, {})
