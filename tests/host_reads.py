"""Finds on a CPU what would make the host wait for a GPU: values of device tensors that Python or a shape depends on.

Which tensors would be on the device is followed through the operations: the batch, parameters and buffers are, and so
is whatever is computed from one of them. Tensors that were drawn on the host may be read there.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WAITING = {
    '_local_scalar_dense', 'nonzero', 'masked_select', '_unique2', 'unique_dim', 'unique_consecutive', 'equal',
    'is_nonzero', 'bincount', 'histc', '_linalg_check_errors',
}  # fmt: skip
READING = {'cpu', 'tolist', 'numpy', '__array__'}


def tensors_in(*values: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]


def place() -> str:
    """The innermost line of this project on the stack."""
    frames = [frame for frame in traceback.extract_stack() if '/mmseg/' in frame.filename]
    return f'{frames[-1].filename.rpartition("/mmseg/")[2]}:{frames[-1].name}' if frames else 'backward'


class HostReads:
    """A context; afterwards ``found`` lists operation and place of all reads and waiting copies.

    Args:
        device_tensors: what would be on the device at the start.
    """

    def __init__(self, device_tensors: Iterable[Tensor]) -> None:
        self.found: list[str] = []
        self._storages: dict[int, Any] = {}
        self.mark(device_tensors)
        self._modes = (_Functions(self), _Operations(self))

    def mark(self, tensors: Iterable[Tensor]) -> None:
        """These are on the device; kept, so that no address is used twice."""
        for tensor in tensors:
            storage = tensor.untyped_storage()
            self._storages[storage._cdata] = storage

    def on_device(self, tensor: Tensor) -> bool:
        return tensor.untyped_storage()._cdata in self._storages

    def report(self, name: str) -> None:
        self.found.append(f'{name} in {place()}')

    def __enter__(self) -> HostReads:
        for mode in self._modes:
            mode.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        for mode in reversed(self._modes):
            mode.__exit__(*error)


class _Operations(TorchDispatchMode):
    def __init__(self, reads: HostReads) -> None:
        super().__init__()
        self.reads = reads

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        inputs = tensors_in(args, kwargs)
        on_device = any(self.reads.on_device(tensor) for tensor in inputs)
        if on_device and self.waits(func, args, kwargs):
            self.reads.report(func.overloadpacket.__name__)
        result = func(*args, **kwargs)
        if on_device:
            self.reads.mark(tensors_in(result))
        return result

    def waits(self, func: Any, args: Any, kwargs: Any) -> bool:
        name = func.overloadpacket.__name__
        if name in ('index', 'index_put', 'index_put_', '_index_put_impl_'):
            masks = any(index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1])
            # One value where a mask is True is a masked_fill.
            return masks and (name == 'index' or args[2].numel() > 1)
        if name == 'repeat_interleave':
            return kwargs.get('output_size') is None and isinstance(args[0], Tensor)
        return name in WAITING


class _Functions(TorchFunctionMode):
    def __init__(self, reads: HostReads) -> None:
        super().__init__()
        self.reads = reads

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, '__name__', '')
        if name in READING and self.reads.on_device(args[0]):
            self.reads.report(name)
        elif name == 'to' and self.copies(args, kwargs):
            self.reads.report('copy to the device that waits')
        elif func in (torch.tensor, torch.as_tensor) and kwargs.get('device') is not None:
            self.reads.report('copy of Python numbers to the device')
        return func(*args, **kwargs)

    def copies(self, args: Any, kwargs: Any) -> bool:
        device = any(isinstance(value, torch.device | Tensor) for value in (*args[1:], kwargs.get('device')))
        return device and not kwargs.get('non_blocking') and not self.reads.on_device(args[0])
