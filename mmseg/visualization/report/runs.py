"""What the folders of the runs hold, gathered for a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmseg.engine.config_text import read_config_text
from mmseg.evaluation.result_file import Result, read_result
from mmseg.visualization import curves

RESULT = 'eval_latest.json'


@dataclass
class ReportRun:
    """A run as a report sees it. Whatever is missing is None, and ``problems`` says why.

    Attributes:
        name: that tells it from the other runs of the report.
        folder: its work dir.
        log: its curves and rows; None without a log.
        config: resolved, of the file in the folder, else the copy in the log.
        config_file: the config's file; None if it came from the log.
        result: scores of the student at the last iterate.
        others: other evaluations in the folder: of the teacher, with test-time augmentation, of the best checkpoint.
        problems: lines about what could not be read or does not fit together.
    """

    name: str
    folder: Path
    log: curves.Run | None = None
    config: Config | None = None
    config_file: Path | None = None
    result: Result | None = None
    others: list[Result] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def meta(self) -> dict[str, Any]:
        """What the log says of the machine and the versions, as of the run's last start."""
        rows = [row for row in self.log.rows if row.get('mode') == 'meta'] if self.log else []
        return rows[-1] if rows else {}

    @property
    def starts(self) -> int:
        """How often the run was started: more than once if it was interrupted."""
        return sum(row.get('mode') == 'meta' for row in self.log.rows) if self.log else 0

    @property
    def iterations(self) -> int:
        """The last iteration in the log, else that of the evaluated checkpoint."""
        return self.log.iterations if self.log else (self.result and self.result.iteration) or 0

    @property
    def planned_iterations(self) -> int | None:
        """Length of the training according to its config."""
        section = (self.config or {}).get('train_cfg') or {}
        return section.get('max_iters')

    @property
    def obstacle(self) -> str | None:
        """Why its evaluation cannot be run from its folder; None if it can."""
        if self.config_file is None:
            return f'{self.name} has no config file to evaluate it with'
        if not (self.folder / 'latest.pth').is_file():
            return f'{self.name} has no checkpoint (latest.pth) to evaluate, not yet or no more'
        return None

    @property
    def evaluation_command(self) -> str:
        """Makes scores, confusion matrix and predictions of this run."""
        return f'sh test.sh {quoted(self.folder)}'


def quoted(path: Path | str) -> str:
    """A path as a shell takes it."""
    import shlex

    return shlex.quote(str(path))


def load_runs(paths: Sequence[str | Path]) -> list[ReportRun]:
    """The runs that the paths name; a folder of runs stands for all of them.

    Raises:
        FileNotFoundError: a path that does not exist, or holds neither a log nor an evaluation.
        ValueError: a log that is none; the same run twice.
    """
    folders = [folder for path in paths for folder in run_folders(Path(path))]
    twice = [folder for place, folder in enumerate(folders) if folder.resolve() in _resolved(folders[:place])]
    if twice:
        raise ValueError(f'{twice[0]}: named twice; a report has a column per run')
    runs = [load_run(folder) for folder in folders]
    for run, name in zip(runs, _names(folders), strict=True):
        run.name = name
    return runs


def run_folders(path: Path) -> list[Path]:
    """The folder of one run, or all folders of runs in a folder.

    Raises:
        FileNotFoundError: there is no run.
    """
    if (path / RESULT).is_file():
        return [path]
    return [log.parent for log in curves.find_logs(path)]


def load_run(folder: Path) -> ReportRun:
    """One run; what is broken in it becomes a line in ``problems``.

    Raises:
        ValueError: its log is not a log.
    """
    run = ReportRun(folder.resolve().name, folder)
    try:
        run.log = curves.read_run(folder)
    except FileNotFoundError:
        run.problems.append(f'no {curves.LOG} in {folder}: no curves')
    if run.log and run.log.broken_lines:
        count = run.log.broken_lines
        lines = f'{count} line{"s" if count > 1 else ""}'
        run.problems.append(f'{lines} of {run.log.log} could not be read and {"are" if count > 1 else "is"} left out')
    _load_config(run)
    _load_results(run)
    _compare_iterations(run)
    return run


def _load_config(run: ReportRun) -> None:
    from mmseg.engine.config import load_config
    from mmseg.evaluation.run_folder import find_config

    try:
        run.config_file = find_config(run.folder)
        run.config = load_config(run.config_file)
        return
    except FileNotFoundError as error:
        problem = 'no config file in its folder' if run.config_file is None else str(error)
    except (ValueError, ImportError) as error:
        problem = str(error)
    run.config_file = None
    text = run.meta.get('config')
    if isinstance(text, str):
        try:
            run.config = Config(read_config_text(text))
            problem = f'{problem}; shown is the copy in its log'
        except ValueError:
            problem = f'{problem}; the copy in its log cannot be read either'
    run.problems.append(problem)


def _load_results(run: ReportRun) -> None:
    for path in sorted(run.folder.glob('eval_*.json')):
        try:
            result = read_result(path)
        except ValueError as error:
            run.problems.append(str(error))
            continue
        if path.name == RESULT:
            run.result = result
        else:
            run.others.append(result)


def _compare_iterations(run: ReportRun) -> None:
    planned, done = run.planned_iterations, run.iterations
    if planned and done < planned:
        run.problems.append(f'not finished: {done:,} of {planned:,} iterations in its log')
    evaluated = run.result.iteration if run.result else None
    if evaluated is not None and evaluated < done:
        run.problems.append(
            f'its evaluation is of iteration {evaluated:,}, the training has come to {done:,} since; '
            f'for newer scores: {run.evaluation_command}'
        )


def _resolved(folders: Sequence[Path]) -> set[Path]:
    return {folder.resolve() for folder in folders}


def _names(folders: Sequence[Path]) -> list[str]:
    """As much of each path as tells it from the others."""
    parts = [folder.resolve().parts for folder in folders]
    names = ['/'.join(part[-1:]) for part in parts]
    for depth in range(2, max(map(len, parts), default=0) + 1):
        twice = {name for name in names if names.count(name) > 1}
        if not twice:
            break
        names = ['/'.join(part[-depth:]) if name in twice else name for name, part in zip(names, parts, strict=True)]
    return names
