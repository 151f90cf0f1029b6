"""Progress of a long loop: a bar on a terminal, a line now and then in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Item = TypeVar('Item')
LINES = 10


def track(items: Iterable[Item], total: int, what: str, silent: bool = False) -> Iterator[Item]:
    """Hand the items on, showing how many are done and how long the rest will take.

    Args:
        items: to go through.
        total: how many there are.
        what: shown before the bar.
        silent: show nothing (all processes but the first).
    """
    if silent:
        yield from items
    elif sys.stderr.isatty():
        yield from _with_bar(items, total, what)
    else:
        yield from _with_lines(items, total, what)


def _with_bar(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn('ETA'),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield from progress.track(items, total=total, description=what)


def _with_lines(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    start, shown = time.monotonic(), 0
    for done, item in enumerate(items, 1):
        yield item
        if done * LINES // max(total, 1) > shown or done == total:
            shown = done * LINES // max(total, 1)
            remaining = (time.monotonic() - start) / done * (total - done)
            print(f'{what} {done}/{total}, ETA {timedelta(seconds=round(remaining))}', file=sys.stderr, flush=True)
