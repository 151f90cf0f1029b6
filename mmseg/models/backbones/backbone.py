"""What all encoders share: pretrained weights, or an initialisation of their own."""

from __future__ import annotations

from torch import nn

from mmseg.engine.pretrained import load_pretrained


class Backbone(nn.Module):
    """An encoder: images (B, 3, H, W) to a sequence of levels, finest first.

    Attributes:
        out_channels: channels of each level.
        pretrained: file, published name or address of the weights (see ``load_pretrained``); None = from scratch.
        pretrained_loaded: whether :meth:`init_weights` loaded them.
    """

    out_channels: list[int]

    def __init__(self, pretrained: str | None = None):
        super().__init__()
        if pretrained is not None and not isinstance(pretrained, str):
            raise ValueError(f'{type(self).__name__}: pretrained must be a file name or None, got {pretrained!r}')
        self.pretrained = pretrained
        self.pretrained_loaded = False

    def init_weights(self) -> None:
        """Load the pretrained weights, or draw new ones where there are none.

        Raises:
            FileNotFoundError: if the file is missing; says where it goes and where it is published.
            ValueError: if it does not fit this network.
        """
        if self.pretrained is None:
            self.init_from_scratch()
        else:
            self.load_pretrained(self.pretrained)
            self.pretrained_loaded = True

    def init_from_scratch(self) -> None:
        """Draw new weights."""
        raise NotImplementedError

    def load_pretrained(self, source: str) -> None:
        """Read weights from a file."""
        load_pretrained(self, source)
