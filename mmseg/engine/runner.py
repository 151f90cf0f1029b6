"""A run: mmengine's Runner with this project's methods, loop, checkpoints and process groups."""

from __future__ import annotations

import copy
import itertools
import os
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import mmengine.runner
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from mmseg.engine import hooks
from mmseg.engine.compilation import compile_method
from mmseg.engine.distributed import start_process_group
from mmseg.engine.errors import clear_config_errors, near_names
from mmseg.engine.git_state import git_state
from mmseg.engine.gradient_sync import broadcast_parameters, world_size
from mmseg.engine.loaders import build_loader, loaders_and_loops
from mmseg.engine.logging import environment, one_line, quiet
from mmseg.engine.loops import TrainLoop
from mmseg.engine.optimizer_groups import build_optim_wrapper, optimizers
from mmseg.engine.precision import SIXTEEN_BITS, Precision
from mmseg.engine.run_checks import check_class_order, check_classes, check_depth, check_seed
from mmseg.engine.schedulers import build_schedulers
from mmseg.engine.starting_point import resume_or_load
from mmseg.engine.sync_batch_norm import synchronised
from mmseg.registry import RUNNERS

DEFAULT_HOOKS: dict[str, type[Hook]] = {
    'logger': hooks.LoggerHook,
    'scheduler': hooks.SchedulerHook,
    'checkpoint': hooks.CheckpointHook,
    'panels': hooks.PanelHook,
    'tensorboard': hooks.TensorBoardHook,
}
OPT_IN_HOOKS = ('tensorboard',)


