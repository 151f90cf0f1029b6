"""What differs between two configs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmseg.engine.config_text import read_config_text

# Where a run lies, how it is started, and what belongs to the machine.
NOT_SETTINGS = (
    'work_dir', 'resume', 'load_from', 'name', 'exp', 'git_rev', 'launcher', 'env_cfg', 'log_level', 'default_hooks',
    'num_workers', 'persistent_workers', 'prefetch_factor', 'pin_memory', 'trust_checkpoint', 'custom_imports',
)  # fmt: skip


def changed_settings(old: str, new: str) -> list[str]:
    """How two configs differ in what is trained: ``train_cfg.max_iters 100 -> 200``.

    Args:
        old: a config as text; empty = not known.
        new: likewise.
    """
    if not old or old == new:
        return []
    before, after = (_settings(read_config_text(text)) for text in (old, new))
    return differences(before, after)


def _settings(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _settings(inside) for key, inside in value.items() if key not in NOT_SETTINGS}
    return [_settings(inside) for inside in value] if isinstance(value, (list, tuple)) else value


def differences(old: Any, new: Any, path: str = '') -> list[str]:
    """What has changed between two settings: ``train_cfg.max_iters 100 -> 200``."""
    if _are_dicts(old) and _are_dicts(new) and len(old) == len(new):
        old, new = dict(enumerate(old)), dict(enumerate(new))
    if isinstance(old, dict) and isinstance(new, dict):
        keys = dict.fromkeys([*old, *new])
        missing = object()
        pairs = ((f'{path}.{key}' if path else key, old.get(key, missing), new.get(key, missing)) for key in keys)
        lines = []
        for key, before, after in pairs:
            if before is missing or after is missing:
                lines.append(f'{key} {"is new" if before is missing else "is gone"}')
            else:
                lines += differences(before, after, key)
        return lines
    return [] if old == new else [f'{path} {old!r} -> {new!r}']


def _are_dicts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)
