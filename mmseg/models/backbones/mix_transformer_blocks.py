"""Blocks of the Mix Transformer, on maps (B, H, W, C).

Tokens (B, N, C) in row-major order are the memory of an NHWC map: linear layers and norms work on the last axis,
convolutions see the same memory as a channels-last (B, C, H, W) view, and nothing is transposed.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


def _convolved(conv: nn.Module, x: Tensor) -> Tensor:
    """A convolution on a map (B, H, W, C)."""
    return conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class PatchEmbed(nn.Module):
    """Overlapping patches: strided convolution and norm, (B, H, W, C) to (B, ceil(H / s), ceil(W / s), dim)."""

    def __init__(self, in_channels: int, dim: int, kernel_size: int, stride: int):
        super().__init__()
        self.proj = nn.Conv2d(in_channels, dim, kernel_size, stride, padding=kernel_size // 2)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(_convolved(self.proj, x))


class Attention(nn.Module):
    """Self-attention whose keys and values come from a map reduced by ``sr_ratio`` in each direction."""

    def __init__(self, dim: int, num_heads: int, qkv_bias: bool, sr_ratio: int):
        super().__init__()
        self.num_heads = num_heads
        self.q = nn.Linear(dim, dim, bias=qkv_bias)
        self.kv = nn.Linear(dim, 2 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim)
        self.sr_ratio = sr_ratio
        if sr_ratio > 1:
            self.sr = nn.Conv2d(dim, dim, kernel_size=sr_ratio, stride=sr_ratio)
            self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        batch, _, _, dim = x.shape
        reduced = self.norm(_convolved(self.sr, x)) if self.sr_ratio > 1 else x
        head_dim = dim // self.num_heads
        query = self.q(x).reshape(batch, -1, self.num_heads, head_dim).transpose(1, 2)
        # The first half of kv's channels are the keys, the second the values.
        key_value = self.kv(reduced).reshape(batch, -1, 2, self.num_heads, head_dim)
        key, value = key_value.permute(2, 0, 3, 1, 4).unbind(0)
        out = F.scaled_dot_product_attention(query, key, value)  # (B, heads, N, head_dim)
        return self.proj(out.transpose(1, 2).reshape(x.shape))


class DepthwiseConv(nn.Module):
    """3x3 convolution of each channel on its own; gives the tokens their positions."""

    def __init__(self, dim: int):
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, kernel_size=3, padding=1, groups=dim)

    def forward(self, x: Tensor) -> Tensor:
        return _convolved(self.dwconv, x)


class MixFFN(nn.Module):
    """Two linear layers with a depthwise convolution and GELU between them."""

    def __init__(self, dim: int, hidden_dim: int):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden_dim)
        self.dwconv = DepthwiseConv(hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.dwconv(self.fc1(x))))


class Block(nn.Module):
    """Attention and feed-forward, each normed before, added to its input, and dropped with ``drop_path``."""

    def __init__(
        self,
        dim: int,
        num_heads: int,
        mlp_ratio: float,
        qkv_bias: bool,
        sr_ratio: int,
        norm_eps: float,
        drop_path: nn.Module,
    ):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=norm_eps)
        self.attn = Attention(dim, num_heads, qkv_bias, sr_ratio)
        self.drop_path = drop_path
        self.norm2 = nn.LayerNorm(dim, eps=norm_eps)
        self.mlp = MixFFN(dim, int(dim * mlp_ratio))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))
