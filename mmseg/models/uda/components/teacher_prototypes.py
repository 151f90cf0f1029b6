"""The class prototypes of frozen teachers: how far a teacher's vote for a class is to be trusted, pixel by pixel.

Reference: DDB (Chen et al., NeurIPS 2022), section 3.3.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor

from mmseg.engine.class_prototype_files import ClassPrototypes, read_class_prototypes
from mmseg.models.uda.components.contrast import embedding_channels
from mmseg.models.uda.components.frozen_teachers import FrozenTeachers, weights_hash
from mmseg.models.uda.components.prototype_distance import prototype_distances, prototype_weights


class TeacherPrototypes(BaseModule):
    """Prototypes by the teacher's name. They come from files, so that checkpoints hold only which ones they are.

    Args:
        teachers: whose features are compared.
        files: of each teacher; empty = ``set`` gives them.
        tau: of the softmax over distances.
        exclude_absent: a class without a prototype gets no weight. As published it keeps a prototype of zeros, which is
            near to every feature that is small.

    Raises:
        ValueError: tau is not above 0, or a teacher has no feature before its classifier.
    """

    def __init__(
        self,
        teachers: FrozenTeachers,
        files: Mapping[str, str | None],
        tau: float = 1.0,
        exclude_absent: bool = False,
    ) -> None:
        super().__init__()
        if not tau > 0:
            raise ValueError(f'uda.tau is above 0, not {tau}')
        self.files = dict(files)
        self.tau = tau
        self.exclude_absent = exclude_absent
        self.identities = dict.fromkeys(teachers.names, '')
        for name in teachers.names:
            network = teachers.network(name)
            shape = network.num_classes, embedding_channels(network)
            self.register_buffer(f'{name}_vectors', torch.zeros(shape), persistent=False)
            self.register_buffer(f'{name}_absent', torch.zeros(shape[0], dtype=torch.bool), persistent=False)

    def set(self, name: str, prototypes: ClassPrototypes) -> None:
        """Take these as the prototypes of a teacher.

        Raises:
            ValueError: they are of other classes or another width, or all zero.
        """
        vectors = self.get_buffer(f'{name}_vectors')
        if vectors.shape != prototypes.vectors.shape:
            theirs, ours = ('x'.join(map(str, tensor.shape)) for tensor in (prototypes.vectors, vectors))
            raise ValueError(f'prototypes of {theirs} (classes x channels), the network has {ours}')
        if prototypes.absent.all():
            raise ValueError('no class has a prototype')
        vectors.copy_(prototypes.vectors)
        self.get_buffer(f'{name}_absent').copy_(prototypes.absent)
        self.identities[name] = weights_hash([prototypes.vectors])

    def read(self, teachers: FrozenTeachers) -> None:
        """Read the files, once the teachers have their weights.

        Raises:
            ValueError: a teacher has no file in the config, it does not fit, or was made of another network.
            FileNotFoundError: it does not exist.
        """
        for name in teachers.names:
            file = self.files.get(name)
            if not file:
                raise ValueError(
                    f'uda.teachers: {name} has no prototypes; make them: python tools/cal_prototypes/cal_prototype.py '
                    f'CONFIG --checkpoint CHECKPOINT, or train without them: uda.rectify=None'
                )
            prototypes = read_class_prototypes(file)
            if prototypes.network not in ('', teachers.by_name[name].identity):
                raise ValueError(
                    f'{file}: prototypes of another network than {teachers.by_name[name].checkpoint}; make them again: '
                    f'python tools/cal_prototypes/cal_prototype.py CONFIG --checkpoint CHECKPOINT --out {file}'
                )
            try:
                self.set(name, prototypes)
            except ValueError as error:
                raise ValueError(f'{file}: {error}') from None
            _report_absent(file, prototypes, self.exclude_absent)

    @torch.no_grad()
    def weights(self, name: str, features: Tensor, size: Sequence[int]) -> Tensor:
        """Weight of each class at each position, (B, C, H, W), adding up to 1.

        Args:
            name: of the teacher.
            features: its embedding, (B, A, h, w).
            size: (H, W) to which features are resized in effect.

        Raises:
            ValueError: the teacher was never given prototypes.
        """
        if not self.identities[name]:
            raise ValueError(f'uda.teachers: {name} has no prototypes yet: call init_weights() before the first step')
        distances = prototype_distances(features, self.get_buffer(f'{name}_vectors'), size)
        if self.exclude_absent:
            distances = distances.masked_fill(self.get_buffer(f'{name}_absent')[:, None, None], torch.inf)
        return prototype_weights(distances, self.tau)

    def training_state(self) -> dict[str, Any]:
        """Which prototypes these are."""
        return {name: {'file': self.files.get(name) or '', 'hash': self.identities[name]} for name in self.identities}

    def load_training_state(self, state: Mapping[str, Any]) -> None:
        """Check that the run goes on with the same prototypes.

        Raises:
            ValueError: they are others.
        """
        for name, identity in self.identities.items():
            if state[name]['hash'] != identity:
                raise ValueError(
                    f'uda.teachers: {name} has other prototypes ({self.files.get(name)}) than the run was started with '
                    f'({state[name]["file"]}); start a new run, or give the old file back'
                )


def _report_absent(file: str, prototypes: ClassPrototypes, excluded: bool) -> None:
    numbers = prototypes.absent.nonzero().flatten().tolist()
    if numbers:
        names = ', '.join(prototypes.classes[number] if prototypes.classes else str(number) for number in numbers)
        what = 'get no weight' if excluded else 'keep a prototype of zeros (uda.exclude_absent leaves them out)'
        print_log(f'{file}: classes that were never predicted {what}: {names}', 'current', logging.WARNING)
