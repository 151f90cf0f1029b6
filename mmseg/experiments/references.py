"""``{stage}`` in an experiment file: what an earlier stage leaves behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# A stage's own output and folder, in the arguments of its tool.
OWN = ('output', 'folder')
_PATTERN = re.compile(r'\{(?P<stage>[A-Za-z][\w-]*)(?:\.(?P<part>\w+))?\}')


@dataclass(frozen=True)
class Reference:
    """``{stage}``: its output; ``{stage.config}``: its config file; ``{stage.folder}``: its folder."""

    stage: str
    part: str = 'output'

    def __str__(self) -> str:
        return f'{{{self.stage}}}' if self.part == 'output' else f'{{{self.stage}.{self.part}}}'


def strings(value: Any) -> Iterator[str]:
    """All strings in nested lists and dicts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inside in value.values():
            yield from strings(inside)
    elif isinstance(value, list | tuple):
        for inside in value:
            yield from strings(inside)


def references(value: Any) -> list[Reference]:
    """The references in all strings of a value, each once."""
    found = (match for text in strings(value) for match in _PATTERN.finditer(text))
    return list(dict.fromkeys(Reference(match['stage'], match['part'] or 'output') for match in found))


def fill(value: Any, place: Callable[[Reference], object]) -> Any:
    """A value with the references in its strings replaced by the paths that ``place`` gives."""
    if isinstance(value, str):
        return _PATTERN.sub(lambda match: str(place(Reference(match['stage'], match['part'] or 'output'))), value)
    if isinstance(value, Mapping):
        return {key: fill(inside, place) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [fill(inside, place) for inside in value]
    return value
