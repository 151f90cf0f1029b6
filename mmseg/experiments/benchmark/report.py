"""All that is made from the records of a benchmark: sections of a page, and figures."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from mmseg.experiments.benchmark.figures import write_gap_figure, write_sheet
from mmseg.experiments.benchmark.records import read_row_records
from mmseg.experiments.benchmark.rows import Benchmark
from mmseg.experiments.benchmark.scores import Results
from mmseg.experiments.benchmark.tables import class_table, difference_table, score_table, stage_table


def sections(benchmark: Benchmark, folder: Path, page: Path, images: Path) -> Mapping[str, Callable[[], list[str]]]:
    """What gives the lines of each section of a page, by name; a figure's section also writes it.

    Args:
        benchmark: its rows.
        folder: of the records; its name begins those of sections and figures.
        page: where the sections will stand; links are relative to it.
        images: folder of the figures.
    """
    results = Results(benchmark, read_row_records(folder))
    name, beside = folder.name, page.parent
    gap, sheet = images / f'{name}_gap.png', images / f'{name}_sheet.png'
    return {
        f'{name} environment': lambda: _environment(results),
        f'{name} scores': lambda: score_table(results, _link(folder, beside)),
        f'{name} differences': lambda: difference_table(results),
        f'{name} stages': lambda: stage_table(results),
        f'{name} classes': lambda: class_table(results),
        f'{name} gap': lambda: _figure(write_gap_figure(results, gap), 'Share of the gap closed', gap, beside),
        f'{name} sheet': lambda: _sheet(results, folder, sheet, beside),
    }


def _sheet(results: Results, folder: Path, path: Path, beside: Path) -> list[str]:
    if results.benchmark.pictures:
        return _figure(write_sheet(results, folder, path), 'A row per method', path, beside)
    runs = f'work_dirs/local-{results.benchmark.name}'
    commands = (
        f'python -m tools.test {runs}/dacs_s0/train --eval mIoU',
        f'python -m tools.compare {runs}/source_only_s0/train {runs}/dacs_s0/train --sheet sheet.png',
    )
    return [
        'The images are not ours to give away. This draws a sheet of rows that you ran, once each was tested so:',
        '',
        *('```shell', *commands, '```'),
    ]


def _environment(results: Results) -> list[str]:
    """A line per kind of machine and version: how many rows ran there, and when."""
    runs = [record for row in results.benchmark.rows for record in results.of(row.name)]
    if not runs:
        return ['No rows were run yet.']
    found: dict[str, list[str]] = {}
    for record in runs:
        facts = record.environment
        kind = f'{facts["device"]}, torch {facts["torch"]}, Python {facts["python"]}'
        found.setdefault(kind, []).append(str(facts['began'])[:10])
    return [f'- {kind}: {_count(days)}, {_span(days)}' for kind, days in found.items()]


def _count(days: list[str]) -> str:
    return f'{len(days)} row{"s" if len(days) > 1 else ""} (each seed counts)'


def _span(days: list[str]) -> str:
    first, last = min(days), max(days)
    return first if first == last else f'{first} to {last}'


def _figure(written: bool, title: str, path: Path, beside: Path) -> list[str]:
    return [f'![{title}]({_link(path, beside)})'] if written else [f'{title}: nothing to show yet.']


def _link(path: Path, beside: Path) -> str:
    return Path(os.path.relpath(path, beside)).as_posix()
