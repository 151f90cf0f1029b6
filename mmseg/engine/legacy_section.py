"""A part of a 0.x config whose every key must be accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmseg.engine.errors import near_names


class Section:
    """Hands out the keys of one dict; what nobody took is an error, so no setting is lost in silence.

    Args:
        values: the 0.x settings.
        where: dotted name for messages, e.g. ``data.train.source``.
    """

    def __init__(self, values: Mapping[str, Any] | None, where: str) -> None:
        if values is not None and not isinstance(values, Mapping):
            raise ValueError(f'0.x config: {where} should be a dict, got {values!r}')
        self.left = dict(values or {})
        self.where = where
        self._known: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self.left

    def name(self, key: str) -> str:
        return f'{self.where}.{key}' if self.where else key

    def take(self, key: str, default: Any = None) -> Any:
        """The value of ``key``, which is then done with."""
        self._known.add(key)
        return self.left.pop(key, default)

    def expect(self, key: str, *allowed: Any) -> None:
        """Takes a key that says nothing new as long as it has one of these values.

        Raises:
            ValueError: if it has another value.
        """
        value = self.take(key, allowed[0])
        if value not in allowed:
            known = ' or '.join(map(repr, allowed))
            raise ValueError(f'0.x config: {self.name(key)}={value!r} cannot be translated; only {known} can')

    def sections(self, key: str) -> list[Section]:
        """The dicts of a list, e.g. a pipeline's transforms."""
        items = self.take(key, [])
        return [Section(item, f'{self.name(key)}[{position}]') for position, item in enumerate(items)]

    def close(self) -> None:
        """Nothing may be left.

        Raises:
            ValueError: names the first key that nobody took.
        """
        for key in self.left:
            raise ValueError(
                f'0.x config: unknown key {self.name(key)}={self.left[key]!r}{near_names(key, sorted(self._known))}'
            )


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid over ``base``: dicts are merged key by key (``_delete_`` replaces), everything else is replaced."""
    over = dict(over)
    merged = {} if over.pop('_delete_', False) else dict(base)
    for key, value in over.items():
        if isinstance(value, Mapping):
            below = merged.get(key)
            merged[key] = merge(below if isinstance(below, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged
