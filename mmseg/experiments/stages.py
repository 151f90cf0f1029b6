"""An experiment of several stages: what its file says.

    stages = dict(
        warmup=dict(train='configs/demo/source_only.py'),
        adapt=dict(train='configs/demo/dacs.py', load_from='{warmup}'),
        test_adapt=dict(test='{adapt}'),
    )

docs/experiments.md describes all keys.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmseg.engine.config import find_config, load_config
from mmseg.engine.errors import ROOT, near_names
from mmseg.experiments.references import OWN, Reference, references, strings

# The key that says what a stage does, and those that may stand beside it.
KINDS = {
    'train': ('load_from', 'cfg_options'),
    'test': ('config', 'cfg_options', 'args'),
    'tool': ('args', 'output'),
}
LATEST = 'latest.pth'
SCORES = 'eval_latest.json'


@dataclass(frozen=True)
class Stage:
    """One stage as written, its references not yet filled in.

    Attributes:
        name: of the stage and its folder.
        kind: ``train``, ``test`` or ``tool``.
        subject: the config to train, the checkpoint to test, or the tool.
        config: file of the network's config; empty for tools.
        options: config values by key.
        inherited: further ones of a test, from the training whose checkpoint it evaluates.
        args: further words of the command.
        output: what it leaves, below its folder; empty if later stages get nothing from it.
    """

    name: str
    kind: str
    subject: str
    config: str = ''
    options: Mapping[str, Any] = field(default_factory=dict)
    inherited: Mapping[str, Any] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    output: str = ''

    @property
    def all_options(self) -> dict[str, Any]:
        """What is laid over the config."""
        return {**self.inherited, **self.options}

    @property
    def references(self) -> list[Reference]:
        """To earlier stages."""
        return [one for one in references(self._written) if one.stage not in OWN]

    @property
    def literal_files(self) -> list[str]:
        """Files that are named beside the references; configs are compared by their content instead."""
        named = dict.fromkeys(strings(self._written))
        return [text for text in named if not text.endswith('.py') and os.path.isfile(text)]

    @property
    def _written(self) -> list[Any]:
        return [self.subject, dict(self.options), self.args]


@dataclass(frozen=True)
class Experiment:
    """Stages in the order in which they run.

    Attributes:
        file: that lists them.
        name: of the folder, with ``exp`` in the name of the folder above.
        exp: likewise.
        stages: by name.
    """

    file: Path
    name: str
    exp: str
    stages: Mapping[str, Stage]

    def dependents(self, names: Iterable[str]) -> list[str]:
        """Some stages, and the later ones that are made from what they leave."""
        found = set(names)
        for stage in self.stages.values():
            if any(one.stage in found for one in stage.references):
                found.add(stage.name)
        return [name for name in self.stages if name in found]


def is_experiment(path: str | Path) -> bool:
    """Whether a config file lists stages."""
    return 'stages' in load_config(path)


def read_experiment(path: str | Path, cfg_options: Mapping[str, Any] | None = None) -> Experiment:
    """The experiment of a file, checked as far as it can be before anything has run.

    Args:
        path: of the file.
        cfg_options: config values for all training stages.

    Raises:
        ValueError: a stage that is not clear, or refers to what no earlier stage leaves.
        FileNotFoundError: a tool, config or checkpoint that is not there.
    """
    file = find_config(path)
    return experiment_of(load_config(file).to_dict(), file, cfg_options)


def experiment_of(content: Mapping[str, Any], file: Path, cfg_options: Mapping[str, Any] | None = None) -> Experiment:
    """The experiment that the content of a file describes; as :func:`read_experiment`, without reading it."""
    listed = content['stages']
    if not isinstance(listed, dict) or not listed:
        raise ValueError(f'{file}: stages must be a dict of names and stages: stages = dict(warmup=dict(train=CONFIG))')
    stages: dict[str, Stage] = {}
    for name, written in listed.items():
        stage = _stage(file, name, written, stages, dict(cfg_options or {}))
        _check_references(file, stage, stages)
        stages[name] = stage
    return Experiment(file, str(content.get('name') or file.stem), str(content.get('exp', 'basic')), stages)


def _stage(file: Path, name: str, written: Any, earlier: Mapping[str, Stage], overrides: dict[str, Any]) -> Stage:
    where = f'{file}: stage {name}'
    if not re.fullmatch(r'[A-Za-z][\w-]*', name) or name in OWN:
        raise ValueError(
            f'{where}: a name is letters, digits, _ and -, begins with a letter, and is not output or folder'
        )
    kinds = [kind for kind in KINDS if isinstance(written, Mapping) and kind in written]
    if len(kinds) != 1:
        raise ValueError(f'{where}: expected a dict with one of train=CONFIG, test=CHECKPOINT, tool=FILE')
    kind = kinds[0]
    for key in written:
        if key != kind and key not in KINDS[kind]:
            raise ValueError(f'{where}: {key} does not belong to {kind}{near_names(key, list(KINDS[kind]))}')
    options = dict(written.get('cfg_options') or {})
    if kind == 'train':
        if written.get('load_from'):
            options['load_from'] = written['load_from']
            _check_file(where, 'load_from', written['load_from'])
        return Stage(name, kind, written[kind], written[kind], {**options, **overrides}, output=LATEST)
    args = tuple(str(word) for word in written.get('args') or ())
    if kind == 'tool':
        return Stage(name, kind, str(_find_tool(where, written[kind])), args=args, output=written.get('output') or '')
    _check_file(where, 'test', written[kind])
    config, inherited = _tested_config(where, written, earlier)
    return Stage(name, kind, written[kind], config, options, inherited, args, SCORES)


def _tested_config(where: str, written: Mapping[str, Any], earlier: Mapping[str, Stage]) -> tuple[str, dict[str, Any]]:
    """The config to test with and its options: the stage's own, or of the training whose checkpoint it is."""
    if written.get('config'):
        return written['config'], {}
    trained = [earlier[one.stage] for one in references(written['test']) if one.stage in earlier]
    if len(trained) != 1 or trained[0].kind != 'train':
        raise ValueError(f'{where}: {written["test"]} is not from an earlier training, so the test needs config=CONFIG')
    return trained[0].config, {key: value for key, value in trained[0].options.items() if key != 'load_from'}


