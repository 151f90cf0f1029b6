"""Result records: a small JSON file for each row and seed, from which tables and figures are made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 1
RESULTS = Path('docs/results')


@dataclass(frozen=True)
class TrainingFacts:
    """One training of a row.

    Attributes:
        config: its config file.
        changes: what its resolved config has otherwise than this file.
        iterations: optimizer steps.
        rate: iterations per second, of the median window of the log.
        memory: the log's highest, in MiB: of the GPU, or of the process where there is none.
    """

    config: str
    changes: tuple[str, ...]
    iterations: int
    rate: float
    memory: int


@dataclass(frozen=True)
class Scores:
    """Of one test.

    Attributes:
        training: whose checkpoint was tested.
        options: beyond a plain test: ``ema``, ``adapt_bn``, ``tta``.
        iteration: of the checkpoint.
        images: that were tested.
        miou: in percent.
        iou: of the classes in percent; None where a class is absent.
    """

    training: str
    options: tuple[str, ...]
    iteration: int | None
    images: int | None
    miou: float
    iou: Mapping[str, float | None]


@dataclass(frozen=True)
class RowRecord:
    """What a finished row has given.

    Attributes:
        benchmark: its id.
        row: its name.
        seed: of all its trainings.
        preset: of the budget.
        iterations: optimizer steps of all trainings.
        trainings: by stage, in the order in which they ran.
        tests: likewise.
        final: the test that counts: of the last student.
        environment: dates, code revision, hardware, versions.
        fingerprint: of the resolved settings of all stages.
        log: file with the thinned log, beside the record.
        picture: file with predictions, beside the record; empty if none were kept.
        path: of the record's file; not part of it.
    """

    benchmark: str
    row: str
    seed: int
    preset: str
    iterations: int
    trainings: Mapping[str, TrainingFacts]
    tests: Mapping[str, Scores]
    final: str
    environment: Mapping[str, Any]
    fingerprint: str = ''
    log: str = ''
    picture: str = ''
    path: Path = field(default_factory=Path, compare=False)

    @property
    def name(self) -> str:
        """Of its files."""
        return f'{self.row}_s{self.seed}'

    @property
    def rate(self) -> float:
        """Iterations per second of all trainings together."""
        return self.iterations / sum(one.iterations / one.rate for one in self.trainings.values())

    @property
    def memory(self) -> int:
        """The highest of all trainings, in MiB."""
        return max(one.memory for one in self.trainings.values())

    def score(self, test: str = '') -> float | None:
        """mIoU of a test; that of the last student by default; None if it was not run."""
        facts = self.tests.get(test or self.final)
        return facts.miou if facts else None

    def write(self, path: Path) -> None:
        """Write the record, whole or not at all."""
        content = {'format': FORMAT, **asdict(self)}
        del content['path']
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f'.{path.name}')
        partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')
        partial.replace(path)


def read_row_record(path: Path) -> RowRecord:
    """Read a record.

    Raises:
        ValueError: the file is none, or one of a later version.
    """
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        version = content.pop('format')
        trainings = {name: TrainingFacts(**_tuples(one)) for name, one in content.pop('trainings').items()}
        tests = {name: Scores(**_tuples(one)) for name, one in content.pop('tests').items()}
        record = RowRecord(**content, trainings=trainings, tests=tests, path=path)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f'{path}: not a result record ({error}); tools/record_results.py writes them') from None
    if version != FORMAT:
        raise ValueError(f'{path}: a record of format {version}, this version reads format {FORMAT}')
    return record


def read_row_records(folder: Path) -> list[RowRecord]:
    """All records of a folder, by name."""
    return [read_row_record(path) for path in sorted(folder.glob('*_s*.json'))]


def results_folder(root: Path, benchmark: str, preset: str) -> Path:
    """Where the records of a benchmark and a preset lie: ``demo``, ``demo-gpu``, ``demo-600``."""
    return root / group_name(benchmark, preset)


def group_name(benchmark: str, preset: str) -> str:
    """Of a benchmark's folder: its id, and the preset unless it is that for a CPU."""
    return benchmark if preset == 'cpu' else f'{benchmark}-{preset.partition(" ")[0]}'


def _tuples(content: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in content.items()}
