"""DANet's head: attention among positions and attention among channels, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from mmseg.models.decode_heads.decode_head import BaseDecodeHead, HeadOutput
from mmseg.registry import MODELS


class Scale(nn.Module):
    """Multiplication with one learned number, 0 at first."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x


class PositionAttention(nn.Module):
    """PAM: every position attends to all others, softmax(q k) v without the usual scaling, and a residual."""

    def __init__(self, channels: int, key_channels: int):
        super().__init__()
        self.query_project = nn.Conv2d(channels, key_channels, 1)
        self.key_project = nn.Conv2d(channels, key_channels, 1)
        self.value_project = nn.Conv2d(channels, channels, 1)
        self.gamma = Scale()

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels, h, w) to the same shape."""
        query, key, value = (
            project(x).flatten(2).transpose(1, 2)[:, None]  # one head: fused kernels and ONNX want the axis
            for project in (self.query_project, self.key_project, self.value_project)
        )
        attended = F.scaled_dot_product_attention(query, key, value, scale=1.0)[:, 0]
        return self.gamma(attended.transpose(1, 2).reshape_as(x)) + x


class ChannelAttention(nn.Module):
    """CAM: every channel attends to those least like it, with a residual."""

    def __init__(self):
        super().__init__()
        self.gamma = Scale()

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels, h, w) to the same shape."""
        flat = x.flatten(2)
        energy = flat @ flat.transpose(1, 2)
        # the published softmax(rowmax(E) - E): softmax does not see the constant of a row
        attended = (-energy).softmax(dim=-1) @ flat
        return self.gamma(attended.reshape_as(x)) + x


@MODELS.register_module()
class DAHead(BaseDecodeHead):
    """Dual attention (Fu et al., arXiv:1809.02983): predictions of the sum of both branches, and of each for training.

    Args:
        pam_channels: channels of the position attention's keys and queries.
    """

    def __init__(self, pam_channels: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.pam_in_conv = self._conv(self.in_channels)
        self.pam = PositionAttention(self.channels, pam_channels)
        self.pam_out_conv = self._conv(self.channels)
        self.pam_conv_seg = nn.Conv2d(self.channels, self.num_classes, 1)
        self.cam_in_conv = self._conv(self.in_channels)
        self.cam = ChannelAttention()
        self.cam_out_conv = self._conv(self.channels)
        self.cam_conv_seg = nn.Conv2d(self.channels, self.num_classes, 1)

    def _conv(self, in_channels: int) -> ConvModule:
        return ConvModule(in_channels, self.channels, 3, padding=1, **self.conv_options)

    def forward(self, features: Sequence[Tensor]) -> HeadOutput:
        x = self.level(features)
        positions = self.pam_out_conv(self.pam(self.pam_in_conv(x)))
        channels = self.cam_out_conv(self.cam(self.cam_in_conv(x)))
        embedding = positions + channels
        logits = {
            'main': self.classify(embedding),
            'pam': self.pam_conv_seg(self.dropout(positions)),
            'cam': self.cam_conv_seg(self.dropout(channels)),
        }
        return HeadOutput(logits, embedding)

    def losses(self, logits: dict[str, Tensor], labels: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """Loss and accuracy of the three predictions: ``pam_cam.loss_seg``, ``pam.loss_seg``, ``cam.loss_seg``, ..."""
        names = {'pam_cam': 'main', 'pam': 'pam', 'cam': 'cam'}
        return {
            f'{name}.{key}': value
            for name, prediction in names.items()
            for key, value in self.loss(logits[prediction], labels, weight).items()
        }
