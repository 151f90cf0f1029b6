"""Batch norm over the batches of all processes."""

from __future__ import annotations

from torch import nn


def synchronised(network: nn.Module) -> nn.Module:
    """The network with its batch norms exchanged for synchronised ones, which share weights and statistics with them.

    timm's batch norms with activation keep theirs (PyTorch's own conversion drops it). All modules stay in their mode:
    in eval mode, as in frozen networks, a synchronised norm computes what the plain one does, without communication.
    """
    from timm.layers import convert_sync_batchnorm  # a slow import

    modes = {name: module.training for name, module in network.named_modules(remove_duplicate=False)}
    network = convert_sync_batchnorm(network)
    for name, module in network.named_modules():
        module.training = modes[name]  # timm 1.0.12 puts all norms into training mode
    return network
