"""Starting the process group of a run launched by torchrun."""

from __future__ import annotations

import atexit
import os

import torch
import torch.distributed as dist

from mmseg.engine.gradient_sync import is_distributed


def start_process_group(device: str | None = None) -> bool:
    """Joins the group that torchrun's environment describes: nccl on GPUs, one for each process, and gloo on CPUs.

    To be called before mmengine's launcher code, which sets a CUDA device even for gloo.

    Args:
        device: where the run computes, if it was told; None = on GPUs if there are any.

    Returns:
        Whether the run is distributed.

    Raises:
        ValueError: there are GPUs, but fewer than processes.
    """
    if is_distributed():
        return True
    if 'RANK' not in os.environ or 'WORLD_SIZE' not in os.environ:
        return False
    # As torchrun does for OMP; unset, mmengine sets it with a warning.
    os.environ.setdefault('MKL_NUM_THREADS', os.environ.setdefault('OMP_NUM_THREADS', '1'))
    local_rank = int(os.environ.get('LOCAL_RANK', 0))
    local_count = int(os.environ.get('LOCAL_WORLD_SIZE', os.environ['WORLD_SIZE']))
    _check_gpus(local_count)
    if torch.cuda.is_available() and device != 'cpu':
        torch.cuda.set_device(local_rank)
        dist.init_process_group('nccl', device_id=torch.device('cuda', local_rank))
    else:
        dist.init_process_group('gloo')
    # Threads of gloo that are still there when the interpreter is gone abort the process.
    atexit.register(_leave_process_group)
    return True


def _check_gpus(processes: int) -> None:
    # Also where the CPU computes: mmengine's logger asks for the process's GPU.
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if 0 < gpus < processes:
        raise ValueError(
            f'{processes} processes on a machine with {gpus} {"GPU" if gpus == 1 else "GPUs"}: start no more than one '
            'for each, or put CUDA_VISIBLE_DEVICES= before the command to compute on the CPU'
        )


def _leave_process_group() -> None:
    if is_distributed():
        dist.destroy_process_group()
