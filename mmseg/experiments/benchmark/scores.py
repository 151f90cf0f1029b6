"""From records to the numbers of tables: over seeds, against the ends of the gap, and pairwise."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mmseg.experiments.benchmark.records import RowRecord
from mmseg.experiments.benchmark.rows import Benchmark, Comparison, Row

TEACHER, ADAPTED = 'test_teacher', 'test_adabn'
NOT_RUN = 'not run'


@dataclass(frozen=True)
class Line:
    """One line of a table: a row's last student, or another test of it.

    Attributes:
        title: of the line.
        row: that was trained.
        test: stage; empty = that of the last student.
    """

    title: str
    row: Row
    test: str = ''


def lines(benchmark: Benchmark) -> list[Line]:
    """All lines: the rows, and adapted batch norm below the rows that have it."""
    found = []
    for row in benchmark.rows:
        found.append(Line(row.title, row))
        if row.adapt_bn:
            found.append(Line(f'{row.title} + AdaBN', row, ADAPTED))
    return found


class Results:
    """The records of a benchmark and what they say together.

    Args:
        benchmark: its rows.
        records: of these; rows without record were not run.

    Raises:
        ValueError: two records of one row and seed, or a record of a row that is none of the benchmark's.
    """

    def __init__(self, benchmark: Benchmark, records: Iterable[RowRecord]) -> None:
        self.benchmark = benchmark
        self.records: dict[str, dict[int, RowRecord]] = {row.name: {} for row in benchmark.rows}
        for record in records:
            if record.benchmark != benchmark.name or record.row not in self.records:
                raise ValueError(f'{record.path}: {record.benchmark} has no row {record.row}; remove the file')
            if record.seed in self.records[record.row]:
                raise ValueError(f'{record.path}: a second record of {record.name}; remove one')
            self.records[record.row][record.seed] = record

    @property
    def seeds(self) -> list[int]:
        """That any row was run with; the first one at least."""
        return sorted({0}.union(*self.records.values()))

    def of(self, row: str) -> list[RowRecord]:
        """A row's records, by seed."""
        return [record for _, record in sorted(self.records[row].items())]

    def scores(self, row: str, test: str = '') -> dict[int, float]:
        """mIoU by seed, where it was tested."""
        found = {record.seed: record.score(test) for record in self.of(row)}
        return {seed: score for seed, score in found.items() if score is not None}

    def class_scores(self, line: Line) -> dict[str, float | None]:
        """Mean IoU over the seeds by class; None where a class is absent; empty if it was not tested."""
        tests = [record.tests.get(line.test or record.final) for record in self.of(line.row.name)]
        tables = [test.iou for test in tests if test is not None]
        found: dict[str, float | None] = {}
        for name in tables[0] if tables else ():
            values = [table[name] for table in tables if table.get(name) is not None]
            found[name] = mean([value for value in values if value is not None]) if values else None
        return found

    def stages(self, row: str) -> dict[str, float]:
        """Mean mIoU over the seeds after each training of a row, of its plain tests (no teacher, no AdaBN)."""
        found: dict[str, list[float]] = {}
        for test in [test for record in self.of(row) for test in record.tests.values() if not test.options]:
            found.setdefault(test.training, []).append(test.miou)
        return {training: statistics.mean(scores) for training, scores in found.items()}

    def gains(self, line: Line) -> dict[int, float]:
        """mIoU above the augmented source-only training of its network, seed by seed."""
        source, _ = self.benchmark.ends[line.row.network]
        return _paired(self.scores(line.row.name, line.test), self.scores(source))

    def gap(self, network: str) -> float | None:
        """Mean mIoU of a network's oracle above its source-only training, over the seeds of both."""
        source, oracle = self.benchmark.ends[network]
        return mean(list(_paired(self.scores(oracle), self.scores(source)).values()))

    def closed(self, line: Line) -> dict[int, float]:
        """Share of the gap that is closed in percent, by seed: each seed's gain over the mean gap."""
        gap = self.gap(line.row.network)
        return {} if not gap else {seed: 100 * gain / gap for seed, gain in self.gains(line).items()}

    def missing(self, line: Line) -> str:
        """What was not run where a line's gain or share of the gap is not known."""
        if not self.scores(line.row.name, line.test):
            return NOT_RUN
        return f'{"oracle" if self.gains(line) else "source-only"} {NOT_RUN}'

    def differences(self, comparison: Comparison) -> dict[int, float]:
        """Of a comparison, seed by seed."""
        bases = [self.scores(comparison.base, test) for test in comparison.base_tests or ('',)]
        common = set(bases[0]).intersection(*bases[1:])
        best = {seed: max(base[seed] for base in bases) for seed in common}
        return _paired(self.scores(comparison.row, comparison.test), best)


def mean(values: Sequence[float]) -> float | None:
    """None of nothing."""
    return statistics.mean(values) if values else None


def spread(values: Sequence[float]) -> float | None:
    """Standard deviation of the sample; None of fewer than two."""
    return statistics.stdev(values) if len(values) > 1 else None


def _paired(first: dict[int, float], second: dict[int, float]) -> dict[int, float]:
    return {seed: first[seed] - second[seed] for seed in sorted(first.keys() & second.keys())}
