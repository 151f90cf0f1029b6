"""Trained networks that label images for a student and stay as they are."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg.engine.config import load_config
from mmseg.engine.legacy_checkpoint import load_strictly, load_student
from mmseg.models.uda.building import check_keys
from mmseg.registry import MODELS
from mmseg.structures import SegOutput


def weights_hash(tensors: Iterable[Tensor]) -> str:
    """What tells the weights of two networks apart, whatever file they come from."""
    digest = hashlib.blake2b(digest_size=16)
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


class FrozenTeacher:
    """A segmentor of its own config in eval mode, and how the images have to be normalised for it.

    Args:
        name: of the teacher.
        model: config of the segmentor, with ``data_preprocessor`` if it is another one than the student's; or a config
            file, whose ``model`` is meant.
        checkpoint: its weights, a checkpoint of any layout; empty = ``set_state`` gives them.
        ema: take the averaged teacher of the checkpoint instead of its student.
        trust: read a checkpoint that needs pickle; only one from a trusted source, as it can run any code.
    """

    def __init__(
        self,
        name: str,
        model: Mapping[str, Any] | nn.Module | str,
        checkpoint: str | None = None,
        ema: bool = False,
        trust: bool = False,
    ) -> None:
        settings = _model_section(model)
        preprocessor = settings.pop('data_preprocessor', None)
        self.name = name
        self.checkpoint = checkpoint
        self.ema = ema
        self.trust = trust
        self.preprocessor: Any = None if preprocessor is None else MODELS.build(dict(preprocessor))
        self.network: Any = MODELS.build(settings).requires_grad_(False).eval()
        self.identity = ''

    def load(self) -> None:
        """Read the checkpoint.

        Raises:
            ValueError: there is none in the config, or it does not fit.
            FileNotFoundError: it does not exist.
        """
        if not self.checkpoint:
            raise ValueError(
                f'uda.teachers: {self.name} has no checkpoint; train it first, then set checkpoint to its latest.pth'
            )
        try:
            load_student(self.network, self.checkpoint, ema=self.ema, trust=self.trust)
        except (FileNotFoundError, ValueError) as error:
            reason = str(error).replace('add --trust-checkpoint', f'add trust=True to the settings of {self.name}')
            raise type(error)(f'uda.teachers: {self.name}: {reason}') from None
        self.identity = weights_hash(self.network.state_dict().values())

    def set_state(self, state: Mapping[str, Tensor]) -> None:
        """Weights by name instead of from a file.

        Raises:
            ValueError: they do not fit.
        """
        load_strictly(self.network, state)
        self.identity = weights_hash(self.network.state_dict().values())


class FrozenTeachers(BaseModule):
    """Frozen networks by name.

    They move with their parent, but are no part of its parameters, so that no optimizer and no exchange of gradients
    sees them, nor of its state dict: checkpoints hold which networks they are.

    Args:
        teachers: settings of each :class:`FrozenTeacher`; ``model`` may be left out.
        model: config of those without one of their own: that of the student.
        preprocessor: the student's data preprocessor, in whose normalisation images will come; None = as a teacher's.

    Raises:
        ValueError: no teachers, two of one name, or unknown settings.
        FileNotFoundError: a model's config file does not exist.
    """

    def __init__(
        self, teachers: Sequence[Mapping[str, Any]], model: Mapping[str, Any] | nn.Module, preprocessor: Any = None
    ) -> None:
        super().__init__()
        names = [settings.get('name') for settings in teachers]
        if not names or not all(str(name).isidentifier() for name in names) or len(set(names)) < len(names):
            raise ValueError(
                f'uda.teachers: a list of at least one teacher, each of another name (letters and digits), not {names}'
            )
        for settings in teachers:
            check_keys(FrozenTeacher, settings, f'uda.teachers: {settings["name"]}')
        # A plain dict: what is in it is no submodule.
        self.by_name = {
            settings['name']: FrozenTeacher(**{**settings, 'model': settings.get('model') or model})
            for settings in teachers
        }
        for teacher in self.by_name.values():
            if same_normalisation(preprocessor, teacher.preprocessor):
                teacher.preprocessor = None

    @property
    def names(self) -> list[str]:
        """Of the teachers, in their order."""
        return list(self.by_name)

    def network(self, name: str) -> Any:
        """The segmentor of that name."""
        return self.by_name[name].network

    def check_classes(self, num_classes: int) -> None:
        """Raise ValueError for a teacher of other classes than the student's."""
        for name, teacher in self.by_name.items():
            if teacher.network.num_classes != num_classes:
                raise ValueError(
                    f'uda.teachers: {name} has {teacher.network.num_classes} classes, the student {num_classes}'
                )

    def init_weights(self) -> None:
        """Read the checkpoints; see :meth:`FrozenTeacher.load`."""
        for teacher in self.by_name.values():
            teacher.load()

    @torch.no_grad()
    def forward(self, name: str, images: Tensor, preprocessor: Any = None) -> SegOutput:
        """Class scores and embedding of one teacher, at its own resolution; the encoder's levels are not kept.

        Args:
            name: of the teacher.
            images: (B, 3, H, W), normalised for the student.
            preprocessor: the student's; used for a teacher that has another one.

        Raises:
            ValueError: the teacher was never given weights.
        """
        teacher = self.by_name[name]
        if not teacher.identity:
            raise ValueError(f'uda.teachers: {name} has no weights yet: call init_weights() before the first step')
        if teacher.preprocessor is not None and preprocessor is not None:
            images = renormalised(images, preprocessor, teacher.preprocessor)
        out: SegOutput = teacher.network(images)
        return out._replace(features=[], detail_features=None)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> FrozenTeachers:
        """Device, number format and memory order of the parent are the teachers' too."""
        super()._apply(fn, recurse)
        for teacher in self.by_name.values():
            for part in (teacher.network, teacher.preprocessor):
                if part is not None:
                    nn.Module._apply(part, fn)
        return self

    def training_state(self) -> dict[str, Any]:
        """Which networks these are."""
        return {
            name: {'checkpoint': str(teacher.checkpoint or ''), 'hash': teacher.identity}
            for name, teacher in self.by_name.items()
        }

    def load_training_state(self, state: Mapping[str, Any]) -> None:
        """Check that the run goes on with the same teachers, wherever their files are now.

        Raises:
            ValueError: they are others.
        """
        if list(state) != self.names:
            raise ValueError(f'uda.teachers: the run was started with {list(state)}, the config has {self.names}')
        for name, teacher in self.by_name.items():
            if state[name]['hash'] != teacher.identity:
                raise ValueError(
                    f'uda.teachers: {name} ({teacher.checkpoint}) has other weights than the teacher that the run was '
                    f'started with ({state[name]["checkpoint"]}); start a new run, or give the old teacher back'
                )


def same_normalisation(ours: Any, theirs: Any) -> bool:
    """Whether two data preprocessors give the same images, or one of them does not normalise."""
    if not (hasattr(ours, 'mean') and hasattr(theirs, 'mean')):
        return True
    if ours.mean.is_meta or theirs.mean.is_meta:  # networks that are only counted have no values
        return False
    same = torch.equal(ours.mean, theirs.mean) and torch.equal(ours.std, theirs.std)
    return same and ours.bgr_to_rgb == theirs.bgr_to_rgb


def renormalised(images: Tensor, ours: Any, theirs: Any) -> Tensor:
    """Images (B, 3, H, W) normalised by one data preprocessor as another one would have normalised them."""
    values = images * ours.std + ours.mean
    if ours.bgr_to_rgb != theirs.bgr_to_rgb:
        values = values.flip(1)
    return (values - theirs.mean) / theirs.std


def _model_section(model: Mapping[str, Any] | nn.Module | str) -> dict[str, Any]:
    if isinstance(model, nn.Module):
        raise ValueError('uda.teachers are built from the config of the model: pass that, not the segmentor')
    section = load_config(model).model if isinstance(model, str) else model
    return copy.deepcopy(section.to_dict() if hasattr(section, 'to_dict') else dict(section))