def _check_references(file: Path, stage: Stage, earlier: Mapping[str, Stage]) -> None:
    where = f'{file}: stage {stage.name}'
    for one in stage.references:
        if one.stage not in earlier:
            known = f'earlier stages: {", ".join(earlier)}' if earlier else 'it is the first stage'
            raise ValueError(f'{where}: {one} is no earlier stage; {known}')
        if one.part not in ('output', 'config', 'folder'):
            raise ValueError(
                f'{where}: {one}: there are {{{one.stage}}}, {{{one.stage}.config}}, {{{one.stage}.folder}}'
            )
        if one.part == 'output' and not earlier[one.stage].output:
            raise ValueError(
                f'{where}: {one}: stage {one.stage} has no output; give it output=NAME, and its tool {{output}}'
            )
        if one.part == 'config' and not earlier[one.stage].config:
            raise ValueError(f'{where}: {one}: stage {one.stage} is a tool and has no config')
    own = {one.stage for one in references([stage.subject, dict(stage.options), stage.args])} & set(OWN)
    if own and stage.kind == 'train':
        raise ValueError(f'{where}: {{{min(own)}}} belongs into args of tool and test; a training has its own folder')
    if 'output' in own and not stage.output:
        raise ValueError(f'{where}: args have {{output}}, but the stage has no output=NAME')


def _find_tool(where: str, path: str) -> Path:
    for start in (Path(), ROOT):
        if (start / path).is_file():
            return start / path
    raise FileNotFoundError(f'{where}: there is no tool {path}')


def _check_file(where: str, key: str, path: str) -> None:
    if not references(path) and not Path(path).is_file():
        raise FileNotFoundError(f'{where}: {key}={path}: no such file')
