"""What a row's record keeps of the logs of its trainings."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmseg.engine.json_log import read_rows

LOG = 'log.jsonl'
WINDOWS = 12


@dataclass(frozen=True)
class TrainingLog:
    """The log of a training.

    Attributes:
        meta: of its last start: device, versions, code revision.
        windows: logged values of its windows of iterations.
    """

    meta: Mapping[str, Any]
    windows: list[dict[str, Any]]

    @property
    def rate(self) -> float:
        """Iterations per second, of the median window."""
        return round(1 / statistics.median(row['time'] for row in self.windows), 3)

    @property
    def memory(self) -> int:
        """Highest memory use in MiB."""
        return max(row['memory'] for row in self.windows)

    def thinned(self, stage: str, count: int = WINDOWS) -> list[str]:
        """At most ``count`` windows at even distances, the last among them, as lines of JSON."""
        total = len(self.windows)
        places = sorted({round((number + 1) * total / min(count, total)) - 1 for number in range(min(count, total))})
        return [json.dumps({'stage': stage, **_rounded(self.windows[place])}) for place in places]


def read_training_log(folder: Path) -> TrainingLog:
    """The log in a training's folder.

    Raises:
        FileNotFoundError: there is none.
        ValueError: no window of it was logged.
    """
    path = folder / LOG
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file; the record needs the speed and memory in it')
    rows = read_rows(path)
    windows = [row for row in rows if row.get('mode') == 'train' and 'time' in row]
    if not windows:
        raise ValueError(f'{path}: no training iterations in it')
    return TrainingLog(next((row for row in reversed(rows) if row.get('mode') == 'meta'), {}), windows)


def _rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: float(f'{value:.4g}') if isinstance(value, float) else value for key, value in row.items() if key != 'mode'
    }
