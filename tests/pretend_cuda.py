"""A GPU made of CPU memory: programs run as on CUDA, and what CUDA would refuse is an error.

Inside ``pretend_cuda()`` there is one CUDA device. Tensors moved to it say ``cuda:0``, compute on the CPU, and refuse
what real ones refuse: to be mixed with tensors of the host, to be read as NumPy arrays, to be drawn by a generator of
the host. Kernels, number formats and speed are those of the CPU, so this finds wrong places, not wrong kernels.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any
from unittest import mock

import torch
import torch._dynamo  # before anything is replaced: it keeps a table of torch's functions
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

CUDA = torch.device('cuda', 0)
COPIES = {'copy_', '_to_copy', '_copy_from'}
INDEXING = {'index', 'index_put', 'index_put_', '_index_put_impl_'}
"""Operations whose indices may be the host's."""


def is_cuda(device: Any) -> bool:
    """Whether an argument names a CUDA device; a plain number is one."""
    if isinstance(device, int) and not isinstance(device, bool):
        return True
    return device is not None and not isinstance(device, Tensor | torch.dtype) and torch.device(device).type == 'cuda'


class DeviceTensor(Tensor):
    """A tensor of the pretended device; ``host`` holds its values."""

    host: Tensor

    @staticmethod
    def __new__(cls, host: Tensor) -> DeviceTensor:
        return Tensor._make_wrapper_subclass(
            cls,
            host.size(),
            strides=host.stride(),
            storage_offset=host.storage_offset(),
            dtype=host.dtype,
            device='cpu',
        )

    def __init__(self, host: Tensor) -> None:
        self.host = host

    __torch_function__ = torch._C._disabled_torch_function_impl
    device = property(lambda self: CUDA)
    is_cuda = property(lambda self: True)
    is_cpu = property(lambda self: False)

    def __repr__(self) -> str:
        return f'cuda {self.host!r}'

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.detach().host.__reduce_ex__(protocol)

    def __format__(self, spec: str) -> str:
        return format(self.detach().host, spec)

    def numpy(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")

    __array__ = numpy

    def tolist(self) -> Any:
        return self.detach().host.tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        check_places(func, args, kwargs)
        hosts = tree_map(lambda leaf: leaf.host if isinstance(leaf, cls) else leaf, (args, kwargs))
        result = func(*hosts[0], **hosts[1])
        if func.overloadpacket.__name__ == 'copy_' and not isinstance(args[0], cls):
            return args[0]  # a copy to the host
        result = tree_map(lambda leaf: cls(leaf) if isinstance(leaf, Tensor) else leaf, result)
        return return_and_correct_aliasing(func, args, kwargs, result)


def check_places(func: Any, args: Any, kwargs: Any) -> None:
    """Raise what CUDA raises where tensors of both places meet."""
    name = func.overloadpacket.__name__
    if kwargs.get('generator') is not None:
        raise RuntimeError(f"{name}: expected a 'cuda' device type for generator but found 'cpu'")
    if name in COPIES:
        return
    together = args[:1] + args[2:3] if name in INDEXING else tree_leaves((args, kwargs))
    strangers = [leaf for leaf in together if isinstance(leaf, Tensor) and not isinstance(leaf, DeviceTensor)]
    shapes = [tuple(leaf.shape) for leaf in strangers if leaf.dim()]  # single numbers may be the host's
    if shapes:
        raise RuntimeError(f'{name}: expected all tensors on the same device; on the host are those of shape {shapes}')


class _ToDevice(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        return DeviceTensor(tensor.detach().clone())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient.host  # type: ignore[attr-defined]


class _ToHost(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        return tensor.host.clone()  # type: ignore[attr-defined]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return DeviceTensor(gradient)


class _Functions(TorchFunctionMode):
    """Sends what is made on, or moved to, a CUDA device there."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, '__name__', '')
        if name in ('to', 'cuda', 'cpu') and args and isinstance(args[0], Tensor):
            return self.move(name, func, args, kwargs)
        if name == 'one_hot' and isinstance(args[0], DeviceTensor):  # it makes a tensor on the way
            return DeviceTensor(func(args[0].host, *args[1:], **kwargs))
        kwargs.pop('pin_memory', None)
        if is_cuda(kwargs.get('device')):
            if kwargs.get('generator') is not None:
                raise RuntimeError(f"{name}: expected a 'cuda' device type for generator but found 'cpu'")
            if any(isinstance(leaf, DeviceTensor) for leaf in args):  # zeros_like, new_zeros
                return func(*args, **(kwargs | {'device': 'cpu'}))
            made = func(*args, **(kwargs | {'device': 'cpu'}))
            learns = made.requires_grad
            return DeviceTensor(made.detach()).requires_grad_(learns)
        return func(*args, **kwargs)

    def move(self, name: str, func: Any, args: Any, kwargs: Any) -> Tensor:
        tensor, rest = args[0], list(args[1:])
        kwargs.pop('non_blocking', None)
        device = None
        if name == 'to':
            device = kwargs.pop('device', None)
            if rest and isinstance(rest[0], str | torch.device | int):
                device = rest.pop(0)
            elif rest and isinstance(rest[0], Tensor):
                device = rest[0].device
                rest[0] = rest[0].dtype
            # to(device, dtype, non_blocking, copy)
            rest = [value for value in rest if value is not None and not isinstance(value, bool)]
        else:
            device, rest = ('cuda' if name == 'cuda' else 'cpu'), []
        if device is not None and is_cuda(device) != isinstance(tensor, DeviceTensor):
            tensor = (_ToDevice if is_cuda(device) else _ToHost).apply(tensor)
        return tensor.to(*rest, **kwargs) if rest or kwargs else tensor


class _Event:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def record(self, *args: Any) -> None:
        pass

    def synchronize(self) -> None:
        pass

    def elapsed_time(self, other: Any) -> float:
        return 1.0


class _Autocast(torch.autocast):
    """The CPU's autocast where CUDA's is asked for: there is no other for tensors of the host."""

    def __init__(self, device_type: str, *args: Any, **kwargs: Any) -> None:
        super().__init__('cpu' if device_type == 'cuda' else device_type, *args, **kwargs)


def _enter_without_gradients(self: Any) -> None:
    self.inner = torch.no_grad() if self.mode else contextlib.nullcontext()
    self.inner.__enter__()


@contextlib.contextmanager
def pretend_cuda() -> Iterator[None]:
    """There is one CUDA device inside; see the module."""
    nothing = lambda *args, **kwargs: None  # noqa: E731
    memory = itertools.count(1 << 20, 1 << 20)
    pretended = {
        'is_available': lambda: True,
        'device_count': lambda: 1,
        'current_device': lambda: 0,
        'get_device_name': lambda *args: 'Pretended GPU',
        'is_bf16_supported': lambda *args, **kwargs: True,
        'max_memory_allocated': lambda *args: next(memory),
        'memory_allocated': lambda *args: next(memory),
        'is_current_stream_capturing': lambda: False,
        'Event': _Event,
    }
    pretended |= dict.fromkeys(('synchronize', 'reset_peak_memory_stats', 'empty_cache', 'set_device'), nothing)
    pretended |= dict.fromkeys(('manual_seed', 'manual_seed_all', 'set_sync_debug_mode'), nothing)
    with contextlib.ExitStack() as stack:
        for name, value in pretended.items():
            stack.enter_context(mock.patch.object(torch.cuda, name, value))
        stack.enter_context(mock.patch.object(torch, 'autocast', _Autocast))
        stream = mock.Mock(is_capturing=lambda: False)
        accelerator = {'current_stream': lambda *args: stream, 'current_device_index': lambda: 0}
        for name, value in {**accelerator, 'set_device_index': nothing}.items():
            # Their names differ between versions of torch.
            stack.enter_context(mock.patch.object(torch.accelerator, name, value, create=True))
        stack.enter_context(mock.patch.object(Tensor, 'pin_memory', lambda self, *args: self))  # also in threads
        # Inference tensors cannot be wrapped.
        inference = torch.inference_mode
        stack.enter_context(mock.patch.object(inference, '__enter__', _enter_without_gradients))
        stack.enter_context(mock.patch.object(inference, '__exit__', lambda self, *error: self.inner.__exit__(*error)))
        before = torch.__future__.get_swap_module_params_on_conversion()
        stack.callback(torch.__future__.set_swap_module_params_on_conversion, before)
        torch.__future__.set_swap_module_params_on_conversion(True)
        stack.enter_context(_Functions())
        yield
