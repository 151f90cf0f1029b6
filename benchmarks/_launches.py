"""How many operations a step starts on its device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

NOTHING_TO_COMPUTE = ('empty', 'new_empty', '_unsafe_view', 'detach', 'alias', 'set_', 'resize_')


def count_launches(work: Callable[[], Any]) -> int:
    """Operations of ``work`` that compute something: neither views nor fresh memory.

    An operation is one kernel or a few, on a list of tensors too; fused ones (compiled networks, replayed graphs) are
    not seen.
    """
    with _Counter() as counter:
        work()
    return counter.operations


class _Counter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.name().removeprefix('aten::').partition('.')[0]
        self.operations += not (func.is_view or name in NOTHING_TO_COMPUTE or name.startswith('empty_'))
        return func(*args, **(kwargs or {}))
