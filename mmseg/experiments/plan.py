"""What of an experiment is done, what is still to do, and with which commands."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmseg.engine.errors import ROOT
from mmseg.engine.settings_diff import differences
from mmseg.experiments.record import Record, provided, read_record, settings
from mmseg.experiments.references import OWN, Reference, fill
from mmseg.experiments.stages import Experiment, Stage

MAX_DIFFERENCES = 3
MAX_LENGTH = 100


@dataclass(frozen=True)
class Places:
    """Where the files of an experiment lie.

    Attributes:
        folder: ``work_dirs/<machine>-<exp>/<name>``, with a folder per stage.
        configs: ``configs/generated/<machine>-<exp>/<name>``, with the config of each stage that has one.
    """

    folder: Path
    configs: Path


class Plan:
    """The stages of an experiment, and their state.

    Args:
        experiment: the stages.
        places: where they lie.
        anew: stages that are done anew, with all that is made from them, although they may be finished.
        given: files to put in place of stages.
    """

    def __init__(
        self, experiment: Experiment, places: Places, anew: Sequence[str] = (), given: Mapping[str, str] | None = None
    ) -> None:
        self.experiment = experiment
        self.places = places
        given = given or {}
        for name in [*anew, *given]:
            if name not in experiment.stages:
                raise ValueError(f'there is no stage {name}; stages: {", ".join(experiment.stages)}')
        self.anew = experiment.dependents(anew)
        self.settings = {name: settings(stage, experiment) for name, stage in experiment.stages.items()}
        self.records: dict[str, Record | None] = {
            name: None if name in self.anew else read_record(self.folder(name)) for name in experiment.stages
        }
        for name, path in given.items():
            if not experiment.stages[name].output:
                raise ValueError(f'--provide {name}={path}: the stage leaves nothing for others')
            if not Path(path).exists():
                raise FileNotFoundError(f'--provide {name}={path}: no such file')
            self.records[name] = provided(path)

    def folder(self, name: str) -> Path:
        """Of a stage."""
        return self.places.folder / name

    def config(self, name: str) -> Path:
        """The generated config file of a stage."""
        return self.places.configs / f'{name}.py'

    def output(self, name: str) -> Path | None:
        """What a stage leaves, or what stands in its place."""
        record, stage = self.records[name], self.experiment.stages[name]
        if record is not None and self.is_provided(name):
            return Path(record.output)
        return self.folder(name) / stage.output if stage.output else None

    def fill(self, value: Any, name: str) -> Any:
        """A value of a stage, with paths for its references."""

        def place(one: Reference) -> object:
            owner, part = (name, one.stage) if one.stage in OWN else (one.stage, one.part)
            return {'config': self.config, 'folder': self.folder, 'output': self.output}[part](owner)

        return fill(value, place)

    def inputs(self, stage: Stage) -> dict[str, Path]:
        """What a stage reads, by reference or path: outputs of earlier stages, and files that its settings name."""
        found = {str(Reference(one.stage)): self.output(one.stage) for one in stage.references}
        found |= {path: Path(path) for path in stage.literal_files}
        return {label: path for label, path in found.items() if path is not None}

    # -- state

    @property
    def wanted(self) -> set[str]:
        """The stages that the experiment needs: all but those that only led to what is provided now.

        A test wants nothing by itself: it is done where what it evaluates is there.
        """
        stages = self.experiment.stages.values()
        products, found = [stage for stage in stages if stage.kind != 'test'], set()
        for stage in reversed(products):
            users = [user for user in products if any(one.stage == stage.name for one in user.references)]
            if not users or any(user.name in found and not self.is_provided(user.name) for user in users):
                found.add(stage.name)
        for stage in stages:
            if stage.kind == 'test' and all(one.stage in found or self.is_done(one.stage) for one in stage.references):
                found.add(stage.name)
        return found

    def is_provided(self, name: str) -> bool:
        """Whether a file of the user stands in a stage's place."""
        record = self.records[name]
        return record is not None and record.state == 'provided'

    def is_done(self, name: str) -> bool:
        """Whether a stage need not run."""
        record = self.records[name]
        return record is not None and record.state in ('finished', 'provided')

    def iteration(self, name: str) -> int:
        """Of a training's newest checkpoint; 0 if there is none."""
        numbers = [re.fullmatch(r'iter_(\d+)', file.stem) for file in self.folder(name).glob('iter_*.pth')]
        return max((int(number[1]) for number in numbers if number), default=0)

    def changes(self, name: str) -> str:
        """What has changed since a stage was begun; empty if nothing has."""
        record, stage = self.records[name], self.experiment.stages[name]
        if record is None:
            return ''
        if record.state != 'provided' and (found := differences(record.settings, self.settings[name])):
            return f'its settings are others now: {_listed(found)}'
        inputs = self.inputs(stage)
        for label, before in record.inputs.items():
            path, earlier = inputs.get(label, Path(label)), label.strip('{}')
            if earlier in self.experiment.stages and not self.is_done(earlier):
                if record.state == 'finished':
                    return f'stage {earlier}, which it was made from, is not finished'
            elif not before.matches(path):
                return f'its input {_change(path)}'
        output = Path(record.output)
        return '' if record.output_print is None or record.output_print.matches(output) else _change(output)

    def complaint(self, name: str) -> str:
        """Why what a stage has left must not be used as it is; empty if it may.

        Work that is lost easily does not count: a stage that has no result and no checkpoint yet is begun anew.
        """
        record = self.records[name]
        if record is None or (record.state == 'begun' and not self.iteration(name)):
            return ''
        changed = self.changes(name)
        return f'stage {name} is {record.state}, but {changed}' if changed else ''

    # -- commands

    def command(self, stage: Stage, processes: int = 1) -> list[str]:
        """The words of a stage's command."""
        if stage.kind == 'tool':
            return [sys.executable, stage.subject, *self.fill(stage.args, stage.name)]
        folder, config = self.folder(stage.name), str(self.config(stage.name))
        if stage.kind == 'test':
            words = [sys.executable, _script('test.py'), config, self.fill(stage.subject, stage.name), '--eval', 'mIoU']
            return [*words, '--out', str(folder / stage.output), *self.fill(stage.args, stage.name)]
        resume = ['--resume'] if self.continues(stage.name) and self.iteration(stage.name) else []
        if processes > 1:
            return ['bash', _script('dist_train.sh'), config, str(processes), *resume]
        return [sys.executable, _script('train.py'), config, *resume]

    def continues(self, name: str) -> bool:
        """Whether a stage was begun as it is now, so that what lies in its folder belongs to it."""
        record = self.records[name]
        return record is not None and record.state == 'begun' and not self.changes(name)


def _script(name: str) -> str:
    path = ROOT / 'tools' / name
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _change(path: Path) -> str:
    return f'{path} has changed' if path.exists() else f'{path} is gone'


def _listed(found: list[str]) -> str:
    short = [line if len(line) <= MAX_LENGTH else f'{line[:MAX_LENGTH]}...' for line in found[:MAX_DIFFERENCES]]
    more = f' and {len(found) - MAX_DIFFERENCES} more' if len(found) > MAX_DIFFERENCES else ''
    return ', '.join(line.removeprefix('config.') for line in short) + more