@RUNNERS.register_module()
class Runner(mmengine.runner.Runner):
    """Trains, validates and tests what a config describes; build it with ``from_cfg``.

    Attributes:
        best: highest validation scores so far, ``{metric: {'score', 'iteration'}}``.
        interrupted: True once a signal has asked the run to stop.
    """

    best: dict[str, dict[str, Any]]
    interrupted: bool
    _has_loaded: bool

    @classmethod
    def from_cfg(cls, cfg: Config, method: nn.Module | None = None) -> Runner:
        """Build a run.

        Args:
            cfg: as the files in ``configs/`` describe; not changed.
            method: trained instead of what the config's ``model`` and ``uda`` describe.

        Raises:
            ValueError: for an unknown type or option, in one line.
            FileNotFoundError: where data or weights that are needed to build are missing.
        """
        cfg = copy.deepcopy(cfg)
        check_seed(cfg.get('seed', 0))
        precision = Precision(cfg.get('precision', 'fp32'))
        precision.apply_global_flags()
        distributed = start_process_group()
        parts = loaders_and_loops(cfg)
        with clear_config_errors(cfg):
            runner = cls(
                model=method if method is not None else cfg.model,
                work_dir=cfg.get('work_dir') or _default_work_dir(cfg),
                **parts,
                default_hooks=cfg.get('default_hooks'),
                custom_hooks=cfg.get('custom_hooks'),
                load_from=cfg.get('load_from'),
                resume=cfg.get('resume', False),
                launcher='pytorch' if distributed else 'none',
                env_cfg=cfg.get('env_cfg', {}),
                log_level=cfg.get('log_level', 'INFO'),
                visualizer=cfg.get('visualizer'),
                default_scope='mmseg',
                randomness={'seed': cfg.get('seed', 0), 'deterministic': cfg.get('deterministic', False)},
                experiment_name=_unique_name(cfg),
                cfg=cfg,
            )
        runner.model.precision = precision
        if cfg.get('compile'):
            compile_method(runner.model, cfg.compile)
        return runner

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.best = {}
        self.interrupted = False
        super().__init__(*args, **kwargs)

    def dump_config(self) -> None:
        """Nothing yet: a start that fails leaves the config of the run that lies in the work dir."""

    def write_config(self) -> None:
        """Write the whole config into the work dir, once training begins."""
        super().dump_config()

    # -- what the run knows about itself

    @property
    def optimizers(self) -> dict[str, Optimizer]:
        """The torch optimizers by name."""
        return optimizers(self.optim_wrapper)

    @cached_property
    def config_text(self) -> str:
        """The whole config as Python source."""
        return self.cfg.pretty_text

    @property
    def dataset_meta(self) -> dict[str, Any]:
        """Class names and palette, from the validation set if there is one."""
        return _meta(self._val_loop) or _meta(self._train_loop) or _meta(self._test_loop)

    def environment(self) -> dict[str, Any]:
        """Versions, device, seed, date, state of the code and config of the run."""
        return {
            **environment(),
            'started': time.strftime('%Y-%m-%d %H:%M:%S'),
            'git': git_state(),
            'processes': world_size(),
            'seed': self.seed,
            'name': self.experiment_name,
            'config': self.config_text,
        }

    # -- building

    def set_randomness(self, seed: int | None, diff_rank_seed: bool = False, deterministic: bool = False) -> None:
        """Seeds all generators. ``deterministic`` also picks repeatable GPU kernels, where there are any."""
        super().set_randomness(seed, diff_rank_seed=False, deterministic=False)
        self._deterministic = deterministic
        torch.backends.cudnn.benchmark = not deterministic
        torch.backends.cudnn.deterministic = deterministic
        if deterministic:
            os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
            # Some losses have no repeatable CUDA kernel: a note instead of a stop.
            torch.use_deterministic_algorithms(True, warn_only=True)

    def build_logger(self, log_level: int | str = 'INFO', log_file: str | None = None, **kwargs: Any) -> MMLogger:
        """A logger that names itself ``mmseg`` and leaves out mmengine's notes."""
        return quiet(super().build_logger(log_level, log_file, logger_name='mmseg', **kwargs))

    def _log_env(self, env_cfg: dict[str, Any]) -> None:
        values = {**environment(), 'processes': world_size(), 'seed': self.seed, 'work dir': self.work_dir}
        self.logger.info(one_line(values))

    def build_visualizer(self, visualizer: Any = None) -> Any:
        """mmengine's visualizer if the config asks for one (TensorBoard and others), else one that does nothing."""
        return super().build_visualizer(visualizer) if visualizer else _NoVisualizer()

    def build_model(self, model: nn.Module | dict[str, Any]) -> nn.Module:
        """The method: ``uda`` around ``model``, or plain supervised training."""
        method: Any = model
        if not isinstance(model, nn.Module):
            from mmseg.models.uda import build_method

            method = build_method(copy.deepcopy(self.cfg))
        method.seed = self.seed
        method.accumulate = self.cfg.get('train_cfg', {}).get('accumulate', 1)
        return method

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        """Moves the method to the device; optionally synchronised batch norm. No DistributedDataParallel."""
        if self.cfg.get('sync_bn') and self.distributed and torch.cuda.is_available():
            model = synchronised(model)
        return model.to(get_device())

    def _init_model_weights(self) -> None:
        super()._init_model_weights()
        broadcast_parameters(self.model)
        # Tensor cores read 16-bit maps in this order; elsewhere it is the config's choice, as it changes dropout masks.
        suits = torch.cuda.is_available() and Precision(self.cfg.get('precision', 'fp32')).mode in SIXTEEN_BITS
        if self.cfg.get('channels_last', suits):
            # After drawing weights, which fills memory in its order. Convolutions hand this order on to their outputs.
            self.model.to(memory_format=torch.channels_last)

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | dict[str, Any], seed: int | None = None, diff_rank_seed: bool = False
    ) -> DataLoader:
        """As mmengine's; page-locked memory where there is a GPU, workers that leave Ctrl-C to the main process."""
        return build_loader(dataloader, seed, diff_rank_seed)

    def build_train_loop(self, loop: Any) -> Any:
        """``TrainLoop`` from ``train_cfg``."""
        if not isinstance(loop, Mapping):
            return loop
        options = {key: value for key, value in loop.items() if key not in ('type', 'by_epoch')}
        loop = TrainLoop(self, self._train_dataloader, **options)
        check_classes(self.model, loop.dataloader.dataset, 'train_dataloader')
        check_depth(self.model, loop.dataloader.dataset)
        return loop

    def build_val_loop(self, loop: Any) -> Any:
        """mmengine's, on data of the network's classes."""
        loop = super().build_val_loop(loop)
        check_classes(self.model, loop.dataloader.dataset, 'val_dataloader')
        validated, trained = (_classes(of) for of in (loop, self._train_loop))
        check_class_order(validated, trained, 'val_dataloader', 'train_dataloader')
        return loop

    def build_optim_wrapper(self, optim_wrapper: Any) -> OptimWrapper | OptimWrapperDict:
        """Few merged groups over what the method trains; a config with ``constructor`` is left to mmengine."""
        if not isinstance(optim_wrapper, Mapping) or 'constructor' in optim_wrapper:
            return super().build_optim_wrapper(optim_wrapper)
        return build_optim_wrapper(self.model, optim_wrapper)

    def build_param_scheduler(self, scheduler: Any) -> dict[str, list[Any]]:
        """Schedulers by optimizer name. One config counts for all optimizers, a dict of names for the named ones."""
        return build_schedulers(scheduler, self.optimizers, self.max_iters)

    def register_default_hooks(self, hooks: dict[str, Any] | None = None) -> None:
        """Logger, schedules, checkpoints, panels, and TensorBoard if asked for, with the options of ``default_hooks``.

        None or False leaves one out, True takes its defaults.
        """
        settings: dict[str, Any] = {name: None if name in OPT_IN_HOOKS else {} for name in DEFAULT_HOOKS}
        settings.update(hooks or {})
        for name, options in settings.items():
            if isinstance(options, bool):
                options = {} if options else None
            if name not in DEFAULT_HOOKS and isinstance(options, dict) and 'type' not in options:
                raise ValueError(f'default_hooks.{name}: no such hook{near_names(name, list(DEFAULT_HOOKS))}')
            if isinstance(options, Hook):
                self.register_hook(options)
            elif options is not None and ('type' in options or name in DEFAULT_HOOKS):
                self.register_hook(options if 'type' in options else {**options, 'type': DEFAULT_HOOKS[name]})

    # -- running

    def train(self) -> nn.Module:
        """Trains from the start, from weights (``load_from``) or from a checkpoint (``resume``)."""
        with clear_config_errors(self.cfg):
            return super().train()

    def val(self) -> dict[str, float]:
        """Validation results."""
        with clear_config_errors(self.cfg):
            return super().val()

    def test(self) -> dict[str, float]:
        """Test results."""
        with clear_config_errors(self.cfg):
            return super().test()

    def _maybe_compile(self, target: str) -> None:
        """Nothing: mmengine would compile the whole step; ``compile_method`` has compiled the networks."""

    def load_or_resume(self) -> None:
        """``resume``: True (this work dir's latest checkpoint, if any) or a path; ``load_from`` gives weights only."""
        if not self._has_loaded:
            resume_or_load(self, self._resume, self._load_from)
        self._has_loaded = True


_run_numbers = itertools.count(1)


def _unique_name(cfg: Config) -> str:
    """mmengine keeps loggers by name and second: runs of one process need names of their own."""
    name, number = cfg.get('name') or (Path(cfg.filename).stem if cfg.filename else 'run'), next(_run_numbers)
    return name if number == 1 else f'{name}-{number}'


def _meta(loop: Any) -> dict[str, Any]:
    """Class names and palette of a loop's data; empty if it is not built yet or does not say."""
    return dict(getattr(getattr(getattr(loop, 'dataloader', None), 'dataset', None), 'metainfo', None) or {})


def _classes(loop: Any) -> Sequence[str]:
    return _meta(loop).get('classes', ())


def _default_work_dir(cfg: Config) -> str:
    return str(Path('work_dirs') / (Path(cfg.filename).stem if cfg.filename else 'run'))


class _NoVisualizer:
    """Stands where mmengine wants a visualizer."""

    dataset_meta: dict[str, Any] | None = None

    def add_config(self, config: Config) -> None:
        """Nothing: the config is dumped into the work dir."""

    def close(self) -> None:
        """Nothing to close."""
