"""What a stage was made with: ``stage.json`` in its folder."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mmseg.engine.config import load_config
from mmseg.experiments.fingerprint import Fingerprint
from mmseg.experiments.stages import Experiment, Stage

FILE = 'stage.json'
TIME = '%Y-%m-%d %H:%M:%S'


@dataclass
class Record:
    """The state of a stage, and what decided its result.

    Attributes:
        state: ``begun``, ``finished`` or ``provided``.
        settings: its config or command, references not filled in.
        inputs: fingerprints of what it read, by reference or path.
        output: path of what it left; empty if that is nothing.
        output_print: its fingerprint; None as long as there is none.
        command: as it was last started.
        began: date and time.
        ended: likewise.
    """

    state: str
    settings: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Fingerprint] = field(default_factory=dict)
    output: str = ''
    output_print: Fingerprint | None = None
    command: list[str] = field(default_factory=list)
    began: str = field(default_factory=lambda: time.strftime(TIME))
    ended: str = ''

    def end(self) -> None:
        """The stage is finished: note when, and what it left."""
        self.state, self.ended = 'finished', time.strftime(TIME)
        self.output_print = Fingerprint.of(Path(self.output)) if self.output else None

    def write(self, folder: Path) -> None:
        """Write the record, whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f'.{FILE}'
        partial.write_text(json.dumps(asdict(self), indent=2) + '\n', encoding='utf-8')
        partial.replace(folder / FILE)


def provided(path: str) -> Record:
    """The record of a stage in whose place a file or folder of the user stands."""
    return Record('provided', output=path, output_print=Fingerprint.of(Path(path)))


def read_record(folder: Path) -> Record | None:
    """The record in a stage's folder; None if the stage was never begun.

    Raises:
        ValueError: it is broken.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        inputs = {name: Fingerprint(**one) for name, one in content.pop('inputs').items()}
        left = content.pop('output_print')
        return Record(**content, inputs=inputs, output_print=Fingerprint(**left) if left else None)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f'{path}: broken ({error}); move the folder {folder} away to do the stage anew') from None


def settings(stage: Stage, experiment: Experiment) -> dict[str, Any]:
    """All that decides a stage's result beside its inputs, as JSON has it.

    Raises:
        ValueError: its config does not exist or its options do not fit.
    """
    found: dict[str, Any] = {stage.kind: stage.subject, 'args': list(stage.args)}
    if stage.config:
        found['config'] = stage_config(stage)
    for word in stage.args:
        if word.endswith('.py') and Path(word).is_file():
            found[word] = load_config(word).to_dict()
    for one in stage.references:
        if one.part == 'config':
            found[str(one)] = stage_config(experiment.stages[one.stage])
    return json.loads(json.dumps(found, default=str))


def stage_config(stage: Stage) -> dict[str, Any]:
    """The whole config of a stage that has one."""
    try:
        return load_config(stage.config, stage.all_options).to_dict()
    except (ValueError, FileNotFoundError) as error:
        raise ValueError(f'stage {stage.name}: {error}') from None
