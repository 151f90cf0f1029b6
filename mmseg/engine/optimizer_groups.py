"""Which parameter learns how fast: few optimizer groups from ``paramwise_cfg``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import OPTIMIZERS
from torch import nn
from torch.optim import Optimizer

from mmseg.engine.errors import wrong_argument_of

# One kernel for all of a network's parameters, on GPUs and CPUs: on a CPU AdamW takes a fifth of the time.
FUSED = (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW)

Named = Iterable[tuple[str, nn.Parameter]]


def parameter_settings(
    parameters: Named, lr: float, weight_decay: float, custom_keys: Mapping[str, Mapping[str, float]]
) -> Iterator[tuple[str, nn.Parameter, float, float]]:
    """Name, parameter, learning rate and weight decay of every trainable parameter.

    A custom key fits if it is a substring of the parameter's full name. Longer keys go first, equally long ones in
    alphabetical order, and the first that fits decides: with ``head`` and ``norm`` the norms of a decode head keep
    their weight decay, as in the published runs.
    """
    keys = sorted(sorted(custom_keys), key=len, reverse=True)
    for name, parameter in parameters:
        if parameter.requires_grad:
            rule = next((custom_keys[key] for key in keys if key in name), {})
            yield name, parameter, lr * rule.get('lr_mult', 1.0), weight_decay * rule.get('decay_mult', 1.0)


def parameter_groups(
    parameters: Named,
    lr: float,
    weight_decay: float = 0.0,
    custom_keys: Mapping[str, Mapping[str, float]] | None = None,
) -> list[dict[str, Any]]:
    """Optimizer groups merged by (learning rate, weight decay), in order of first appearance.

    The published code has one group per parameter, which rules out batched optimizer kernels; the updates are the same.

    Raises:
        ValueError: if a rule has keys other than ``lr_mult`` and ``decay_mult``.
    """
    custom_keys = custom_keys or {}
    for key, rule in custom_keys.items():
        if unknown := set(rule) - {'lr_mult', 'decay_mult'}:
            raise ValueError(f'paramwise_cfg.custom_keys[{key!r}]: unknown {sorted(unknown)}; use lr_mult, decay_mult')
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for _, parameter, rate, decay in parameter_settings(parameters, lr, weight_decay, custom_keys):
        groups.setdefault((rate, decay), []).append(parameter)
    return [{'params': params, 'lr': rate, 'weight_decay': decay} for (rate, decay), params in groups.items()]


def optimizer_modules(method: nn.Module) -> dict[str, dict[str, nn.Module]]:
    """What each optimizer trains: ``{optimizer name: {name prefix: module}}``.

    A method with several networks says so in ``optimizer_modules()``; otherwise ``main`` trains the student. Teachers
    and frozen copies are in no optimizer.
    """
    own = getattr(method, 'optimizer_modules', None)
    if callable(own):
        return own()
    return {'main': {'model': method.get_submodule('model')}}


def build_optim_wrapper(method: nn.Module, cfg: Mapping[str, Any]) -> OptimWrapper | OptimWrapperDict:
    """The optimizers of a run.

    Args:
        method: the UDA method.
        cfg: ``dict(optimizer=dict(type=…, lr=…), paramwise_cfg=dict(custom_keys=…), clip_grad=…)``, or several of these
            by optimizer name (``main=…, discriminator=…``).

    Raises:
        ValueError: if the names do not fit the method, a key is unknown, or nothing is trainable.
    """
    modules = optimizer_modules(method)
    several = 'optimizer' not in cfg
    settings = dict(cfg) if several else {'main': cfg}
    settings.pop('constructor', None)
    if set(settings) != set(modules):
        raise ValueError(
            f'optim_wrapper names the optimizers {sorted(settings)}, but {type(method).__name__} trains with '
            f'{sorted(modules)}: optim_wrapper=dict({", ".join(f"{name}=dict(optimizer=...)" for name in modules)})'
        )
    wrappers = {name: _build_one(name, modules[name], settings[name]) for name in modules}
    return OptimWrapperDict(**wrappers) if several else wrappers['main']


def named_parameters(method: nn.Module, optimizer: Optimizer) -> list[list[str]]:
    """Names of an optimizer's parameters, group by group: a checkpoint's guard against another grouping."""
    names = {id(parameter): name for name, parameter in method.named_parameters(remove_duplicate=False)}
    return [[names[id(parameter)] for parameter in group['params']] for group in optimizer.param_groups]


def optimizers(optim_wrapper: OptimWrapper | OptimWrapperDict) -> dict[str, Optimizer]:
    """The torch optimizers by name (``main`` if there is only one)."""
    if isinstance(optim_wrapper, OptimWrapperDict):
        return {name: wrapper.optimizer for name, wrapper in optim_wrapper.items()}
    return {'main': optim_wrapper.optimizer}


def _build_one(name: str, modules: Mapping[str, nn.Module], cfg: Mapping[str, Any]) -> OptimWrapper:
    cfg = dict(cfg)
    optimizer = dict(cfg.pop('optimizer'))
    paramwise = dict(cfg.pop('paramwise_cfg', None) or {})
    custom_keys = paramwise.pop('custom_keys', None)
    clip_grad = cfg.pop('clip_grad', None)
    wrapper_type = cfg.pop('type', 'OptimWrapper')
    if wrapper_type != 'OptimWrapper' or cfg or paramwise:
        unknown = sorted(cfg) + [f'paramwise_cfg.{key}' for key in sorted(paramwise)]
        raise ValueError(
            f'optim_wrapper ({name}): type must be OptimWrapper (is {wrapper_type}) and only optimizer, paramwise_cfg.'
            f'custom_keys and clip_grad are known (also given: {unknown}); number format and accumulation are the top-'
            'level precision and train_cfg.accumulate'
        )
    if not isinstance(optimizer.get('lr'), (int, float)):
        raise ValueError(f'optim_wrapper ({name}): optimizer needs a learning rate, a number (lr=…)')
    parameters = [(f'{prefix}.{key}', p) for prefix, module in modules.items() for key, p in module.named_parameters()]
    groups = parameter_groups(parameters, optimizer['lr'], optimizer.get('weight_decay', 0.0), custom_keys)
    if not groups:
        raise ValueError(f'optim_wrapper ({name}): no parameter of {sorted(modules)} is trainable')
    kind = OPTIMIZERS.get(optimizer['type']) if isinstance(optimizer['type'], str) else optimizer['type']
    if kind is None:
        raise KeyError(f'{optimizer["type"]} is not in the mmengine::optimizer registry')
    options = {key: value for key, value in optimizer.items() if key != 'type'}
    if kind in FUSED and 'foreach' not in options and _has_fused_kernels(groups):
        options.setdefault('fused', True)
    with wrong_argument_of(f'optim_wrapper ({name}).optimizer'):
        built = kind(groups, **options)
    return OptimWrapper(built, clip_grad=dict(clip_grad) if clip_grad else None)


def _has_fused_kernels(groups: list[dict[str, Any]]) -> bool:
    parameters = [p for group in groups for p in group['params']]
    return all(p.device.type in ('cuda', 'cpu') and torch.is_floating_point(p) for p in parameters)
