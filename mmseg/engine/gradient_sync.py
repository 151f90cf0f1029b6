"""What several processes tell each other: gradients, buffers, batch-wide sums.

There is no DistributedDataParallel wrapper: a method has several networks and several backwards per step, so the
gradients are averaged once, after the last backward. Without a process group every function here is the identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


def is_distributed() -> bool:
    """Whether a process group has been started."""
    return dist.is_available() and dist.is_initialized()


def world_size() -> int:
    """Number of processes."""
    return dist.get_world_size() if is_distributed() else 1


def rank() -> int:
    """Number of this process, 0-based."""
    return dist.get_rank() if is_distributed() else 0


def reduce_sum(tensor: Tensor) -> Tensor:
    """Sum of ``tensor`` over all processes, detached; the tensor itself in a single process."""
    return _reduced(tensor, dist.ReduceOp.SUM)


def reduce_mean(tensor: Tensor) -> Tensor:
    """Mean of ``tensor`` over all processes, detached; the tensor itself in a single process."""
    return reduce_sum(tensor) / world_size() if world_size() > 1 else tensor


def reduce_max(tensor: Tensor) -> Tensor:
    """Element-wise maximum over all processes, detached; the tensor itself in a single process."""
    return _reduced(tensor, dist.ReduceOp.MAX)


def gather_rows(tensor: Tensor) -> Tensor:
    """The rows of all processes, in the order of their ranks, detached; the tensor itself in a single process.

    Every process has the same number of rows.
    """
    if world_size() == 1:
        return tensor
    parts = [torch.empty_like(tensor) for _ in range(world_size())]
    dist.all_gather(parts, tensor.detach().contiguous())
    return torch.cat(parts)


def gather_objects(values: list[Any]) -> list[Any]:
    """The lists of all processes, one after the other."""
    if world_size() == 1:
        return values
    gathered: list[Any] = [None] * world_size()
    dist.all_gather_object(gathered, values, group=_cpu_group())
    return [value for each in gathered for value in each]


def mean_of_values(values: Mapping[str, float]) -> dict[str, float]:
    """Mean over all processes of numbers by name; a name counts only where it is present."""
    if world_size() == 1:
        return dict(values)
    gathered: list[Any] = [None] * world_size()
    dist.all_gather_object(gathered, dict(values), group=_cpu_group())
    names = dict.fromkeys(name for each in gathered for name in each)
    found = {name: [each[name] for each in gathered if name in each] for name in names}
    return {name: sum(numbers) / len(numbers) for name, numbers in found.items()}


def average_gradients(modules: nn.Module | Iterable[nn.Module]) -> None:
    """Replaces every gradient by its mean over all processes.

    One all-reduce per data type over a flat copy. A gradient that is missing here but present in another process counts
    as zero; one that is missing everywhere stays missing, so that optimizers skip the parameter as a single process
    would.

    Args:
        modules: the trained networks; a parameter in several of them is averaged once.
    """
    if world_size() == 1:
        return
    parameters = _trainable(modules)
    if not parameters:
        return
    present = torch.tensor([parameter.grad is not None for parameter in parameters], dtype=torch.uint8)
    # Through the CPU: reading a GPU tensor here would wait for the whole backward.
    dist.all_reduce(present, dist.ReduceOp.MAX, group=_cpu_group())
    used = [parameter for parameter, flag in zip(parameters, present.tolist(), strict=True) if flag]
    for parameter in used:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    count = world_size()

    def average(flat: Tensor) -> None:
        dist.all_reduce(flat)
        flat.div_(count)

    _flat_exchange([parameter.grad for parameter in used if parameter.grad is not None], average)


def broadcast_parameters(module: nn.Module) -> None:
    """Copies parameters and buffers of process 0 to all others."""
    if world_size() > 1:
        _flat_exchange([tensor.data for tensor in (*module.parameters(), *module.buffers())], _from_first)


def broadcast_buffers(module: nn.Module) -> None:
    """Copies buffers (batch-norm statistics, prototypes) of process 0 to all others.

    What modules with the attribute ``per_process = True`` hold themselves stays: each process goes on with its own.
    """
    if world_size() > 1:
        common = [part for part in module.modules() if not getattr(part, 'per_process', False)]
        _flat_exchange([buffer for part in common for buffer in part.buffers(recurse=False)], _from_first)


def _reduced(tensor: Tensor, operation: dist.ReduceOp.RedOpType) -> Tensor:
    if world_size() == 1:
        return tensor
    total = tensor.detach().clone()
    dist.all_reduce(total, operation)
    return total


def _from_first(flat: Tensor) -> None:
    dist.broadcast(flat, src=0)


def _trainable(modules: nn.Module | Iterable[nn.Module]) -> list[nn.Parameter]:
    modules = [modules] if isinstance(modules, nn.Module) else modules
    unique = {id(parameter): parameter for module in modules for parameter in module.parameters()}
    return [parameter for parameter in unique.values() if parameter.requires_grad]


def _flat_exchange(tensors: list[Tensor], exchange: Callable[[Tensor], None]) -> None:
    """Runs ``exchange`` in place on one flat copy per data type and device, then copies the values back."""
    kinds: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
    for tensor in tensors:
        kinds.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    with torch.no_grad():
        for group in kinds.values():
            flat = torch.cat([tensor.reshape(-1) for tensor in group])
            exchange(flat)
            parts = flat.split([tensor.numel() for tensor in group])
            for tensor, part in zip(group, parts, strict=True):
                tensor.copy_(part.view_as(tensor))


def _cpu_group() -> dist.ProcessGroup | None:
    """A group that exchanges CPU tensors; None is the default group."""
    return None if dist.get_backend() == 'gloo' else _gloo_beside(id(dist.group.WORLD))


@lru_cache(maxsize=1)
def _gloo_beside(_default_group: int) -> Any:
    return dist.new_group(backend='gloo')
