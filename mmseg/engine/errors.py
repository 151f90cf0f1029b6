"""One clear line instead of a traceback where the user can put things right."""

from __future__ import annotations

import difflib
import linecache
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from mmengine.config import DictAction
from mmengine.registry import Registry

from mmseg import registry as registries

ROOT = Path(__file__).resolve().parents[2]
MEMORY_ADVICE = (
    'What saves memory: --precision bf16 on recent GPUs; --cfg-options model.backbone.with_cp=True; a smaller '
    'train_dataloader.batch_size with --accumulate (docs/getting_started.md#memory)'
)
_OURS = (ROOT / 'mmseg', ROOT / 'tools', ROOT / 'run_experiments.py', ROOT / 'run_seg.py')
_UNKNOWN_TYPE = re.compile(r'^(?P<type>\S+) is not in the (?:[\w-]+::)?(?P<registry>.+?) registry')
_WRONG_ARGUMENT = re.compile(r'__init__\(\) (got an unexpected keyword|missing \d+ required)')
_UNKNOWN_ARGUMENT = re.compile(r"got an unexpected keyword argument '(\w+)'")
_WORKER = re.compile(r'^Caught \w+ in .*worker process')
_FRAME = re.compile(r'File "(?P<file>.+?)", line \d+, in .+\n\s+(?P<code>.+)')


def user_message(error: BaseException) -> str | None:
    """The line to show for an error that our code raised on purpose; None for an unexpected one.

    On purpose means: an explicit ``raise`` in this repository, or a file operation of ours that failed, here or in a
    data loader's worker.
    """
    text = str(error)
    if isinstance(error, torch.OutOfMemoryError):
        return f'{text.splitlines()[0] if text else "Out of memory."} {MEMORY_ADVICE}'
    if (option := _wrong_option(error)) is not None:
        return option
    if _WORKER.match(text):
        frames = list(_FRAME.finditer(text))
        if not frames or not _ours(frames[-1]['file']) or not frames[-1]['code'].startswith('raise'):
            return None
        return re.split(r'\n[\w.]+: ', text)[-1].strip()
    if isinstance(error, OSError) and error.filename is not None and _raised_here(error.__traceback__, explicit=False):
        return f'{error.filename}: {error.strerror}'
    if isinstance(error, (ValueError, OSError, ImportError, FloatingPointError)) and _raised_here(
        error.__traceback__, explicit=True
    ):
        return text
    return None


@contextmanager
def clear_config_errors(cfg: Mapping[str, Any]) -> Iterator[None]:
    """Turns what mmengine says about an unknown type or argument into one line with the key and near names.

    Raises:
        ValueError: instead of mmengine's KeyError or TypeError.
    """
    try:
        yield
    except KeyError as error:
        found = _UNKNOWN_TYPE.match(str(error.args[0])) if error.args else None
        if found is None:
            raise
        raise ValueError(_unknown_type(found['type'], found['registry'], cfg)) from None
    except TypeError as error:
        if not _WRONG_ARGUMENT.search(str(error)) or not _while_constructing(error.__traceback__):
            raise
        raise ValueError(f'config: {error}') from None


@contextmanager
def wrong_argument_of(what: str) -> Iterator[None]:
    """Turns the TypeError of an argument that ``what``, a part of the config, does not have into one line.

    Raises:
        ValueError: instead of it.
    """
    try:
        yield
    except TypeError as error:
        found = _UNKNOWN_ARGUMENT.search(str(error))
        if found is None:
            raise
        raise ValueError(f'config: {what} has no setting {found[1]!r}') from None


def near_names(name: str, candidates: list[str], count: int = 3) -> str:
    """``; did you mean A, B?`` with the candidates closest to ``name``, or nothing."""
    lower = {candidate.lower(): candidate for candidate in candidates}
    close = difflib.get_close_matches(name.lower(), list(lower), n=count, cutoff=0.5)
    return f'; did you mean {", ".join(lower[key] for key in close)}?' if close else ''


def _wrong_option(error: BaseException) -> str | None:
    """What is wrong with a KEY=VALUE of the command line, which mmengine splits; None for other errors."""
    traceback = error.__traceback__ if isinstance(error, (ValueError, AssertionError)) else None
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code is DictAction.__call__.__code__:
            option, word = frame.f_locals.get('option_string'), frame.f_locals.get('kv')
            return f'{option} {word}: expected KEY=VALUE without blanks, as in train_cfg.max_iters=100 or "a.b=[1,2]"'
        traceback = traceback.tb_next
    return None


def _unknown_type(name: str, registry_name: str, cfg: Mapping[str, Any]) -> str:
    known: list[str] = []
    for registry in vars(registries).values():
        if isinstance(registry, Registry) and registry.name == registry_name:
            known += list(registry.module_dict)
    where = next(_keys_of_type(cfg, name), None)
    place = f'config key {where}' if where else 'config'
    return f'{place}: unknown {registry_name} type {name!r}{near_names(name, sorted(set(known)))}'


def _keys_of_type(node: Any, name: str, path: str = '') -> Iterator[str]:
    if isinstance(node, Mapping) or hasattr(node, '_cfg_dict'):
        for key, value in node.items():
            here = f'{path}.{key}' if path else str(key)
            if key == 'type' and value == name:
                yield here
            yield from _keys_of_type(value, name, here)
    elif isinstance(node, (list, tuple)):
        for position, value in enumerate(node):
            yield from _keys_of_type(value, name, f'{path}.{position}')


def _frames(traceback: TracebackType | None) -> Iterator[tuple[str, int]]:
    while traceback is not None:
        yield traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next


def _while_constructing(traceback: TracebackType | None) -> bool:
    """Whether nothing but constructors ran since the registry began to build."""
    names = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        names.append('build' if code.co_filename.endswith('build_functions.py') else code.co_name)
        traceback = traceback.tb_next
    return 'build' in names and set(names[len(names) - names[::-1].index('build') :]) <= {'__init__'}


def _raised_here(traceback: TracebackType | None, explicit: bool) -> bool:
    file, line = list(_frames(traceback))[-1]
    if not explicit:
        return any(_ours(name) for name, _ in _frames(traceback))
    return _ours(file) and linecache.getline(file, line).strip().startswith('raise')


def _ours(file: str) -> bool:
    path = Path(file).resolve()
    return any(path == part or part in path.parents for part in _OURS)
