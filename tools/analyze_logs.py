"""Curves and costs of runs, from their logs.

    python tools/analyze_logs.py work_dirs/RUN --list
    python tools/analyze_logs.py work_dirs/A work_dirs/B --keys decode.loss_seg mIoU --out curves.png
    python tools/analyze_logs.py work_dirs/FOLDER_OF_RUNS --summary

A run is its folder, its log.jsonl, or a *.log.json of the original code bases; a folder of runs stands for all of them.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402

if TYPE_CHECKING:
    from mmseg.visualization.curves import Run, Series

DEFAULT_KEYS = ('decode.loss_seg', 'mix.decode.loss_seg', 'mIoU')
FORMATS = ('.png', '.pdf', '.svg')
MAX_PANELS = 30


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('runs', nargs='+', metavar='RUN', help='folders of runs, or their logs')
    what = parser.add_argument_group('what to do (at least one)')
    what.add_argument('--list', action='store_true', help='print what the logs hold')
    what.add_argument('--summary', action='store_true', help='print time, memory and scores of each run')
    what.add_argument('--out', metavar='FILE', help='draw curves into a .png, .pdf or .svg')
    what.add_argument('--classes', metavar='FILE', help="draw the classes' last IoU into a .png, .pdf or .svg")
    how = parser.add_argument_group('how')
    how.add_argument('--keys', nargs='+', default=[], metavar='KEY',
                     help=f"values to draw, with * and ?: 'IoU.*' (default: those of {', '.join(DEFAULT_KEYS)} "
                     'that there are)')  # fmt: skip
    how.add_argument('--smooth', type=float, default=0.0, metavar='W', help='moving average of training values: weight '
                     'of the past, 0 to less than 1 (0.9 is strong)')  # fmt: skip
    how.add_argument('--from', dest='start', type=int, default=0, metavar='ITER', help='draw from this iteration on')
    how.add_argument('--names', nargs='+', metavar='NAME', help='names of the runs in the legend, in their order')
    how.add_argument('--group-seeds', action='store_true',
                     help='runs whose names differ in a last _s0 or _seed0 only: their mean and range')  # fmt: skip
    how.add_argument('--title', default='', help='above the figure')
    options = parser.parse_args(arguments)
    if not (options.list or options.summary or options.out or options.classes):
        parser.error('nothing to do: give at least one of --list, --summary, --out, --classes')
    for option in ('out', 'classes'):
        path = getattr(options, option)
        if path and Path(path).suffix not in FORMATS:
            parser.error(f'--{option} {path}: expected a file that ends in {", ".join(FORMATS)}')
    if not 0 <= options.smooth < 1:
        parser.error(f'--smooth {options.smooth}: expected a number from 0 to less than 1')
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    from mmseg.visualization.curves import distinct_names, find_logs, read_run

    runs = [read_run(log) for path in options.runs for log in find_logs(path)]
    names = options.names or distinct_names(runs)
    if len(names) != len(runs):
        raise ValueError(f'--names: {len(names)} names for {len(runs)} runs ({", ".join(distinct_names(runs))})')
    for run in runs:
        # The last line of a run that is still going may be half written.
        if run.broken_lines > 1:
            print(f'{run.log}: {run.broken_lines} lines cannot be read and are left out', file=sys.stderr)
    if options.list:
        print_keys(runs, names)
    if options.summary:
        print_summary(runs, names)
    if options.out:
        draw_curves(runs, names, options)
    if options.classes:
        draw_classes(runs, names, options)


def print_keys(runs: Sequence[Run], names: Sequence[str]) -> None:
    """What is in the logs: name, number of values, last value."""
    from rich.console import Console
    from rich.table import Table

    for run, name in zip(runs, names, strict=True):
        table = Table('key', 'of', 'values', 'iterations', 'last', title=name, title_justify='left')
        for kind, series in (('training', run.train), ('validation', run.val)):
            for key, values in series.items():
                first, (last, value) = int(values.iterations[0]), values.last
                table.add_row(key, kind, str(len(values)), f'{first} to {last}', f'{value:.4g}')
        for column in table.columns[2:]:
            column.justify = 'right'
        Console(width=max(Console().width, 140)).print(table)


def print_summary(runs: Sequence[Run], names: Sequence[str]) -> None:
    """Costs and scores of the runs."""
    from rich.console import Console
    from rich.table import Table

    from mmseg.visualization.curves import timing

    table = Table('run', 'iter.', 's/iter.', 'data s', 'MiB', 'last mIoU', 'best mIoU *')
    for run, name in zip(runs, names, strict=True):
        cost = timing(run)
        costs = [f'{cost.seconds:.3f}', f'{cost.data_seconds:.3f}', f'{cost.memory:.0f}'] if cost else ['-'] * 3
        table.add_row(name, str(run.iterations), *costs, last_score(run), best_score(run))
    for column in table.columns[1:]:
        column.justify = 'right'
    # A terminal's width must not cut the names of runs.
    Console(width=max(Console().width, 140)).print(table)
    print('s/iter. and data s: medians over the log, without the first window after each start. MiB: peak memory.')
    print('* the highest of the validations, selected on labels: for looking. Tables use the last iterate.')


def last_score(run: Run, score: str = 'mIoU') -> str:
    """The score of the last iterate, and where it comes from: ``tools/test.py``, or the validation in training."""
    tested = run.evaluated.get(score)
    if tested is not None and run.evaluated_at in (None, run.iterations):
        return f'{tested:.2f} (test)'
    if score not in run.val:
        return '-' if tested is None else f'{tested:.2f} (test at {run.evaluated_at})'
    iteration, value = run.val[score].last
    return f'{value:.2f} (val{"" if iteration == run.iterations else f" at {iteration}"})'


def best_score(run: Run, score: str = 'mIoU') -> str:
    if score not in run.val:
        return '-'
    iteration, value = run.val[score].best
    return f'{value:.2f} (val at {iteration})'


def draw_curves(runs: Sequence[Run], names: Sequence[str], options: argparse.Namespace) -> None:
    """A panel per key.

    Raises:
        ValueError: no run has a key, or all iterations lie before ``--from``.
    """
    from mmseg.visualization.charts import Curve, curves_figure

    panels: dict[str, list[Curve]] = {}
    for key in chosen_keys(runs, options.keys):
        members: dict[str, list[Series]] = {}
        lacking = []
        for run, name in zip(runs, legend_names(names, options), strict=True):
            series = cut(run.val.get(key, run.train.get(key)), options.start)
            if series is None:
                lacking.append(name)
            else:
                members.setdefault(name, []).append(series)
        if not members:
            raise ValueError(f'--from {options.start}: no run has a value of {key} from there on')
        if lacking:
            print(f'{key}: not in {", ".join(dict.fromkeys(lacking))}', file=sys.stderr)
        panels[key] = [Curve(name, series) for name, series in members.items()]
    # Neither schedules nor the few validations are noise to be averaged away.
    noisy = {key for run in runs for key in run.train if key not in run.val and not key.startswith(('lr', 'memory'))}
    save_figure(curves_figure(panels, dict.fromkeys(noisy, options.smooth), options.title), options.out)
    print(f'Curves: {options.out}')


def chosen_keys(runs: Sequence[Run], wanted: Sequence[str]) -> list[str]:
    """The keys that the patterns mean, in the order of the patterns.

    Raises:
        ValueError: a pattern means none, or they mean too many to draw.
    """
    from mmseg.engine.errors import near_names

    known = list(dict.fromkeys(key for run in runs for key in (*run.train, *run.val)))
    advice = f'; python tools/analyze_logs.py {runs[0].log.parent} --list shows all'
    if not wanted:
        found = [key for key in DEFAULT_KEYS if key in known]
        if not found:
            raise ValueError(f'{runs[0].log}: none of {", ".join(DEFAULT_KEYS)} in it: choose by --keys{advice}')
        return found
    chosen: list[str] = []
    for pattern in wanted:
        found = [key for key in known if key == pattern] or [key for key in known if fnmatch.fnmatchcase(key, pattern)]
        if not found:
            raise ValueError(f'--keys {pattern}: in no log{near_names(pattern, known)}{advice}')
        chosen += [key for key in found if key not in chosen]
    if len(chosen) > MAX_PANELS:
        raise ValueError(f'--keys mean {len(chosen)} values, but a figure shows at most {MAX_PANELS}')
    return chosen


def draw_classes(runs: Sequence[Run], names: Sequence[str], options: argparse.Namespace) -> None:
    """The last IoU of each class: of ``tools/test.py`` where there is one, else of the last validation.

    Raises:
        ValueError: a run has neither.
    """
    from mmseg.visualization.charts import classes_figure

    scores: dict[str, list[dict[str, float]]] = {}
    for run, name in zip(runs, legend_names(names, options), strict=True):
        scores.setdefault(name, []).append(class_scores(run))
    save_figure(classes_figure(scores, title=options.title), options.classes)
    print(f'Classes: {options.classes}')


def class_scores(run: Run) -> dict[str, float]:
    """IoU by class name, in percent; NaN for an absent class."""
    from mmseg.visualization.curves import class_series

    tested = {key.removeprefix('IoU.'): value for key, value in run.evaluated.items() if key.startswith('IoU.')}
    if tested:
        return {label: float('nan') if value is None else value for label, value in tested.items()}
    validated = {label: series.last[1] for label, series in class_series(run.val).items()}
    if not validated:
        raise ValueError(
            f'{run.log.parent}: no class scores yet; run: python -m tools.test {run.log.parent} --eval mIoU'
        )
    return validated


def legend_names(names: Sequence[str], options: argparse.Namespace) -> list[str]:
    """A run's name in the legend: its own, or that of its group."""
    from mmseg.visualization.charts import group_names

    if not options.group_seeds:
        return list(names)
    groups = group_names(names)
    return [f'{group} ({groups.count(group)} seeds)' if groups.count(group) > 1 else group for group in groups]


def cut(series: Series | None, start: int) -> Series | None:
    """A series from an iteration on; None if nothing is left."""
    from mmseg.visualization.curves import Series

    if series is None:
        return None
    kept = series.iterations >= start
    return Series(series.iterations[kept], series.values[kept]) if kept.any() else None


def save_figure(figure: Any, path: str) -> None:
    """Write a figure, folders included."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, facecolor='white')


if __name__ == '__main__':
    run_tool(main)
