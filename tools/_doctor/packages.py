"""Python and the packages."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from tools._doctor.findings import MISSING, OK, WARN, Finding, first_line

GROUP = 'environment'
PYTHON = (3, 10)
NAMESAKES = ('mmsegmentation', 'onedl-mmsegmentation')
OPENCV = ('opencv-python', 'opencv-python-headless', 'opencv-contrib-python', 'opencv-contrib-python-headless')
IMPORT_NAMES = {'onedl-mmengine': 'mmengine', 'onedl-mmcv': 'mmcv', 'opencv-python': 'cv2', 'pillow': 'PIL'}
IMPORTED_BY_OTHERS = ('numpy', 'torch', 'opencv-python', 'pillow', 'rich', 'tqdm', 'matplotlib')
REQUIREMENT = re.compile(r'([\w.-]+)\s*(?:>=\s*([\d.]+))?')
INSTALL = 'pip install -e .'


def check_python(version: tuple[int, ...] = tuple(sys.version_info[:3]), prefix: str = sys.prefix) -> list[Finding]:
    """The interpreter's version, and where it lives."""
    text = '.'.join(map(str, version))
    if version < PYTHON:
        needed = '.'.join(map(str, PYTHON))
        return [Finding(GROUP, MISSING, 'Python', f'{text}; {needed} or newer is needed', 'python3.12 -m venv .venv')]
    return [Finding(GROUP, OK, 'Python', f'{text} in {shown(Path(prefix))}')]


def check_namesakes(installed: dict[str, str] | None = None) -> list[Finding]:
    """Other distributions that own the import name ``mmseg``."""
    versions = _versions() if installed is None else installed
    return [
        Finding(GROUP, MISSING, name, f'{versions[name]} owns the import name mmseg too', f'pip uninstall -y {name}')
        for name in NAMESAKES
        if name in versions
    ]


def check_requirements(lines: Iterable[str], installed: dict[str, str] | None = None) -> list[Finding]:
    """Every package of ``requirements.txt``: there, new enough, importable.

    Args:
        lines: ``name>=version``.
        installed: versions by normalised name; None = those of this Python.
    """
    versions = _versions() if installed is None else installed
    wanted = [found.groups(default='0') for line in lines if (found := REQUIREMENT.match(line.strip()))]
    problems = {name.lower(): import_problem(IMPORT_NAMES.get(name.lower(), name.lower())) for name, _ in wanted}
    # A package that others import spoils them with the same message: only the first of these is to blame.
    culprits: dict[str, str] = {}
    for name in sorted(problems, key=lambda name: (name not in IMPORTED_BY_OTHERS, name)):
        if problems[name] is not None:
            culprits.setdefault(str(problems[name]), name)
    return [_requirement(name.lower(), least, versions, problems[name.lower()], culprits) for name, least in wanted]


def _requirement(
    name: str, least: str, versions: dict[str, str], problem: str | None, culprits: dict[str, str]
) -> Finding:
    # Any of OpenCV's builds gives the module, and mmengine's and mmcv's originals theirs.
    stand_ins = OPENCV if name in OPENCV else (name, name.removeprefix('onedl-'))
    there = next((stand_in for stand_in in stand_ins if stand_in in versions), None)
    install = f'pip install "{name}>={least}"'
    if there is None:
        return Finding(GROUP, MISSING, name, 'is not installed', install)
    version = versions[there]
    if _numbers(version) < _numbers(least):
        return Finding(GROUP, MISSING, there, f'{version} is too old; {least} or newer is needed', install)
    if problem is None:
        return Finding(GROUP, OK, there, version)
    if culprits[problem] != name:
        return Finding(GROUP, MISSING, there, f'{version} cannot be imported because of {culprits[problem]}')
    if IMPORT_NAMES.get(name) == 'cv2':
        return _broken_opencv(there, version, problem)
    run = f'pip install --force-reinstall {there}'
    return Finding(GROUP, MISSING, there, f'{version} cannot be imported: {problem}', run)


def _broken_opencv(name: str, version: str, problem: str) -> Finding:
    if re.search(r'lib(GL|gthread|X|xcb|EGL)\S*\.so', problem) and 'headless' not in name:
        run = f'pip uninstall -y {name}; pip install {name}-headless=={version}'
        return Finding(
            GROUP, MISSING, name, f'{version} needs a library for windows that this system lacks ({problem})', run
        )
    return Finding(
        GROUP, MISSING, name, f'{version} cannot be imported: {problem}', f'pip install --force-reinstall {name}'
    )


def check_opencv(installed: dict[str, str] | None = None) -> list[Finding]:
    """Several builds of OpenCV overwrite each other's files."""
    versions = _versions() if installed is None else installed
    builds = [name for name in OPENCV if name in versions]
    if len(builds) < 2:
        return []
    run = f'pip uninstall -y {" ".join(builds)}; pip install opencv-python-headless'
    return [Finding(GROUP, WARN, 'OpenCV', f'{len(builds)} builds share one folder: {", ".join(builds)}', run)]


def check_package(root: Path) -> list[Finding]:
    """``import mmseg`` gives this repository's package."""
    try:
        module: ModuleType = importlib.import_module('mmseg')
    except ImportError as error:
        if 'pip uninstall' in str(error):  # what check_namesakes says
            return []
        return [Finding(GROUP, MISSING, 'mmseg', first_line(error), INSTALL)]
    file = getattr(module, '__file__', None)
    if file is None or Path(file).resolve().parents[1] != root:
        return [
            Finding(GROUP, MISSING, 'mmseg', f'import gives {file}, not {root / "mmseg"}', 'pip uninstall -y mmseg')
        ]
    return [Finding(GROUP, OK, 'mmseg', f'{module.__version__} in {shown(Path(file).parent)}')]


def import_problem(module: str) -> str | None:
    """Why a module cannot be imported, in one line; None if it can."""
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001  (an import runs foreign code, and broken builds raise anything)
        return first_line(error)
    return None


def shown(path: Path) -> str:
    """A path as one would type it here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _versions() -> dict[str, str]:
    pairs = ((item.metadata['Name'], item.version) for item in importlib.metadata.distributions())
    return {re.sub(r'[-_.]+', '-', name).lower(): version for name, version in pairs if name}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r'\d+', version.split('+')[0])[:3])
