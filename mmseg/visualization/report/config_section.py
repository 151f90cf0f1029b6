"""Configs side by side: only what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmseg.visualization.report.numbers import DASH
from mmseg.visualization.report.runs import ReportRun

# Different in each run, and no setting of the experiment.
LEFT_OUT = ('work_dir', 'resume')


@dataclass(frozen=True)
class ConfigDifference:
    """A key whose value is not the same in all runs.

    Attributes:
        key: dotted.
        values: of each run as text; a dash where the key is absent.
    """

    key: str
    values: list[str]


def flatten(node: Any, path: str = '') -> dict[str, str]:
    """Values as text by dotted key, such as ``uda.teacher.alpha``.

    Lists stay whole, those of parts (a pipeline) as a line per part: a transform more does not move all keys after it.
    """
    if isinstance(node, Mapping):
        if not node and path:
            return {path: '{}'}
        parts = {f'{path}.{key}' if path else str(key): value for key, value in node.items()}
    else:
        return {path: as_text(node)}
    return {key: value for part, inside in parts.items() for key, value in flatten(inside, part).items()}


def as_text(value: Any) -> str:
    """A config's value: parts as calls, ``Resize(scale=(512, 256))``, lists of parts as lines, others as in Python."""
    if isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
        return '\n'.join(as_text(one) for one in value)
    if isinstance(value, Mapping) and isinstance(value.get('type'), str):
        options = ', '.join(f'{key}={as_text(inside)}' for key, inside in value.items() if key != 'type')
        return f'{value["type"]}({options})'
    # Lists of a dumped config are often tuples of the file it came from.
    return repr(list(value) if isinstance(value, tuple) else value)


def config_differences(runs: Sequence[ReportRun]) -> list[ConfigDifference]:
    """The keys in which the configs differ, in the order of their first appearance; runs without config are skipped."""
    flat = [flatten(run.config.to_dict()) if run.config is not None else None for run in runs]
    known = [one for one in flat if one is not None]
    if len(known) < 2:
        return []
    keys = dict.fromkeys(key for one in known for key in one if key.split('.')[0] not in LEFT_OUT)
    differences = []
    for key in sorted(keys):
        values = [one.get(key, DASH) for one in known]
        if len(set(values)) > 1:
            rows = iter(values)
            differences.append(ConfigDifference(key, [DASH if one is None else next(rows) for one in flat]))
    return differences


def config_text(run: ReportRun) -> str | None:
    """The whole config as Python."""
    return None if run.config is None else run.config.pretty_text
