"""What a check found, and the one place where a check may fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

OK, WARN, MISSING = 'ok', 'warn', 'missing'


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        group: heading that it stands under.
        status: ``ok``, ``warn``, or ``missing``.
        what: the thing that was looked at.
        detail: what was found.
        run: the command, or what else to do; empty if nothing is to do.
        needed: whether a ``missing`` thing is needed by what the user asked about.
    """

    group: str
    status: str
    what: str
    detail: str = ''
    run: str = ''
    needed: bool = True

    def as_dict(self) -> dict[str, str | bool]:
        """For JSON."""
        return asdict(self)


Check = Callable[[], Iterable[Finding]]


def run_checks(group: str, checks: Iterable[Check]) -> list[Finding]:
    """The findings of some checks; one that breaks is a finding itself.

    A half-installed package can raise anything while it is imported, and one broken check must not hide the others.
    """
    findings: list[Finding] = []
    for check in checks:
        try:
            findings += check()
        except Exception as error:  # noqa: BLE001
            name = getattr(check, '__name__', getattr(getattr(check, 'func', None), '__name__', 'check'))
            findings.append(Finding(group, WARN, name.replace('_', ' '), f'could not be checked: {first_line(error)}'))
    return findings


def first_line(error: BaseException) -> str:
    """An error in one line, with its type where the text alone says little."""
    text = str(error).strip().splitlines()
    return (
        text[0]
        if text and isinstance(error, (ValueError, FileNotFoundError))
        else ': '.join([type(error).__name__, *text[:1]])
    )


def failed(findings: Iterable[Finding]) -> bool:
    """Whether something that is needed is missing."""
    return any(finding.status == MISSING and finding.needed for finding in findings)
