"""Scores as tables of text."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table


def class_table(classes: Sequence[str], columns: Mapping[str, Sequence[float]]) -> str:
    """One line per class; scores in percent, a dash where there is none."""
    table = Table(box=box.ROUNDED)
    table.add_column('Class')
    for name in columns:
        table.add_column(name, justify='right')
    for number, name in enumerate(classes):
        table.add_row(name, *(_percent(values[number]) for values in columns.values()))
    return _text(table)


def summary_table(scores: Mapping[str, Mapping[str, float]]) -> str:
    """The means side by side, a line per data set; a single one needs no name."""
    table = Table(box=box.ROUNDED)
    named = any(scores)
    if named:
        table.add_column('Data set')
    for name in next(iter(scores.values())):
        table.add_column(name, justify='right')
    for dataset, row in scores.items():
        table.add_row(*([dataset] if named else []), *(_percent(value) for value in row.values()))
    return _text(table)


def _percent(value: float) -> str:
    return '-' if math.isnan(value) else f'{value:.2f}'


def _text(table: Table) -> str:
    # Wide enough for any table: log files and pipes have no terminal width to wrap at.
    console = Console(file=io.StringIO(), width=200, color_system=None, force_terminal=False)
    console.print(table)
    return console.file.getvalue().rstrip('\n')
