"""What a benchmark's numbers were made on."""

from __future__ import annotations

import platform


def machine() -> str:
    """PyTorch's version, device, threads."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor() or platform.machine()
    return f'torch {torch.__version__}, {device}, {torch.get_num_threads()} threads'
