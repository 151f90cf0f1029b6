"""The device that a command line names."""

from __future__ import annotations

import torch


def usable_device(device: str | torch.device | None) -> torch.device:
    """The device of that name; None = the GPU if there is one.

    Raises:
        ValueError: it is no device, or not there.
    """
    if device is None:
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        found = torch.device(device)
    except RuntimeError:
        raise ValueError(f'{device!r} is no device; there are cpu, cuda, cuda:0, ...') from None
    if found.type == 'cuda' and (found.index or 0) >= torch.cuda.device_count():
        raise ValueError(f'device {device}: this machine has {torch.cuda.device_count()} usable GPUs')
    return found
