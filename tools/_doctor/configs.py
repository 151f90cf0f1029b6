"""What the configs need, read without building anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools._doctor.files import NamedFile, made_by_a_stage, named_files
from tools._doctor.findings import MISSING, OK, Finding, first_line

GROUP = 'configs'
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
INSIDE = ('dataset', 'datasets', 'source', 'target')


@dataclass
class Dataset:
    """A dataset of some config.

    Attributes:
        config: as it would be built, without its pipeline; of several datasets in one a list.
        labelled: whether any config reads its labels.
        sampling: arguments of rare class sampling; None if it is drawn uniformly.
        names: of the configs.
    """

    config: Any
    labelled: bool = False
    sampling: dict[str, Any] | None = None
    names: list[str] = field(default_factory=list)


@dataclass
class Needs:
    """What some configs need together.

    Attributes:
        datasets: by what makes them differ.
        lists: several datasets that are one domain; their config is a list.
        models: config of the segmentor by name of the config.
        files: other files that must be there.
        work_dirs: folders that runs are written to.
        workers: loader workers of the config that starts most.
    """

    datasets: dict[str, Dataset] = field(default_factory=dict)
    lists: dict[str, Dataset] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: list[NamedFile] = field(default_factory=list)
    work_dirs: set[str] = field(default_factory=set)
    workers: int = 0

    def add(self, name: str, cfg: Mapping[str, Any]) -> None:
        """Take in what one config needs."""
        for key in LOADERS:
            section = cfg.get(key)
            if isinstance(section, Mapping):
                self._add_datasets(section.get('dataset'), name, None)
                workers = section.get('num_workers') or 0
                self.workers = max(self.workers, workers if key == 'train_dataloader' else 0)
        if isinstance(cfg.get('model'), Mapping) and 'backbone' in cfg['model']:
            self.models[name] = dict(cfg['model'])
        self.files += named_files(name, cfg)
        if cfg.get('work_dir'):
            self.work_dirs.add(str(cfg['work_dir']))

    def _add_datasets(self, node: Any, name: str, sampling: dict[str, Any] | None) -> None:
        if isinstance(node, (list, tuple)):
            # What is sampled over all of them says nothing of a single one.
            own = sampling if len(node) == 1 else None
            for item in node:
                self._add_datasets(item, name, own)
            if len(node) > 1:
                self._add_list(node, name, sampling)
        elif isinstance(node, Mapping):
            inside = [key for key in INSIDE if key in node]
            for key in inside:
                own = node.get('rare_class_sampling') if key == 'source' else None
                self._add_datasets(node[key], name, dict(own) if own is not None else None)
            if not inside and 'type' in node and not made_by_a_stage(node):  # an earlier stage makes the others
                self._add(node, name, sampling)

    def _add_list(self, node: Sequence[Any], name: str, sampling: dict[str, Any] | None) -> None:
        config = [_without_pipeline(item) for item in node]
        key = json.dumps([config, sampling], sort_keys=True, default=str)
        self.lists.setdefault(key, Dataset(config, sampling=sampling)).names.append(name)

    def _add(self, node: Mapping[str, Any], name: str, sampling: dict[str, Any] | None) -> None:
        config = _without_pipeline(node)
        labelled = any(_type(step) == 'LoadAnnotations' for step in node.get('pipeline') or ())
        key = json.dumps([config, sampling], sort_keys=True, default=str)
        dataset = self.datasets.setdefault(key, Dataset(config, sampling=sampling))
        dataset.labelled |= labelled
        if name not in dataset.names:
            dataset.names.append(name)


def _without_pipeline(node: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in ('pipeline', 'test_mode')}


def _type(step: Any) -> str | None:
    return step.get('type') if isinstance(step, Mapping) else None


def read_configs(paths: Sequence[str]) -> tuple[Needs, list[Finding]]:
    """What configs need, and which could not be read."""
    needs, findings = Needs(), []
    for path in paths:
        try:
            trainings = _trained_configs(path)
        except (ValueError, OSError, ImportError, AttributeError) as error:
            findings.append(Finding(GROUP, MISSING, path, first_line(error)))
            continue
        for name, trained in trainings.items():
            findings.append(Finding(GROUP, OK, name, _summary(trained)))
            needs.add(name, trained)
    return needs, findings


def _trained_configs(path: str) -> dict[str, dict[str, Any]]:
    """The config of a file; of a file that lists stages that of each training, with what the stage sets."""
    from mmseg.engine.config import load_config
    from mmseg.experiments.stages import is_experiment, read_experiment

    if not is_experiment(path):
        return {path: load_config(path).to_dict()}
    found = {}
    for stage in read_experiment(path).stages.values():
        if stage.kind == 'train':
            cfg = load_config(stage.config)
            cfg.merge_from_dict(dict(stage.options))
            found[f'{path}: {stage.name}'] = cfg.to_dict()
    return found


def _summary(cfg: Mapping[str, Any]) -> str:
    method = (cfg.get('uda') or {}).get('type', 'Supervised')
    model = cfg.get('model') or {}
    heads = model.get('decode_head') or {}
    parts = [model.get('backbone') or {}, *(heads if isinstance(heads, list) else [heads])]
    return ', '.join([method, *(part.get('type', 'none') for part in parts)])


def known_needs(root: Path) -> Needs:
    """The datasets of the base configs: what could be used."""
    from mmengine.config import Config

    needs = Needs()
    for path in sorted((root / 'configs' / '_base_' / 'datasets').glob('*.py')):
        needs.add(path.stem, Config.fromfile(str(path)).to_dict())
    return needs
