"""What a run needs to go on as if it had never stopped."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.optim import Optimizer

import mmseg
from mmseg.engine.checkpoint_file import write_checkpoint
from mmseg.engine.gradient_sync import world_size
from mmseg.engine.legacy_checkpoint import load_strictly, read_checkpoint
from mmseg.engine.optimizer_groups import named_parameters, optimizers
from mmseg.engine.run_checks import check_class_order
from mmseg.engine.settings_diff import changed_settings

if TYPE_CHECKING:
    from mmseg.engine.runner import Runner

NOT_SAVED = ('imnet_model.',)
"""Frozen copies of published weights: rebuilt from their files, not written into checkpoints."""


def load_checkpoint(path: str | Path, trust: bool = False) -> dict[str, Any]:
    """A checkpoint's content, on the CPU; see ``read_checkpoint`` for what is raised."""
    return read_checkpoint(path, trust)


def save_checkpoint(path: str | Path, runner: Runner) -> None:
    """Writes weights, optimizers, schedules and all counters: plain tensors, numbers and strings only."""
    write_checkpoint(path, checkpoint(runner))


def checkpoint(runner: Runner) -> dict[str, Any]:
    """The content of a checkpoint; ``runner.iter`` is the number of finished iterations."""
    method = runner.model
    torch_optimizers = optimizers(runner.optim_wrapper)
    state = {
        'iteration': runner.iter,
        'seed': runner.seed,
        'batch': batch_settings(runner),
        'best': dict(runner.best),
        'parameters': {name: named_parameters(method, optimizer) for name, optimizer in torch_optimizers.items()},
        'method': method.training_state(),
    }
    return {
        'state_dict': {key: value for key, value in method.state_dict().items() if not key.startswith(NOT_SAVED)},
        'optimizer': {name: optimizer.state_dict() for name, optimizer in torch_optimizers.items()},
        'param_schedulers': {
            name: [scheduler.state_dict() for scheduler in schedulers] for name, schedulers in _schedulers(runner)
        },
        'training_state': state,
        'meta': meta(runner),
    }


def meta(runner: Runner) -> dict[str, Any]:
    """Where a checkpoint comes from: readable, not needed to go on."""
    info = runner.dataset_meta
    return {
        'iter': runner.iter,
        'seed': runner.seed,
        'exp_name': runner.experiment_name,
        'config': runner.config_text,
        'classes': [str(name) for name in info.get('classes', ())],
        'palette': [[int(value) for value in colour] for colour in info.get('palette', ())],
        'mmseg_version': mmseg.__version__,
        'torch_version': torch.__version__.split('+')[0],
        'time': time.strftime('%Y-%m-%d %H:%M:%S'),
    }


def batch_settings(runner: Runner) -> dict[str, int]:
    """What decides which samples an iteration sees."""
    return {
        'batch_size': runner.train_dataloader.batch_size,
        'accumulate': runner.train_loop.accumulate,
        'processes': world_size(),
    }


def restore(runner: Runner, path: str | Path, trust: bool = False) -> None:
    """Continues from a checkpoint: everything of the runner that changes during training is set from it.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no checkpoint of ours, or of a run with other classes, seed, batch or networks.
    """
    content = load_checkpoint(path, trust)
    if 'training_state' not in content or 'optimizer' not in content:
        raise ValueError(f'{path} has no training state to resume from; use --load-from to start from its weights')
    state = content['training_state']
    _check_same_run(runner, content, path)
    _report_changes(runner, content, path)
    restore_weights(runner.model, content['state_dict'], path)
    _restore_optimizers(runner, content, path)
    for name, schedulers in _schedulers(runner):
        saved = content['param_schedulers'].get(name, [])
        if len(saved) != len(schedulers):
            raise ValueError(f'{path}: {len(saved)} parameter schedulers for {name}, the config has {len(schedulers)}')
        for scheduler, scheduler_state in zip(schedulers, saved, strict=True):
            scheduler.load_state_dict(scheduler_state)
    runner.best = dict(state['best'])
    runner.train_loop.start_at(state['iteration'])
    runner.model.load_training_state(state['method'])


