"""A log of one JSON object per line that survives interruptions."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class JsonLog:
    """Appends rows to a file.

    A resumed run keeps the rows up to its checkpoint and drops what the interrupted run wrote after it, so that every
    iteration stands there once. A new run moves an older file aside.

    Args:
        path: the file.
        keep_until: iteration at which the run starts; 0 = a new run.
    """

    def __init__(self, path: Path, keep_until: int = 0) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            return
        if keep_until == 0:
            stamp = time.strftime('%Y%m%d_%H%M%S', time.localtime(path.stat().st_mtime))
            os.replace(path, path.with_name(f'{path.stem}_{stamp}{path.suffix}'))
            return
        rows = [row for row in read_rows(path) if row.get('iter', 0) <= keep_until]
        partial = path.with_name(f'.{path.name}.partial')
        partial.write_text(''.join(_line(row) for row in rows), encoding='utf-8')
        os.replace(partial, path)

    def write(self, row: Mapping[str, Any]) -> None:
        """Appends a row; numbers that are not finite become null, which every JSON reader takes."""
        with self.path.open('a', encoding='utf-8') as file:
            file.write(_line(row))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """All complete rows; a line cut off by a crash is left out."""
    rows = []
    for line in path.read_text(encoding='utf-8').splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def _line(row: Mapping[str, Any]) -> str:
    clean = {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()
    }
    return json.dumps(clean, allow_nan=False) + '\n'
