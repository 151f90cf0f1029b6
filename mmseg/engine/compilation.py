"""Networks compiled by ``torch.compile``: fewer and larger kernels, the same result to rounding."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from mmengine.logging import print_log
from torch import nn

PARTS = ('backbone', 'decode_head', 'auxiliary_head')
RECOMPILATIONS = 64  # student, teachers and frozen encoder share code, and each is one entry per shape and mode
TRIALS = 3  # a CUDA graph compiles and warms up in the first step, is recorded in the second, replayed in the third
CUDA_GRAPHS = {'mode': 'reduce-overhead'}


class CompiledNetworks:
    """The backbones and heads of a method, compiled in place: names in checkpoints stay what they are.

    Compilation happens in the first step. Shapes are taken as fixed; what moves within them (HRDA's crop) is tensors
    and lies outside of the compiled parts.

    With ``CUDA_GRAPHS`` as options, a pass of a part is one launch on a GPU. What the parts return then lies in memory
    that the next step overwrites, so nothing of it may outlive its step.

    Args:
        method: with its networks.
        options: for ``torch.compile``.

    Attributes:
        names: of the parts.
        trials: steps that must still run through before what they move need not be put back after a failure.

    Raises:
        ValueError: PyTorch does not know an option.
    """

    def __init__(self, method: nn.Module, options: Mapping[str, Any] | None = None) -> None:
        _configure()
        parts = dict(_parts(method))
        self.names = list(parts)
        self.trials = TRIALS
        self._modules = list(parts.values())
        for module in self._modules:
            try:
                module.compile(**{'dynamic': False, **(options or {})})
            except (RuntimeError, TypeError) as error:
                raise ValueError(f'config key compile={dict(options or {})}: {error}') from None

    @staticmethod
    def begin_step() -> None:
        """From here on CUDA graphs may overwrite what the step before kept: gradients, scores, features."""
        torch.compiler.cudagraph_mark_step_begin()

    def give_up(self, error: Exception) -> None:
        """Run the networks as they are from now on, and say so."""
        for module in self._modules:
            module._compiled_call_impl = None
        lines = str(error).strip().splitlines()
        reason = f'{type(error).__name__}: {lines[0]}' if lines else type(error).__name__
        print_log(f'The networks could not be compiled and run uncompiled ({reason})', 'current', logging.WARNING)


def compile_method(method: Any, options: Mapping[str, Any] | bool) -> None:
    """Compile a method's networks as the top-level ``compile`` of a config says: True, or options.

    Raises:
        ValueError: it says something else, or asks for CUDA graphs where there is no GPU.
    """
    if not isinstance(options, (bool, Mapping)):
        raise ValueError(f'config key compile={options!r}: expected True, False or dict(mode=...) for torch.compile')
    if options == CUDA_GRAPHS and not torch.cuda.is_available():
        raise ValueError(f'config key compile={dict(CUDA_GRAPHS)}: CUDA graphs need a GPU; compile=True does not')
    compiled = CompiledNetworks(method, options if isinstance(options, Mapping) else None)
    method.compiled = compiled
    print_log(f'Compiling in the first iteration: {", ".join(compiled.names)}', 'current', logging.INFO)


def uncompiled() -> AbstractContextManager:
    """A context in which compiled networks run as they are: validation has other shapes than training."""
    return torch.compiler.set_stance('force_eager')


def _parts(method: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, module in method.named_modules():
        if name.rpartition('.')[2] not in PARTS:
            continue
        # HRDA's head is called by its parts too; a cascade's heads and several auxiliary ones are a list.
        inner = ('head', 'scale_attention') if hasattr(module, 'scale_attention') else ()
        children = module.named_children() if isinstance(module, nn.ModuleList) else _named(module, inner)
        found = [(f'{name}.{key}', child) for key, child in children]
        yield from found or [(name, module)]


def _named(module: nn.Module, names: tuple[str, ...]) -> Iterator[tuple[str, nn.Module]]:
    return ((name, child) for name, child in module.named_children() if name in names)


def _configure() -> None:
    import torch._dynamo
    import torch._inductor.config

    limit = 'recompile_limit' if hasattr(torch._dynamo.config, 'recompile_limit') else 'cache_size_limit'
    setattr(torch._dynamo.config, limit, max(RECOMPILATIONS, getattr(torch._dynamo.config, limit)))
    # Dropout and drop path draw what they draw uncompiled.
    torch._inductor.config.fallback_random = True
