"""What every command does first and last: the right ``mmseg``, and errors as one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Threads of PyTorch's CPU kernels wait for each other by spinning. Where loader workers or another program hold a core,
# the default count (300,000) makes a training step over thirty times slower; this one costs a tenth where nothing does.
# It is read when torch is imported.
os.environ.setdefault('GOMP_SPINCOUNT', '3000')


def check_package() -> None:
    """Makes sure that ``import mmseg`` gives this repository's package.

    Raises:
        SystemExit: if another distribution owns the name, with what to uninstall.
    """
    try:
        import mmseg
    except ImportError as error:
        if 'pip uninstall' not in str(error):
            raise
        sys.exit(f'error: {error}')
    file = getattr(mmseg, '__file__', None)
    if file is None or Path(file).resolve().parents[1] != ROOT:
        sys.exit(f'error: import mmseg gives {file}, not {ROOT / "mmseg"}; uninstall the other one')


def run_tool(main: Callable[[], object]) -> None:
    """Runs a command's ``main``: errors meant for the user become ``error: …`` and exit code 1, others keep their
    traceback."""
    if sys.path[0] != str(ROOT):
        sys.path.insert(0, str(ROOT))
    check_package()
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from mmseg.engine.errors import user_message

        message = user_message(error)
        if message is None:
            raise
        sys.exit(f'error: {message}')