def restore_weights(method: nn.Module, state_dict: Mapping[str, torch.Tensor], path: str | Path) -> None:
    """Strict but for the frozen copies that are not saved.

    Raises:
        ValueError: listing, shortened, what does not fit.
    """
    frozen = {key: value for key, value in method.state_dict().items() if key.startswith(NOT_SAVED)}
    try:
        load_strictly(method, {**frozen, **state_dict})
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def _check_same_run(runner: Runner, content: Mapping[str, Any], path: str | Path) -> None:
    state, classes = content['training_state'], content['meta'].get('classes', [])
    ours = list(runner.dataset_meta.get('classes', ()))
    if classes and ours and len(classes) != len(ours):
        raise ValueError(f'{path} was trained with {len(classes)} classes, this config has {len(ours)}')
    check_class_order(ours, classes, 'this config', str(path))
    saved = {'seed': state['seed'], **state['batch']}
    now = {'seed': runner.seed, **batch_settings(runner)}
    changed = [f'{key} {saved[key]}, now {now[key]}' for key in now if saved.get(key) != now[key]]
    if changed:
        raise ValueError(
            f'{path} was trained with {"; ".join(changed)}: a resumed run needs the same values. To start a new run '
            'from its weights use --load-from'
        )


def _report_changes(runner: Runner, content: Mapping[str, Any], path: str | Path) -> None:
    """Say what is otherwise than in the config of the run so far.

    Raises:
        ValueError: the run is beyond the end that the config sets now.
    """
    done = content['training_state']['iteration']
    if done > runner.max_iters:
        raise ValueError(
            f'{path} is at iteration {done}, beyond train_cfg.max_iters={runner.max_iters}: repeat the options with '
            'which the run was started'
        )
    try:
        changes = changed_settings(content['meta'].get('config') or '', runner.config_text)
    except ValueError as error:
        runner.logger.warning(f'{path}: its config cannot be compared with this one: {error}')
        return
    if changes:
        runner.logger.warning(
            f'Resumed with other settings than before: {"; ".join(changes)}. '
            'Settings of optimizers stay those of the checkpoint'
        )


def _restore_optimizers(runner: Runner, content: Mapping[str, Any], path: str | Path) -> None:
    saved, names = content['optimizer'], content['training_state']['parameters']
    current = optimizers(runner.optim_wrapper)
    if set(saved) != set(current):
        raise ValueError(f'{path} has the optimizers {sorted(saved)}, the config has {sorted(current)}')
    for name, optimizer in current.items():
        if names[name] != named_parameters(runner.model, optimizer):
            raise ValueError(
                f'{path}: optimizer {name} has other parameter groups than the config (optimizer or paramwise_cfg '
                'changed); use --load-from to start from its weights'
            )
        # Which kernels run is a matter of this machine, not of the checkpoint's.
        kernels = [(group.get('fused'), group.get('foreach')) for group in optimizer.param_groups]
        optimizer.load_state_dict(saved[name])
        for group, (fused, foreach) in zip(optimizer.param_groups, kernels, strict=True):
            group |= {'fused': fused, 'foreach': foreach}
        _lay_out_as_parameters(optimizer)


def _lay_out_as_parameters(optimizer: Optimizer) -> None:
    """Averages in the memory order of their parameters, which may be another one (``channels_last``) than before.

    Fused kernels walk through memory and take for granted that both have the same.
    """
    for parameter, state in optimizer.state.items():
        for key, value in state.items():
            if not isinstance(value, torch.Tensor) or value.shape != parameter.shape:
                continue
            if value.stride() != parameter.stride():
                state[key] = torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)


def _schedulers(runner: Runner) -> list[tuple[str, list[Any]]]:
    schedulers = runner.param_schedulers
    if schedulers is None:
        return []
    return list(schedulers.items()) if isinstance(schedulers, dict) else [('main', list(schedulers))]
