"""What all training methods share: the training step, randomness, logging, evaluation."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapperDict
from torch import Tensor, nn

from mmseg.engine.compilation import CompiledNetworks, uncompiled
from mmseg.engine.compiled_step import with_fallback
from mmseg.engine.gradient_sync import average_gradients, rank
from mmseg.engine.loss_scaler import LossScaler
from mmseg.engine.precision import Precision
from mmseg.models.uda.components.pass_gradients import added_together
from mmseg.models.uda.log_window import LogWindow
from mmseg.models.uda.panel_predictions import prediction_panel
from mmseg.models.uda.step import Losses, Step
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample, SegOutput, TrainBatch


class UDADecorator(BaseModel):
    """A student network and the way it is trained: a list of passes, each with its own backward.

    A method overrides ``prepare`` (all that needs no gradient) and ``passes`` (each returns losses).

    Args:
        model: config of the student, or the segmentor itself.
        max_iters: length of the training, for methods with a schedule of their own.
        data_preprocessor: config of the module that turns a loader's batch into a :class:`TrainBatch`.

    Attributes:
        model: the student.
        iteration: 0-based number of the step to come; part of ``training_state``.
        micro_batch: 0-based part of the step in progress, if gradients are accumulated.
        accumulate: number of these parts.
        seed: all random draws follow from it, the process, the iteration and the pass.
        precision: number format of the passes; None = that of the weights.
        compiled: the networks' compiled parts; None = they run as they are.
        panel_interval: every so many steps ``panel`` holds images of the step; 0 = never.
        log_interval: every so many steps ``train_step`` returns means of the log values.
        evaluate_teacher: validate and test the teacher instead of the student.
        panel_prediction: name of the images whose prediction the training panel shows.
    """

    model: Any
    panel_prediction: ClassVar[str] = 'source'

    def __init__(
        self,
        model: Mapping[str, Any] | nn.Module,
        max_iters: int | None = None,
        data_preprocessor: Mapping[str, Any] | nn.Module | None = None,
    ) -> None:
        super().__init__(data_preprocessor=_built(data_preprocessor))
        self.model = self.build_segmentor(model)
        self.max_iters = max_iters
        self.iteration = 0
        self.micro_batch = 0
        self.accumulate = 1
        self.seed = 0
        self.precision: Precision | None = None
        self.compiled: CompiledNetworks | None = None
        self.panel_interval = 0
        self.panel: dict[str, Tensor] = {}
        self.log_interval = 50
        self.evaluate_teacher = False
        self._log = LogWindow()

    @staticmethod
    def build_segmentor(model: Mapping[str, Any] | nn.Module) -> Any:
        """A segmentor from its config; a module is taken as it is."""
        return model if isinstance(model, nn.Module) else MODELS.build(copy.deepcopy(dict(model)))

    @property
    def student(self) -> Any:
        """The network that is trained."""
        return self.model

    def _dump_init_info(self) -> None:
        """mmengine would log how each parameter of each network was initialised."""

    # The training step

    def train_step(self, data: Any, optim_wrapper: Any) -> Losses:
        """One optimizer step.

        Args:
            data: a loader's batch, or a list of them whose gradients are averaged.
            optim_wrapper: the optimizer, or optimizers by name.

        Returns:
            Log values at the log interval, else an empty dict.
        """
        micro_batches = data if isinstance(data, list) else [data]
        self.accumulate = len(micro_batches)
        step = with_fallback(self, lambda: self._accumulate(micro_batches, optim_wrapper))
        self.micro_batch = 0
        average_gradients(self.trainable_modules())
        self.update(optim_wrapper)
        self.finish(step)
        self.iteration += 1
        due = self.iteration == 1 or self.iteration % self.log_interval == 0
        return self._log.read() if due else {}

    def _accumulate(self, micro_batches: list[Any], optim_wrapper: Any) -> Step:
        """The gradients of all micro-batches; returns the last one's step."""
        optim_wrapper.zero_grad()
        logs = []
        for number, micro_batch in enumerate(micro_batches):
            self.micro_batch = number
            step = self.prepare(self.data_preprocessor(micro_batch, training=True))
            logs.append(self.run_passes(step))
        for log in logs:
            self._log.add(log, overflows=self.scaler is not None)
        return step

    @torch.no_grad()
    def prepare(self, batch: TrainBatch, decisions: Mapping[str, Any] | None = None) -> Step:
        """Everything that needs no gradient: teachers, pseudo-labels, mixing, decisions.

        Raises:
            ValueError: if the source images have no labels.
        """
        if batch.source.labels is None:
            raise ValueError('the training images have no labels: add LoadAnnotations to their pipeline')
        self._seed_networks('prepare')
        return Step(source=batch.source, target=batch.target, decisions=dict(decisions or {}), shown={})

    def crop_box(self, step: Step, name: str, images: Tensor) -> Tensor | None:
        """Where the student looks closely in the pass called ``name``; None for a student that sees images whole.

        Args:
            step: holds the box as the decision ``crop_box_<name>`` if it was handed in or drawn before.
            name: of the pass.
            images: (B, 3, H, W) that the pass will give to the student.

        Returns:
            (4,) int64 tensor y1, y2, x1, x2 on the device of the images, one for the whole batch.
        """
        if getattr(self.student, 'draw_crop_box', None) is None:
            return None
        decision = f'crop_box_{name}'
        box = step.decide(decision, self.student.draw_crop_box, images, self.generator(decision))
        return None if box is None else box.to(images.device, non_blocking=True)

    def passes(self) -> list[Callable[[Step], Losses]]:
        """The passes of an iteration in their order; each returns losses (names with "loss") and other log values."""
        raise NotImplementedError

    def run_passes(self, step: Step) -> Losses:
        """Add the gradients of all passes; one backward each, so that memory holds one pass at a time."""
        log: Losses = {}
        for one_pass in self.passes():
            self._seed_networks(one_pass.__name__)
            with self.autocast(step.source.images.device):
                losses = one_pass(step)
            losses = {name: value.mean() if value.ndim else value for name, value in losses.items()}
            total = sum((value for name, value in losses.items() if 'loss' in name), torch.zeros(()))
            if total.requires_grad:  # a pass may find nothing to learn from this batch
                total = total / self.accumulate
                with added_together(self.trainable_modules()):
                    (total if self.scaler is None else self.scaler.scale(total)).backward()
            log |= {name: value.detach() for name, value in losses.items()}
        return log

    def compute_gradients(self, batch: TrainBatch, decisions: Mapping[str, Any] | None = None) -> Losses:
        """Add one batch's gradients to the parameters; ``decisions`` replace random draws by name."""
        return self.run_passes(self.prepare(batch, decisions))

    def update(self, optim_wrapper: Any) -> None:
        """Step the optimizers, several in the order of ``optimizer_modules``."""
        wrappers = list(optim_wrapper.values()) if isinstance(optim_wrapper, OptimWrapperDict) else [optim_wrapper]
        if self.scaler is not None:
            self._log.add({'loss_scale': self.scaler.factor})
            self.scaler.unscale(wrapper.optimizer for wrapper in wrappers)
        for wrapper in wrappers:
            wrapper.step()

    def finish(self, step: Step) -> None:
        """After the update; leaves images for the training panel when they are due."""
        self.panel = {**self.panel_images(step), **step.shown} if self.panel_due else {}

    @property
    def panel_due(self) -> bool:
        """Whether the training panel shows this step."""
        return self.panel_interval > 0 and self.iteration % self.panel_interval == 0

    def show(self, step: Step, name: str, out: SegOutput, images: Tensor) -> None:
        """Keep what the student predicts for the images called ``name`` if a panel is due and shows these."""
        if self.panel_due and name == self.panel_prediction:
            step.shown |= prediction_panel(name, out, images.shape[2:])

    def panel_images(self, step: Step) -> dict[str, Tensor]:
        """What a picture of this step shows: images (B, 3, H, W), labels and weights (B, H, W)."""
        return {'source_image': step.source.images, 'source_label': step.source.labels}

    # Networks

    def trainable_modules(self) -> list[nn.Module]:
        """Networks whose gradients are averaged over processes."""
        return [module for networks in self.optimizer_modules().values() for module in networks.values()]

    def optimizer_modules(self) -> dict[str, dict[str, nn.Module]]:
        """What each optimizer trains, by the prefix of the parameters' names."""
        return {'main': {'model': self.model}}

    def inference_model(self) -> Any:
        """The segmentor that is validated and tested."""
        if self.evaluate_teacher:
            raise ValueError(f'{type(self).__name__} has no teacher to evaluate')
        return self.model

    def val_step(self, data: Any) -> list[SegDataSample]:
        """Predictions for a validation batch."""
        return self(**self.data_preprocessor(data, training=False), mode='predict')

    def test_step(self, data: Any) -> list[SegDataSample]:
        """Predictions for a test batch."""
        return self.val_step(data)

    def forward(self, inputs: Any, data_samples: list[SegDataSample] | None = None, mode: str = 'tensor') -> Any:
        """``tensor``: logits at input size; ``predict``: data samples with predictions. Training is ``train_step``."""
        device = (inputs[0] if isinstance(inputs, list) else inputs).device
        eager = nullcontext() if self.compiled is None else uncompiled()
        with torch.no_grad(), self.autocast(device), eager:
            if mode == 'tensor':
                return self.inference_model().encode_decode(inputs)
            if mode == 'predict':
                return self.inference_model().predict(inputs, data_samples)
        raise ValueError(f"mode is 'tensor' or 'predict', not {mode!r}")

    # State beside the networks, precision, randomness

    def training_state(self) -> dict[str, Any]:
        """What continues a training beside the networks: plain tensors, numbers and strings."""
        parts = {name: part.training_state() for name, part in self._stateful_parts()}
        state = {'iteration': self.iteration, **({'parts': parts} if parts else {})}
        return state if self.scaler is None else {**state, 'loss_scaler': self.scaler.training_state()}

    def load_training_state(self, state: Mapping[str, Any]) -> None:
        """Continue where ``training_state`` was taken."""
        self.iteration = int(state['iteration'])
        for name, part in self._stateful_parts():
            part.load_training_state(state['parts'][name])
        if self.scaler is not None and 'loss_scaler' in state:
            self.scaler.load_training_state(state['loss_scaler'])

    def _stateful_parts(self) -> list[tuple[str, Any]]:
        """Components with more state than their buffers, by name."""
        parts = list(self.named_modules())[1:]
        return [(name, part) for name, part in parts if hasattr(part, 'load_training_state')]

    def autocast(self, device: torch.device) -> AbstractContextManager:
        """The number format of the networks' passes."""
        return nullcontext() if self.precision is None else self.precision.autocast(device)

    @property
    def scaler(self) -> LossScaler | None:
        """Of the losses, if the passes run in float16."""
        return None if self.precision is None else self.precision.scaler

    def generator(self, name: str) -> torch.Generator:
        """A generator of the CPU for the draws called ``name`` of this process, iteration and micro-batch."""
        return torch.Generator().manual_seed(self._seed_of(name))

    def _seed_networks(self, name: str) -> None:
        """Dropout and drop path of a pass must not depend on what ran before it."""
        torch.manual_seed(self._seed_of(f'networks of {name}'))

    def _seed_of(self, name: str) -> int:
        text = f'{self.seed}/{rank()}/{self.iteration}/{self.micro_batch}/{name}'
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), 'big')


def _built(cfg: Mapping[str, Any] | nn.Module | None) -> nn.Module | None:
    """mmengine would look the type up in its own registry only."""
    return cfg if cfg is None or isinstance(cfg, nn.Module) else MODELS.build(dict(cfg))
