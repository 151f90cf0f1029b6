"""Running the rows of a benchmark one after the other; listing them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from pprint import pformat
from typing import Any

from mmseg.experiments import dated_runs, running
from mmseg.experiments.benchmark.records import group_name
from mmseg.experiments.benchmark.row_stages import row_content
from mmseg.experiments.benchmark.rows import Benchmark, Row
from mmseg.experiments.plan import Plan
from mmseg.experiments.plan_text import plan_lines
from mmseg.experiments.stages import experiment_of


@dataclass(frozen=True)
class Request:
    """What is to be run.

    Attributes:
        benchmark: whose rows.
        rows: of it.
        seeds: of each row; all rows are run with the first before any is with the second.
        preset: of the budget, or ``<N> iterations``.
        budget: optimizer steps of a row of length 1.
        machine: first part of the folders' name.
        cfg_options: config values for all trainings.
        results: folder of all records; None = finished rows are not recorded.
        suffix: of the name of the folder of all rows.
    """

    benchmark: Benchmark
    rows: Sequence[Row]
    seeds: Sequence[int]
    preset: str
    budget: int
    machine: str = 'local'
    cfg_options: Mapping[str, Any] = field(default_factory=dict)
    results: Path | None = None
    suffix: str = ''

    @property
    def group(self) -> str:
        """Second part of the name of the folder of all rows."""
        return group_name(self.benchmark.name, self.preset) + self.suffix

    def content(self, row: Row, seed: int) -> dict[str, Any]:
        """Of a row's file of stages."""
        return row_content(self.benchmark, row, seed, self.budget, self.group, self.cfg_options)

    def file(self, content: Mapping[str, Any]) -> Path:
        """Where a row's file of stages goes."""
        return dated_runs.GENERATED / f'{self.machine}-{self.group}' / f'{content["name"]}_stages.py'

    def plan(self, row: Row, seed: int) -> Plan:
        """The stages of a row and their state."""
        content = self.content(row, seed)
        experiment = experiment_of(content, self.file(content))
        return Plan(experiment, running.places(experiment, self.machine))

    def jobs(self) -> Iterator[tuple[Row, int]]:
        """Rows and seeds in the order in which they run."""
        for seed in self.seeds:
            for row in self.rows:
                yield row, seed


def run(request: Request) -> bool:
    """Run what is not finished; a row that fails does not keep the others from running.

    Returns:
        False if a signal stopped it.

    Raises:
        FileNotFoundError: the data is missing.
        ValueError: rows that failed, after all others have run.
    """
    benchmark = request.benchmark
    if not Path(benchmark.data).is_dir():
        raise FileNotFoundError(f'{benchmark.data} does not exist; {benchmark.data_advice}')
    jobs, failed = list(request.jobs()), {}
    for number, (row, seed) in enumerate(jobs, start=1):
        name = f'{row.name}_s{seed}'
        print(f'=== [{number}/{len(jobs)}] {name}', flush=True)
        try:
            if not _run_row(request, row, seed):
                return False
        except (ValueError, FileNotFoundError) as error:
            failed[name] = str(error)
            print(f'error: {error}', flush=True)
    if failed:
        reasons = '; '.join(f'{name}: {reason}' for name, reason in failed.items())
        raise ValueError(f'{len(failed)} of {len(jobs)} rows are not finished: {reasons}')
    return True


def dry_run(request: Request) -> list[str]:
    """What is finished and what would run, with the commands."""
    return [line for row, seed in request.jobs() for line in plan_lines(request.plan(row, seed))]


def listing(request: Request) -> list[str]:
    """A line per row: what it extends, its iterations, and for each seed what is done."""
    table = [['row', 'extends', 'iterations', *(f'seed {seed}' for seed in request.seeds)]]
    for row in request.rows:
        plans = [request.plan(row, seed) for seed in request.seeds]
        table.append([row.name, row.extends or '-', _lengths(plans[0]), *map(_state, plans)])
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    return ['  '.join(map(str.ljust, line, widths)).rstrip() for line in table]


def _run_row(request: Request, row: Row, seed: int) -> bool:
    plan = request.plan(row, seed)
    file = plan.experiment.file
    again = shlex.join(['python', 'run_experiments.py', '--config', file.as_posix(), '--machine', request.machine])
    _write_file(file, request.content(row, seed))
    if all(map(plan.is_done, plan.experiment.stages)):
        running.check(plan, again)
        print(f'finished: {plan.places.folder}', flush=True)
    elif not running.run_stages(plan, again):
        return False
    if request.results is not None:
        _record(request, plan.places.folder, request.results)
    return True


def _write_file(file: Path, content: Mapping[str, Any]) -> None:
    """The row's stages as a file that ``run_experiments.py --config`` takes, to do single stages anew."""
    file.parent.mkdir(parents=True, exist_ok=True)
    stages = pformat(content['stages'], sort_dicts=False, width=110)
    file.write_text(f'name = {content["name"]!r}\nexp = {content["exp"]!r}\n\nstages = {stages}\n', encoding='utf-8')


def _record(request: Request, folder: Path, results: Path) -> None:
    from mmseg.experiments.benchmark.recording import record_folder

    _, notes = record_folder({request.benchmark.name: request.benchmark}, folder, results)
    print('\n'.join(notes), flush=True)


def _lengths(plan: Plan) -> str:
    trained = [stage for stage in plan.experiment.stages.values() if stage.kind == 'train']
    lengths = [int(stage.options['train_cfg.max_iters']) for stage in trained]
    if len(set(lengths)) == 1 and len(lengths) > 1:
        return f'{len(lengths)} x {lengths[0]}'
    return ' + '.join(map(str, lengths))


def _state(plan: Plan) -> str:
    stages = plan.experiment.stages
    if any(map(plan.complaint, stages)):
        return 'settings have changed'
    done = [name for name in stages if plan.is_done(name)]
    if len(done) == len(stages):
        return 'finished'
    begun = [name for name, record in plan.records.items() if record is not None and name not in done]
    at = f', in {begun[-1]}' if begun else ''
    return f'{len(done)} of {len(stages)} stages{at}' if done or begun else '-'
