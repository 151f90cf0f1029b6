"""Runs every golden case beside this file, or those of another folder: ``GOLDENS_DIR=DIR pytest tests/goldens``."""

import os
from pathlib import Path

import pytest

from tests.goldens.harness import Case

FOREIGN = os.environ.get('GOLDENS_DIR')
FOLDER = Path(FOREIGN) if FOREIGN else Path(__file__).parent
CASES = [Case(path) for path in sorted(FOLDER.rglob('*.npz'))]


def test_cases_found():
    assert CASES, f'no golden cases (<part>/<name>.npz) under {FOLDER.resolve()}'


@pytest.mark.parametrize('case', CASES, ids=lambda case: case.id)
def test_golden(case):
    case.run(strict=not FOREIGN)
