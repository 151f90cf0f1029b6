"""Markdown tables of a benchmark's results. What was not run says so; what cannot be is a dash."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mmseg.experiments.benchmark.rows import GROUPS, Row
from mmseg.experiments.benchmark.scores import NOT_RUN, TEACHER, Line, Results, lines, mean, spread

NONE = '–'


def score_table(results: Results, folder: str) -> list[str]:
    """mIoU over seeds, gain, share of the gap, teacher, speed and memory of all rows.

    Args:
        results: what was run.
        folder: of the records, as links name it.
    """
    head = ['', 'mIoU', 'seeds', 'gain', 'gap closed', 'teacher', 'it/s', 'MiB']
    body: list[list[str]] = []
    for group, title in GROUPS.items():
        members = [line for line in lines(results.benchmark) if line.row.group == group]
        body += [[f'**{title}**', *[''] * (len(head) - 1)]] if members else []
        body += [_score_line(results, line, folder) for line in members]
    return _table(head, body)


def difference_table(results: Results) -> list[str]:
    """Paired differences, a column per seed."""
    seeds = results.seeds
    head = ['', 'of', 'to', *(f'seed {seed}' for seed in seeds), 'mean']
    body = []
    for one in results.benchmark.comparisons:
        found = results.differences(one)
        of = f'{one.row} {one.test}'.strip()
        to = ' / '.join(f'{one.base} {test}'.strip() for test in one.base_tests or ('',))
        cells = [_signed(found[seed]) if seed in found else NOT_RUN for seed in seeds]
        body.append([one.title, _code(of), _code(to), *cells, _with_spread(list(found.values()), _signed)])
    return _table(head, body, text=(0, 1, 2))


def stage_table(results: Results) -> list[str]:
    """mIoU after every training of the rows that train several times, each the mean over the seeds."""
    body = []
    for row in [row for row in results.benchmark.rows if row.is_chain]:
        first = next(iter(results.of(row.name)), None)
        steps = f'{first.iterations // len(first.trainings)}' if first else NOT_RUN
        scores = [f'{training} {_number(score)}' for training, score in results.stages(row.name).items()]
        body.append([row.title, steps, ' · '.join(scores) or NOT_RUN])
    return _table(['', 'iterations each', 'mIoU after'], body, text=(0, 2))


def class_table(results: Results) -> list[str]:
    """Mean IoU of the classes over the seeds; rows that were not run are listed below."""
    shown = [line for line in lines(results.benchmark) if line.row.shown]
    tables = {line.title: results.class_scores(line) for line in shown}
    tested = {title: table for title, table in tables.items() if table}
    missing = [title for title in tables if title not in tested]
    note = [f'{NOT_RUN.capitalize()}: {"; ".join(missing)}.'] if missing else []
    if not tested:
        return note
    classes = list(dict.fromkeys(name for table in tested.values() for name in table))
    body = [[title, *(_number(table.get(name)) for name in classes)] for title, table in tested.items()]
    return _table(['', *classes], body) + ([''] + note if note else [])


def _score_line(results: Results, line: Line, folder: str) -> list[str]:
    row, scores = line.row, results.scores(line.row.name, line.test)
    records = {record.seed: record for record in results.of(row.name)}
    is_end = not line.test and row.name in results.benchmark.ends[row.network]
    gains, closed = list(results.gains(line).values()), list(results.closed(line).values())
    links = [f'[{seed}]({folder}/{records[seed].path.name})' for seed in scores]
    ran = [records[seed] for seed in scores]
    return [
        line.title,
        _with_spread(list(scores.values()), _number),
        ' '.join(links) or NONE,
        NONE if is_end else _with_spread(gains, _signed, results.missing(line)),
        NONE if is_end else _percent(mean(closed), results.missing(line)),
        _teacher(results, row, line),
        f'{mean([record.rate for record in ran]):.2f}' if ran else NOT_RUN,
        f'{max(record.memory for record in ran)}' if ran else NOT_RUN,
    ]


def _teacher(results: Results, row: Row, line: Line) -> str:
    if not row.teacher or line.test:
        return NONE
    return _with_spread(list(results.scores(row.name, TEACHER).values()), _number)


def _number(value: float | None) -> str:
    return NONE if value is None else f'{value:.1f}'


def _signed(value: float | None) -> str:
    if value is None:
        return NONE
    rounded = round(value, 1)
    return f'{rounded:+.1f}'.replace('-', '−') if rounded else '0.0'


def _percent(share: float | None, missing: str) -> str:
    return missing if share is None else f'{share:.0f} %'.replace('-', '−')


def _with_spread(values: Sequence[float], written: Callable[[float | None], str], missing: str = NOT_RUN) -> str:
    if not values:
        return missing
    deviation = spread(values)
    return written(mean(values)) + ('' if deviation is None else f' ± {deviation:.1f}')


def _code(text: str) -> str:
    return f'`{text}`'


def _table(head: Sequence[str], body: Sequence[Sequence[str]], text: Sequence[int] = (0,)) -> list[str]:
    """Lines of a table; columns of ``text`` begin at the left, numbers end at the right."""
    rule = ['---' if column in text else '---:' for column in range(len(head))]
    return [f'| {" | ".join(cells)} |' for cells in (head, rule, *body)]
