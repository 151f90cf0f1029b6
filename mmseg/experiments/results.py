"""The scores of all evaluated stages in one table."""

from __future__ import annotations

from pathlib import Path

from mmseg.evaluation.result_file import Result, mean_names, read_result


def print_table(results: dict[str, Path], checkpoints: dict[str, str]) -> None:
    """Print a row per evaluated stage.

    Args:
        results: file that ``tools/test.py`` wrote, by stage.
        checkpoints: what was evaluated, by stage.
    """
    from rich.console import Console
    from rich.table import Table

    read = {name: read_result(path) for name, path in results.items()}
    scores = list(dict.fromkeys(key for result in read.values() for key in mean_names(result.scores)))
    table = Table('stage', 'evaluates', 'options', 'iteration', 'images', *scores)
    for name, result in read.items():
        facts = [' '.join(result.options), _text(result.iteration), _text(result.images)]
        table.add_row(name, checkpoints[name], *facts, *(_score(result, key) for key in scores))
    for column in table.columns[3:]:
        column.justify = 'right'
    Console().print(table)


def _text(value: object) -> str:
    return '-' if value is None else str(value)


def _score(result: Result, key: str) -> str:
    value = result.scores.get(key)
    return '-' if value is None else f'{value:.2f}'
