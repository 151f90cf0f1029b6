"""Commands of docs/from_the_originals.md: their files exist, and the tools take their options."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / 'docs' / 'from_the_originals.md'
STARTS = ('python ', 'bash ', 'sh ')


class Parsed(Exception):
    """The command line has been understood."""


def our_commands() -> list[str]:
    """Code in the last column of the tables."""
    rows = [line.strip().strip('|') for line in PAGE.read_text().splitlines() if line.startswith('|')]
    spans = [span for row in rows for span in re.findall(r'`([^`]+)`', row.rsplit('|', 1)[1])]
    return sorted({span for span in spans if span.startswith(STARTS)})


def script_and_words(command: str) -> tuple[Path, list[str]]:
    _, *words = shlex.split(command)
    if words[0] == '-m':
        return ROOT / f'{words[1].replace(".", "/")}.py', words[2:]
    return ROOT / words[0], words[1:]


def test_there_are_commands_of_every_original() -> None:
    text = PAGE.read_text()
    for name in ('DAFormer', 'HRDA', 'MIC', 'PMDAv2', 'ProCA', 'PBAL', 'DDB', 'CDDA'):
        assert f'\n## {name}\n' in text
    assert len(our_commands()) > 50


@pytest.mark.parametrize('command', our_commands())
def test_command_is_one_of_this_repository(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script, words = script_and_words(command)
    assert script.is_file()
    for word in words:
        if word.startswith('configs/'):
            assert (ROOT / word).is_file() or (ROOT / f'{word}.py').is_file(), word
    if script.suffix == '.sh':
        # Shell scripts hand their further words to the tool of their name.
        name, own = {'dist_train.sh': ('train', 2), 'dist_test.sh': ('test', 3)}.get(script.name, ('', 0))
        if not name:
            return
        tool, words = importlib.import_module(f'tools.{name}'), [*words[: own - 1], *words[own:]]
    else:
        tool = importlib.import_module('.'.join(script.relative_to(ROOT).with_suffix('').parts))
    if words == ['--help']:
        return
    if hasattr(tool, 'parse_arguments'):
        tool.parse_arguments(words)
        return
    # Others read their command line first thing in their only function.
    parse = argparse.ArgumentParser.parse_args

    def stop_after_parsing(self: argparse.ArgumentParser, arguments: list[str] | None = None) -> None:
        parse(self, arguments)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', stop_after_parsing)
    monkeypatch.setattr(sys, 'argv', [str(script), *words])
    with pytest.raises(Parsed):
        (getattr(tool, 'convert', None) or tool.main)()
