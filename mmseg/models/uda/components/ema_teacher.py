"""The mean teacher: a slowly averaged copy of the student that labels the target images.

References: Tarvainen and Valpola, "Mean teachers are better role models", NeurIPS 2017;
DACS (Tranheden et al., WACV 2021), section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmseg.models.precision import at_least_float32
from mmseg.models.resize import BAND, bands, resize_band
from mmseg.models.uda.components.distillation import HardTargets, hard_targets


class EMATeacher:
    """How a teacher network follows the student and how it looks at images; the network itself belongs to the method.

    Args:
        alpha: the average's momentum once training is under way.
        average_buffers: average the normalisation statistics too. The published methods leave them alone.
        eval_mode: normalise with running statistics instead of those of the batch. The published methods do not: their
            teachers keep batch norm in train mode, only dropout and drop path are off.
        copy_buffers: copy the normalisation statistics from the student (ProDA).
        ramp_up: begin with a smaller momentum, so that the first averaging copies the student; False = ``alpha`` at
            once, for a teacher that :meth:`start` made the same as its student (ProDA).

    Raises:
        ValueError: for a momentum outside 0..1, or buffers that are to be averaged and copied.
    """

    band_limit = BAND  # larger maps of scores are enlarged band by band

    def __init__(
        self,
        alpha: float = 0.99,
        average_buffers: bool = False,
        eval_mode: bool = False,
        copy_buffers: bool = False,
        ramp_up: bool = True,
    ) -> None:
        if average_buffers and copy_buffers:
            raise ValueError('teacher: average_buffers and copy_buffers exclude each other, keep one')
        if not 0 <= alpha <= 1:
            raise ValueError(f'teacher: alpha is a momentum between 0 and 1, not {alpha}')
        self.alpha = alpha
        self.average_buffers = average_buffers
        self.eval_mode = eval_mode
        self.copy_buffers = copy_buffers
        self.ramp_up = ramp_up

    def freeze(self, teacher: nn.Module) -> None:
        """No gradients, and the mode that the teacher works in; call it again after ``train()`` of a parent."""
        teacher.requires_grad_(False)
        teacher.train(not self.eval_mode)
        for module in teacher.modules():
            if isinstance(module, nn.modules.dropout._DropoutNd) or type(module).__name__ == 'DropPath':
                module.eval()

    @torch.no_grad()
    def start(self, teacher: nn.Module, student: nn.Module) -> None:
        """Make the teacher the student's equal, in place."""
        for ours, theirs in zip(teacher.state_dict().values(), student.state_dict().values(), strict=True):
            ours.copy_(theirs)

    @torch.no_grad()
    def update(self, teacher: nn.Module, student: nn.Module, iteration: int) -> None:
        """Average the student into the teacher, in place: teacher <- a teacher + (1 - a) student.

        a = min(1 - 1 / (iteration + 1), alpha), so iteration 0 copies the student; without ``ramp_up`` a = alpha.

        Args:
            teacher: network to change.
            student: network of the same architecture.
            iteration: 0-based number of the averaging.
        """
        momentum = min(1 - 1 / (iteration + 1), self.alpha) if self.ramp_up else self.alpha
        averaged: list[Tensor] = list(teacher.parameters())
        followed: list[Tensor] = list(student.parameters())
        if self.average_buffers:
            pairs = list(zip(teacher.buffers(), student.buffers(), strict=True))
            averaged += [ours for ours, _ in pairs if ours.is_floating_point()]
            followed += [theirs for _, theirs in pairs if theirs.is_floating_point()]
            for ours, theirs in pairs:
                if not ours.is_floating_point():
                    ours.copy_(theirs)
        if self.copy_buffers:
            for ours, theirs in zip(teacher.buffers(), student.buffers(), strict=True):
                ours.copy_(theirs)
        if momentum == 0:
            torch._foreach_copy_(averaged, followed)
        else:
            torch._foreach_lerp_(averaged, followed, 1 - momentum)

    @torch.no_grad()
    def __call__(self, teacher: nn.Module, images: Tensor) -> HardTargets:
        """The likeliest class of every pixel of images (B, 3, H, W) by the teacher, and its probability.

        Scores are enlarged in float32 at least, and by bands where the map of all of them would be large.
        """
        logits, size = teacher.small_logits(images)  # type: ignore[operator]
        logits = at_least_float32(logits)
        parts = [
            hard_targets(resize_band(logits, size, band, bool(teacher.align_corners)).softmax(dim=1))
            for band in bands(size, logits.shape[:2].numel(), self.band_limit)
        ]
        whole = (torch.cat(maps, dim=1) for maps in zip(*parts, strict=True))
        return HardTargets(*(maps[:, : images.shape[2], : images.shape[3]] for maps in whole))
