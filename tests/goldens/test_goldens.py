"""Runs every golden case beside this file, or those of another folder: ``GOLDENS_DIR=DIR pytest tests/goldens``."""

import os
from pathlib import Path

import pytest

from tests.goldens.harness import Case

HERE = Path(__file__).parent
FOREIGN = os.environ.get('GOLDENS_DIR')
FOLDER = Path(FOREIGN) if FOREIGN else HERE
CASES = [Case(path) for path in sorted(FOLDER.rglob('*.npz'))]
PENDING = set() if FOREIGN else set((HERE / 'pending.txt').read_text().split())


def _parameter(case):
    marks = [pytest.mark.xfail(reason='waits for a later issue', strict=True)] if case.id in PENDING else []
    return pytest.param(case, id=case.id, marks=marks)


def test_cases_found():
    assert CASES, f'no golden cases (<part>/<name>.npz) under {FOLDER.resolve()}'


def test_pending_cases_exist():
    assert not PENDING - {case.id for case in CASES}, 'pending.txt names cases that do not exist'


@pytest.mark.parametrize('case', [_parameter(case) for case in CASES])
def test_golden(case):
    case.run(strict=not FOREIGN)
