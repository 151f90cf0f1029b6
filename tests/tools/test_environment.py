"""The set-up script: the headless OpenCV steps in where system libraries are missing."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Stands for a Python whose OpenCV needs a library that a slim image lacks.
PYTHON = """#!/usr/bin/env bash
case "$*" in
    '-c import cv2') [ -e "$0.headless" ] || { echo 'ImportError: libGL.so.1: cannot open' >&2; exit 1; } ;;
    '-m pip show opencv-python') echo 'Version: 4.9.0.80' ;;
    *'opencv-python-headless==4.9.0.80'*) touch "$0.headless" ;;
esac
"""


def _ensure_cv2(python: Path) -> subprocess.CompletedProcess:
    code = f'set -euo pipefail; source tools/environment.sh; python={python}; ensure_cv2'
    return subprocess.run(['bash', '-c', code], cwd=ROOT, capture_output=True, text=True)


def test_headless_opencv_of_the_same_version_takes_over(tmp_path):
    python = tmp_path / 'python'
    python.write_text(PYTHON)
    python.chmod(0o755)
    first = _ensure_cv2(python)
    assert first.returncode == 0, first.stderr
    assert 'libGL.so.1' in first.stdout and 'opencv-python-headless 4.9.0.80 in its place' in first.stdout
    second = _ensure_cv2(python)
    assert second.returncode == 0 and not second.stdout


def test_another_failure_of_opencv_is_shown(tmp_path):
    python = tmp_path / 'python'
    python.write_text('#!/usr/bin/env bash\necho "SystemError: broken" >&2\nexit 1\n')
    python.chmod(0o755)
    done = _ensure_cv2(python)
    assert done.returncode == 1
    assert done.stderr == 'error: OpenCV cannot be imported: SystemError: broken\n'


@pytest.mark.parametrize('shell', ['sh', 'bash'])
def test_which_python_the_scripts_take(tmp_path, shell):
    for name in ('.venv', 'other'):
        (tmp_path / name / 'bin').mkdir(parents=True)
        (tmp_path / name / 'bin' / 'python').touch(mode=0o755)

    def chosen(**variables: str) -> str:
        code = f'set -eu; root={tmp_path}; . tools/choose_python.sh; echo "$PYTHON"'
        path = {'PATH': os.environ['PATH']}
        return subprocess.run(
            [shell, '-c', code], cwd=ROOT, env=path | variables, capture_output=True, text=True, check=True
        ).stdout.strip()

    assert chosen() == f'{tmp_path}/.venv/bin/python'
    assert chosen(VENV='other') == chosen(VENV=f'{tmp_path}/other') == f'{tmp_path}/other/bin/python'
    assert chosen(PYTHON='python3.12') == 'python3.12'
    assert chosen(VIRTUAL_ENV='/anywhere') == chosen(CONDA_PREFIX='/anywhere') == chosen(VENV='none') == 'python3'
