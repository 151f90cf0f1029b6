"""Training steps up to their passes, without a run: the loader's batches, and what the method makes of them."""

from __future__ import annotations

import copy
import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from mmseg.engine.config import check_is_training
from mmseg.engine.errors import clear_config_errors
from mmseg.engine.legacy_checkpoint import TEACHER, load_student, read_checkpoint, state_dict_of
from mmseg.engine.pretrained import find_pretrained
from mmseg.engine.runner import Runner
from mmseg.models.uda.components.mixing import present_classes


@dataclass(frozen=True)
class PreparedStep:
    """What a training step has before its passes.

    Attributes:
        iteration: counted from 1, as in logs.
        part: micro-batch of the iteration, counted from 1.
        panel: the tensors of a training panel.
        source: file facts of each source image.
        target: of each target image; empty without a target domain.
        pasted: train ids that are pasted from each source image; empty where the method does not mix.
    """

    iteration: int
    part: int
    panel: dict[str, Tensor]
    source: list[dict[str, Any]]
    target: list[dict[str, Any]]
    pasted: list[list[int]]


class Preview:
    """Training steps of a config up to their passes: nothing is learnt, and nothing is left behind.

    Loader, seeds, sample numbers, data preprocessor and method are the training's own, for one process. Without a
    checkpoint the networks are those that iteration 1 begins with, so its pictures are those of the training.

    Args:
        runner: of the config.
        networks: where the weights come from, for captions.
        missing: the ImageNet weights that the training would start from and that are not there; None = they are.
    """

    def __init__(self, runner: Runner, networks: str, missing: str | None = None) -> None:
        self.runner = runner
        self.networks = networks
        self.missing = missing

    @property
    def method(self) -> Any:
        return self.runner.model

    @property
    def dataset(self) -> Any:
        return self.runner.train_loop.dataloader.dataset

    def batches(self, iteration: int) -> list[Any]:
        """The loader's batches of an iteration, counted from 1: one, or as many as gradients are accumulated over."""
        loop: Any = self.runner.train_loop
        loader = loop.dataloader
        loop.start_at(iteration - 1)
        numbers = iter(loader.sampler)
        return [
            loader.collate_fn([loader.dataset[number] for number in itertools.islice(numbers, loader.batch_size)])
            for _ in range(loop.accumulate)
        ]

    @torch.no_grad()
    def steps(self, iteration: int) -> Iterator[PreparedStep]:
        """Each micro-batch of an iteration, prepared by the method."""
        method = self.method
        for part, batch in enumerate(self.batches(iteration)):
            method.train()
            method.iteration, method.micro_batch = iteration - 1, part
            step = method.prepare(method.data_preprocessor(batch, training=True))
            yield PreparedStep(
                iteration=iteration,
                part=part + 1,
                panel=method.panel_images(step),
                source=step.source.meta,
                target=[] if step.target is None else step.target.meta,
                pasted=_pasted(step),
            )


@contextmanager
def open_preview(cfg: Config, checkpoint: str | Path | None = None, trust: bool = False) -> Iterator[Preview]:
    """A preview of what a config trains.

    Args:
        cfg: of a training; it is not changed.
        checkpoint: networks to look with: its teacher, or the student where it has none. By default those that the
            training starts from.
        trust: read checkpoints that need pickle.

    Raises:
        FileNotFoundError: data or the checkpoint are missing. ImageNet weights may be.
        ValueError: the config trains nothing, or the parts do not fit each other.
    """
    check_is_training(cfg)
    checkpoint = checkpoint or cfg.get('load_from')
    missing = _missing_weights(cfg) if checkpoint is None else None
    with tempfile.TemporaryDirectory(prefix='preview_') as folder:
        used = _preview_config(cfg, folder, with_imagenet=checkpoint is None and missing is None)
        runner = Runner.from_cfg(used)
        with clear_config_errors(cfg):
            # The runner builds it, and with it the data, when it is first asked for.
            loop = runner.train_loop
        if not hasattr(loop.dataloader.sampler, 'set_start'):
            raise ValueError(
                'train_dataloader.sampler cannot start at an iteration; leave it out, or SampleNumberSampler'
            )
        if checkpoint is None:
            runner.model.init_weights()
            networks = 'untrained networks'
        else:
            networks = _load(runner.model, checkpoint, trust)
        student = runner.model.student.state_dict()
        for name, module in runner.model.named_modules():
            # Then the average over student and teacher changes nothing, whatever the iteration.
            if name.split('.')[-1] == TEACHER.rstrip('.'):
                module.load_state_dict(student)
        yield Preview(runner, networks, missing)


def _missing_weights(cfg: Config) -> str | None:
    source = cfg.model.get('pretrained') or cfg.model.backbone.get('pretrained')
    try:
        if source is not None:
            find_pretrained(source)
    except FileNotFoundError:
        return source
    return None


def _preview_config(cfg: Config, folder: str, with_imagenet: bool) -> Config:
    """The config for a look: nothing is validated or kept; without ImageNet's weights also without what needs them."""
    cfg = copy.deepcopy(cfg)
    cfg.work_dir, cfg.resume, cfg.load_from, cfg.log_level = folder, False, None, 'WARNING'
    cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    cfg.test_dataloader = cfg.test_evaluator = cfg.test_cfg = None
    cfg.default_hooks, cfg.custom_hooks = {}, None
    if not with_imagenet:
        cfg.model.pretrained = cfg.model.backbone.pretrained = None
        if cfg.get('uda'):
            cfg.uda.pop('feature_distance', None)
    return cfg


def _load(method: Any, checkpoint: str | Path, trust: bool) -> str:
    """Loads the teacher, if there is one, as the student; says which it was."""
    state = state_dict_of(read_checkpoint(checkpoint, trust))
    ema = any(key.removeprefix('module.').startswith(TEACHER) for key in state)
    load_student(method.student, checkpoint, ema=ema, trust=trust)
    return f'the {"teacher" if ema else "student"} in {checkpoint}'


def _pasted(step: Any) -> list[list[int]]:
    """Of each source image the train ids that the mixing chose, without 255 = ignore; [] where nothing is mixed."""
    chosen = step.decisions.get('mix_classes')
    if chosen is None:
        return []
    here = present_classes(step.source.labels) & chosen
    return [row[row < 255].tolist() for row in (table.nonzero().flatten().cpu() for table in here)]
