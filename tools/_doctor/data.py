"""Folders of images and labels, and the statistics of rare class sampling."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools._doctor.configs import Dataset, Needs
from tools._doctor.findings import MISSING, OK, WARN, Finding, first_line
from tools._entry import ROOT

GROUP = 'data'
LAYOUTS = 'docs/getting_started.md'
DEMO = Path('data/demo')


def check_datasets(needs: Needs, needed: bool = True) -> Iterator[Finding]:
    """Every dataset; folders that are not there once, whatever is looked for in them.

    Args:
        needs: of the configs.
        needed: whether missing data is needed, or only could be used.
    """
    absent: set[str] = set()
    told: set[Finding] = set()
    for dataset in needs.datasets.values():
        root = _root(dataset.config)
        if os.path.isdir(root or '.'):
            # Configs that read the same files in other ways find the same.
            new = [finding for finding in check_dataset(dataset, root, needed) if finding not in told]
            told.update(new)
            yield from new
        elif root not in absent:
            absent.add(root)
            yield _absent(root, needed)
    for several in needs.lists.values():
        if not any(_root(config) in absent for config in several.config):
            yield from check_list(several, needed)


def _root(config: dict[str, Any]) -> str:
    return str(config.get('data_root') or _default_root(config['type']))


def _absent(root: str, needed: bool) -> Finding:
    path = Path(root)
    if path.is_symlink():
        return Finding(
            GROUP, MISSING, root, f'is a broken link to {os.readlink(root)}', f'ln -sfn WHERE_IT_IS {root}', needed
        )
    if not path.is_absolute() and (ROOT / path).is_dir():
        return Finding(GROUP, MISSING, root, 'is not there, but is in the repository', f'cd {ROOT}', needed)
    if DEMO in path.parents:
        run = f'python -m tools.make_demo_data {DEMO} --domains {path.name}'
        return Finding(GROUP, MISSING, root, 'is not there', run, needed)
    run = f'ln -s WHERE_IT_IS {root}   (what belongs there: {LAYOUTS})'
    return Finding(GROUP, MISSING, root, 'is not there', run, needed)


def _default_root(kind: str) -> str:
    import inspect

    from mmseg.registry import DATASETS

    found = DATASETS.get(kind)
    parameter = inspect.signature(found.__init__).parameters.get('data_root') if found else None
    return parameter.default if parameter is not None and isinstance(parameter.default, str) else ''


def check_dataset(dataset: Dataset, root: str, needed: bool = True) -> Iterator[Finding]:
    """One dataset whose root is there: its images, labels and statistics."""
    from mmseg.engine.errors import clear_config_errors
    from mmseg.registry import DATASETS

    what = os.path.join(root, (dataset.config.get('data_prefix') or {}).get('img_path', '')).rstrip('/')
    try:
        with clear_config_errors(dataset.config):
            built: Any = DATASETS.build(dict(dataset.config))
    except (ValueError, OSError, TypeError) as error:
        yield Finding(GROUP, MISSING, what, _without_type(error), f'compare with the layout in {LAYOUTS}', needed)
        return
    broken = _broken(built.img_dir, built.img_names)
    detail = f'{dataset.config["type"]}{_chosen(dataset.config)}: {len(built)} images'
    if broken:
        yield Finding(GROUP, MISSING, what, f'{detail}, {_examples(broken)}', 'copy these files again', needed)
    if dataset.labelled:
        yield from _labels(what, detail, built, needed)
    elif not broken:
        yield Finding(GROUP, OK, what, f'{detail}; labels are not read')
    if dataset.sampling is not None:
        yield from _statistics(built, f'{root} statistics', dataset, needed)


def check_list(several: Dataset, needed: bool = True) -> Iterator[Finding]:
    """Several datasets in one whose folders are there: whether they go together, and their statistics."""
    from mmseg.engine.errors import clear_config_errors
    from mmseg.registry import DATASETS

    what = ' + '.join(os.path.basename(_root(config).rstrip('/')) for config in several.config)
    try:
        with clear_config_errors({'datasets': several.config}):
            built: Any = DATASETS.build([dict(config) for config in several.config])
    except (ValueError, OSError, TypeError) as error:
        yield Finding(GROUP, MISSING, what, first_line(error), '', needed)
        return
    if several.sampling is not None:
        yield from _statistics(built, f'{what} statistics', several, needed)


def _labels(what: str, detail: str, built: Any, needed: bool) -> Iterator[Finding]:
    converter = built.conversion_command()
    run = converter or f'compare with the layout in {LAYOUTS}'
    if not os.path.isdir(built.seg_map_dir):
        yield Finding(GROUP, MISSING, what, f'{detail}; label folder {built.seg_map_dir} is not there', run, needed)
        return
    missing, extra = built.unmatched_files()
    if missing:
        example = os.path.join(built.seg_map_dir, built.label_names[missing[0]])
        text = f'{detail}, {len(missing)} without label map, e.g. {example}'
        yield Finding(GROUP, MISSING, what, text, run, needed)
        return
    broken = _broken(built.seg_map_dir, built.label_names)
    if broken:
        text = f'{detail}; of their label maps {_examples(broken)}'
        yield Finding(
            GROUP, MISSING, what, text, f'rm these files; {run}' if converter else 'copy these files again', needed
        )
        return
    yield Finding(GROUP, OK, what, f'{detail} with label maps')
    if extra:
        yield Finding(
            GROUP, WARN, what, f'{len(extra)} label maps have no image, e.g. {min(extra)}', 'copy the images again'
        )


def _statistics(built: Any, what: str, dataset: Dataset, needed: bool) -> Iterator[Finding]:
    from mmseg.datasets.rare_class_sampling import RareClassSampling

    with _collected_warnings() as warnings:
        try:
            sampling = RareClassSampling(built, **(dataset.sampling or {}))
        except (ValueError, OSError, TypeError, KeyError) as error:
            text = first_line(error)
            yield Finding(GROUP, MISSING, what, text, _command(text, dataset.names[0]), needed)
            return
    for text in warnings:
        yield Finding(GROUP, WARN, what, text, _command(text, dataset.names[0]))
    yield Finding(GROUP, OK, what, f'rare class sampling draws {len(sampling.classes)} classes')


def _command(text: str, config: str) -> str:
    """The command that a message names, with the config in it."""
    found = re.search(r'run (python \S+\.py(?: --config CONFIG|(?: [^\s,]+)*)?)', text)
    if found:
        return found[1].replace('CONFIG', config)
    option = 'train_dataloader.dataset.rare_class_sampling.min_pixels=N'
    return f'add --cfg-options {option} when training' if 'min_pixels' in text else ''


class _collected_warnings(logging.Handler):
    """Within it, what our code logs as a warning is kept instead of printed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def __enter__(self) -> list[str]:
        from mmengine.logging import MMLogger

        self.logger = MMLogger.get_current_instance()
        self.before = self.logger.handlers[:]
        self.logger.handlers[:] = [self]
        return self.texts

    def __exit__(self, *_: object) -> None:
        self.logger.handlers[:] = self.before

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def _broken(folder: str, names: list[str]) -> dict[str, list[str]]:
    """Files that are links to nothing, and empty ones."""
    broken: dict[str, list[str]] = {}
    for name in names:
        path = os.path.join(folder, name)
        try:
            found = os.stat(path)
        except OSError:
            broken.setdefault('broken links', []).append(path)
            continue
        if stat.S_ISREG(found.st_mode) and found.st_size == 0:
            broken.setdefault('empty', []).append(path)
    return broken


def _examples(broken: dict[str, list[str]]) -> str:
    return ', '.join(f'{len(paths)} {kind} (e.g. {paths[0]})' for kind, paths in broken.items())


def _chosen(config: dict[str, Any]) -> str:
    sequences = config.get('sequences')
    chosen = [sequences] if isinstance(sequences, str) else sequences
    return f' ({", ".join(chosen)})' if chosen else ''


def _without_type(error: BaseException) -> str:
    return re.sub(r'^\w+Dataset: ', '', first_line(error))
