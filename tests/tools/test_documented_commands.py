"""Commands of the README and of docs/: their files exist, and the tools take their options."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
ORIGINALS = ROOT / 'docs' / 'from_the_originals.md'
PAGES = [ROOT / 'README.md', ROOT / 'configs' / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
STARTS = ('python ', 'bash ', 'sh ')
# Shell scripts hand their further words to the tool of their name: the tool, and how many words they keep.
WRAPPERS = {'dist_train.sh': ('train', 2), 'dist_test.sh': ('test', 3), 'test.sh': ('test', 1)}
# Files that a reader makes.
OWN = ('configs/farm/', 'configs/generated/')
# Scripts of the original repositories, named beside ours.
THEIRS = ('python train_bpl.py ', 'python train_pst.py ', 'python test.py ')


class Parsed(Exception):
    """The command line has been understood."""


def commands_beside_those_of_the_originals() -> list[str]:
    """Code in the last column of the tables."""
    rows = [line.strip().strip('|') for line in ORIGINALS.read_text().splitlines() if line.startswith('|')]
    return sorted({span for row in rows for span in spans(row.rsplit('|', 1)[1])})


def spans(text: str) -> list[str]:
    """Commands in backquotes."""
    return [span for span in re.findall(r'`([^`\n]+)`', text.replace(r'\|', '|')) if span.startswith(STARTS)]


def commands(page: Path) -> list[str]:
    """Commands of a page that are written out, in blocks of code and in the text."""
    found = []
    text = page.read_text()
    for block in re.findall(r'^```.*?^```', text, re.MULTILINE | re.DOTALL):
        lines = re.sub(r' *\\\n *', ' ', block).splitlines()
        found += [re.sub(r'^(\$ )?([A-Z_]+=\S+ )*', '', re.sub(r'  +#.*', '', line.strip())) for line in lines]
    found += spans(re.sub(r'^```.*?^```', '', text, flags=re.MULTILINE | re.DOTALL))
    left_out = re.compile(r'…|\.\.\.|[$<|&{]|--config$')
    return sorted(
        {one for one in found if one.startswith(STARTS) and not (one.startswith(THEIRS) or left_out.search(one))}
    )


def everywhere() -> list[tuple[str, str]]:
    return [(page.name, one) for page in PAGES if page != ORIGINALS for one in commands(page)]


def script_and_words(command: str) -> tuple[Path, list[str]]:
    _, *words = shlex.split(command)
    if words[0] == '-m':
        return ROOT / f'{words[1].replace(".", "/")}.py', words[2:]
    return ROOT / words[0], words[1:]


def check(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script, words = script_and_words(command)
    assert script.is_file()
    for word in words:
        if word.startswith('configs/') and not word.startswith(OWN):
            assert (ROOT / word).exists() or (ROOT / f'{word}.py').is_file(), word
    if command.startswith(('bash ', 'sh ')):
        if script.name not in WRAPPERS:
            assert not words
            return
        name, own = WRAPPERS[script.name]
        tool = importlib.import_module(f'tools.{name}')
        words = (
            [words[0], *words[own:]] if name == 'train' else [words[0], 'CHECKPOINT', *words[own:], '--eval', 'mIoU']
        )
    else:
        tool = importlib.import_module('.'.join(script.relative_to(ROOT).with_suffix('').parts))
    if words != ['--help']:
        parse(tool, script, words, monkeypatch)


def parse(tool: ModuleType, script: Path, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a tool read its command line, and stop it before it looks for files."""
    for name in ('parse_args', 'parse_intermixed_args'):
        original = getattr(argparse.ArgumentParser, name)

        def stop_after_parsing(self, arguments=None, original=original):  # type: ignore[no-untyped-def]
            original(self, arguments)
            raise Parsed

        monkeypatch.setattr(argparse.ArgumentParser, name, stop_after_parsing)
    monkeypatch.setattr(sys, 'argv', [str(script), *words])
    with pytest.raises(Parsed):
        (getattr(tool, 'parse_arguments', None) or getattr(tool, 'convert', None) or tool.main)()


def test_there_are_commands_of_every_original() -> None:
    text = ORIGINALS.read_text()
    for name in ('DAFormer', 'HRDA', 'MIC', 'PMDAv2', 'ProCA', 'PBAL', 'DDB', 'CDDA'):
        assert f'\n## {name}\n' in text
    assert len(commands_beside_those_of_the_originals()) > 50
    assert len(everywhere()) > 100


@pytest.mark.parametrize('command', commands_beside_those_of_the_originals())
def test_command_beside_one_of_an_original(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(command, monkeypatch)


@pytest.mark.parametrize(('page', 'command'), everywhere())
def test_command_of_a_page(page: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(command, monkeypatch)
