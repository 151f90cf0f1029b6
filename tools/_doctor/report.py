"""Findings as aligned lines, with colours where ``rich`` and a terminal are there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tools._doctor.findings import MISSING, OK, WARN, Finding, failed

STYLES = {OK: 'green', WARN: 'yellow', MISSING: 'bold red'}
LONGEST_NAME = 44
Line = list[tuple[str, str]]


def lines(findings: Sequence[Finding]) -> Iterator[Line]:
    """The report: lines of (text, style)."""
    names = [len(finding.what) for finding in findings if len(finding.what) <= LONGEST_NAME]
    width = max(names, default=0)
    indent = ' ' * (width + 14)
    group = None
    for finding in findings:
        if finding.group != group:
            group = finding.group
            yield [(f'{group}', 'bold')]
        mark = f'[{finding.status}]'
        name = f'{finding.what:{width}}' if len(finding.what) <= width else f'{finding.what}\n{indent[:-2]}'
        yield [('  ', ''), (f'{mark:10}', STYLES[finding.status]), (f'{name}  ', ''), (finding.detail, '')]
        if finding.run:
            yield [(f'{indent}-> {finding.run}', 'cyan')]
    yield []
    yield [(summary(findings), 'bold')]


def summary(findings: Sequence[Finding]) -> str:
    """The last line."""
    missing = sum(finding.status == MISSING and finding.needed for finding in findings)
    optional = sum(finding.status == MISSING and not finding.needed for finding in findings)
    warned = sum(finding.status == WARN for finding in findings)
    parts = [f'{missing} missing' if missing else 'nothing that is needed is missing']
    parts += [f'{optional} not there but not asked for'] if optional else []
    parts += [f'{warned} to look at'] if warned else []
    return ', '.join(parts)


def show(findings: Sequence[Finding]) -> None:
    """Print the report."""
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        for line in lines(findings):
            print(''.join(text for text, _ in line))
        return
    console = Console(highlight=False)
    for line in lines(findings):
        # Long lines are left to the terminal: a command that is broken into two cannot be copied.
        console.print(Text.assemble(*line), soft_wrap=True)


def as_json(findings: Sequence[Finding]) -> str:
    """The same for programs."""
    content = {'ok': not failed(findings), 'findings': [finding.as_dict() for finding in findings]}
    return json.dumps(content, indent=2)
