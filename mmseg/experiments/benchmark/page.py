"""Putting what is made from the records into a page, between marks; the prose around them stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_BEGIN = re.compile(r'^<!-- begin (?P<name>[\w -]+) -->$', re.MULTILINE)


def replace_sections(text: str, sections: Mapping[str, Callable[[], list[str]]], page: str) -> str:
    """A page with new content between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``.

    Args:
        text: of the page.
        sections: what gives their lines, by name; called for those alone that the page has marks for.
        page: its name, for messages.

    Raises:
        ValueError: no marks, a mark without its other half, or marks that no section belongs to.
    """
    if not _BEGIN.search(text):
        raise ValueError(f'{page}: no marks like "<!-- begin {next(iter(sections))} -->" in it, so nothing to renew')
    for match in list(_BEGIN.finditer(text)):
        name = match['name']
        begin, end = match[0], f'<!-- end {name} -->'
        if text.count(begin) != 1 or text.count(end) != 1 or text.index(end) < text.index(begin):
            raise ValueError(f'{page}: expected "{begin}" once and "{end}" once after it')
        if name not in sections:
            raise ValueError(f'{page}: there is no section {name}; sections: {", ".join(sections)}')
        head, rest = text.split(begin)
        tail = rest.split(end)[1]
        text = '\n'.join([f'{head}{begin}', *sections[name](), f'{end}{tail}'])
    return text
