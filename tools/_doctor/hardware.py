"""GPUs, processor, shared memory and disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools._doctor.findings import MISSING, OK, WARN, Finding

GROUP = 'machine'
GIGABYTE = 1024**3
LEAST_SHARED = 2 * GIGABYTE
LEAST_DISK = 10 * GIGABYTE


@dataclass(frozen=True)
class Graphics:
    """What PyTorch and the driver say.

    Attributes:
        build: CUDA version that PyTorch was built with; None for a CPU build.
        available: whether PyTorch can use a GPU.
        devices: name, memory in bytes and compute capability of each GPU that PyTorch sees.
        architectures: ``sm_90`` and the like, that the build has kernels for.
        driver: version of the driver; None if nvidia-smi is not there or fails.
        cards: names of the GPUs that the driver sees.
        problem: why PyTorch cannot use them, in its words.
    """

    build: str | None = None
    available: bool = False
    devices: Sequence[tuple[str, int, tuple[int, int]]] = ()
    architectures: Sequence[str] = ()
    driver: str | None = None
    cards: Sequence[str] = field(default_factory=tuple)
    problem: str = ''


def read_graphics() -> Graphics:
    """Ask PyTorch and nvidia-smi."""
    import warnings

    import torch

    driver, cards = _nvidia_smi()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        available = torch.cuda.is_available()
    devices = []
    for index in range(torch.cuda.device_count() if available else 0):
        properties = torch.cuda.get_device_properties(index)
        devices.append((properties.name, properties.total_memory, (properties.major, properties.minor)))
    return Graphics(
        build=torch.version.cuda,
        available=available,
        devices=devices,
        architectures=torch.cuda.get_arch_list() if available else (),
        driver=driver,
        cards=cards,
        problem=str(caught[0].message).split('\n')[0].split('. ')[0] if caught else '',
    )


def _nvidia_smi() -> tuple[str | None, list[str]]:
    program = shutil.which('nvidia-smi')
    if program is None:
        return None, []
    command = [program, '--query-gpu=driver_version,name', '--format=csv,noheader']
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None, []
    rows = [line.split(', ', 1) for line in done.stdout.splitlines() if ', ' in line]
    return (rows[0][0], [row[1] for row in rows]) if rows else (None, [])


def check_graphics(graphics: Graphics | None = None) -> list[Finding]:
    """Whether PyTorch and the driver go together; each GPU."""
    found = read_graphics() if graphics is None else graphics
    if not found.available:
        return [_no_graphics(found)]
    findings = []
    for index, (name, memory, capability) in enumerate(found.devices):
        what, version = f'GPU {index}', '.'.join(map(str, capability))
        detail = f'{name}, {memory / GIGABYTE:.0f} GB, compute capability {version}, CUDA {found.build}'
        detail += f', driver {found.driver}' if found.driver else ''
        if found.architectures and not _has_kernels(capability, found.architectures):
            detail += f'; this PyTorch has kernels for {" ".join(found.architectures)} only'
            run = 'install a PyTorch build for this GPU: pytorch.org/get-started'
            findings.append(Finding(GROUP, MISSING, what, detail, run))
        else:
            findings.append(Finding(GROUP, OK, what, detail))
    return findings


def _no_graphics(found: Graphics) -> Finding:
    cards = ', '.join(found.cards)
    if found.cards and found.build is None:
        run = 'pip uninstall -y torch torchvision; pip install torch torchvision'
        return Finding(GROUP, WARN, 'GPU', f'{cards} is not used: PyTorch is a build for the CPU', run)
    if found.cards:
        reason = found.problem or f'driver {found.driver} may be too old for CUDA {found.build}'
        run = 'update the NVIDIA driver, or install PyTorch for an older CUDA: pytorch.org/get-started'
        return Finding(GROUP, WARN, 'GPU', f'{cards} is not used: {reason}', run)
    build = f'PyTorch is built for CUDA {found.build}' if found.build else 'PyTorch is a build for the CPU'
    return Finding(GROUP, WARN, 'GPU', f'none; training runs on the CPU ({build})')


def _has_kernels(capability: tuple[int, int], architectures: Sequence[str]) -> bool:
    """Kernels run on later minor versions; code for ``compute_`` is translated for later GPUs."""
    major, minor = capability
    for name in architectures:
        kind, _, number = name.partition('_')
        digits = ''.join(character for character in number if character.isdigit())
        if len(digits) < 2:
            return True
        theirs = int(digits[:-1]), int(digits[-1])
        if (theirs[0] == major and theirs[1] <= minor) or (kind == 'compute' and theirs <= (major, minor)):
            return True
    return False


def check_processor(workers: int = 0, cores: int | None = None) -> list[Finding]:
    """Usable cores against the loader workers that the configs start."""
    if cores is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    threads = os.environ.get('OMP_NUM_THREADS')
    detail = f'{cores} cores' + (f', OMP_NUM_THREADS={threads}' if threads else '')
    if workers > cores:
        run = f'add --cfg-options train_dataloader.num_workers={max(cores - 1, 1)} when training'
        return [Finding(GROUP, WARN, 'CPU', f'{detail}; the configs start {workers} loader workers', run)]
    return [Finding(GROUP, OK, 'CPU', detail)]


def check_shared_memory(workers: int = 0, folder: str = '/dev/shm') -> list[Finding]:
    """Loader workers hand their batches over in shared memory; containers give little of it."""
    if not os.path.isdir(folder):
        return []
    free = shutil.disk_usage(folder).free
    detail = f'{_size(free)} free in {folder}'
    if free < LEAST_SHARED:
        run = 'docker run --shm-size=8g ..., or add --cfg-options train_dataloader.num_workers=0'
        return [Finding(GROUP, WARN, 'shared memory', f'{detail}; loader workers need more', run)]
    return [Finding(GROUP, OK, 'shared memory', detail)]


def check_work_dirs(folder: Path, free: int | None = None) -> list[Finding]:
    """Runs can be written, and there is room for checkpoints."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if there != folder and folder.is_symlink():
        return [Finding(GROUP, MISSING, str(folder), 'is a broken link', f'rm {folder}; mkdir {folder}')]
    if not there.is_dir():
        return [Finding(GROUP, MISSING, str(folder), f'{there} is a file', f'mv {there} {there}.old')]
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        run = f'sudo chown -R "$USER" {there}, or train with --work-dir ELSEWHERE'
        return [Finding(GROUP, MISSING, str(folder), f'cannot be written: {error.strerror}', run)]
    if free is None:
        free = shutil.disk_usage(there).free
    detail = f'writable, {_size(free)} free'
    if free < LEAST_DISK:
        run = f'du -sh {folder}/* shows what to delete; or train with --work-dir ELSEWHERE'
        return [Finding(GROUP, WARN, str(folder), f'{detail}; a run with its checkpoints takes some', run)]
    return [Finding(GROUP, OK, str(folder), detail)]


def _size(count: int) -> str:
    return f'{count / GIGABYTE:.1f} GB'
