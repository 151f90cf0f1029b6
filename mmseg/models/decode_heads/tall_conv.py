"""A convolution of one column that is safe to train on every CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TallConv2d(nn.Conv2d):
    """A (k x 1) convolution; arguments as of ``nn.Conv2d``.

    On some CPUs oneDNN, as PyTorch 2.15 has it, writes beyond its memory in the weight gradient of a tall kernel on a
    low map (float32 with AVX-512, kernels from 19 on maps about half as high: ``free(): invalid next size``). Lying
    kernels are not concerned. So in training on a CPU, kernels higher than their map work on the map turned on its
    side, with the same result.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, C, H, W)."""
        if not self.is_risky(x):
            return super().forward(x)
        turned = torch.nn.functional.conv2d(
            x.mT.contiguous(),
            self.weight.mT.contiguous(),
            self.bias,
            self.stride[::-1],
            tuple(self.padding[::-1]),
            self.dilation[::-1],
            self.groups,
        )
        return turned.mT

    def is_risky(self, x: Tensor) -> bool:
        """Whether a weight gradient is to come for a kernel that is higher than the map, on a CPU."""
        learns = torch.is_grad_enabled() and self.weight.requires_grad
        return learns and x.device.type == 'cpu' and x.shape[2] < self.kernel_size[0]
