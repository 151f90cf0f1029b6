"""Which state of the code a run was trained with."""

from __future__ import annotations

import subprocess
from pathlib import Path

from mmseg.engine.errors import ROOT


def git_state(folder: str | Path = ROOT) -> str | None:
    """The commit of a checkout, with ``-dirty`` if tracked files were changed since; None outside a checkout, or
    without git.

    Args:
        folder: the checkout's root.
    """
    # An installed package may lie below a checkout of something else.
    if not (Path(folder) / '.git').exists():
        return None
    command = ['git', '--no-optional-locks', '-C', str(folder), 'describe']
    command += ['--always', '--dirty', '--abbrev=12', '--exclude=*']
    try:
        described = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return described.stdout.strip() if described.returncode == 0 else None
