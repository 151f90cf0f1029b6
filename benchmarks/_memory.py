"""The most memory that tensors hold at once."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import torch


class PeakMemory:
    """A context; afterwards ``bytes`` is the most that tensors held at once within it.

    On a GPU by its allocator, with what was there before; on a CPU by the profiler, beyond what was there before.

    Args:
        device: where the tensors are.
    """

    def __init__(self, device: torch.device) -> None:
        self.on_gpu = device.type == 'cuda'
        self.bytes = 0

    @property
    def mib(self) -> float:
        """In units of 2^20 bytes."""
        return self.bytes / 2**20

    def __enter__(self) -> PeakMemory:
        if self.on_gpu:
            torch.cuda.reset_peak_memory_stats()
        else:
            os.environ.setdefault('KINETO_LOG_LEVEL', '9')  # the profiler tells each start and stop
            self._profile = torch.profiler.profile(
                activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
            )
            self._profile.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        if self.on_gpu:
            self.bytes = torch.cuda.max_memory_allocated()
            return
        self._profile.__exit__(*error)
        with tempfile.TemporaryDirectory() as folder:
            self._profile.export_chrome_trace(f'{folder}/trace.json')
            events = json.loads(Path(f'{folder}/trace.json').read_text(encoding='utf-8'))['traceEvents']
        changes = sorted((event['ts'], event['args']['Bytes']) for event in events if event.get('name') == '[memory]')
        held = 0
        for _, change in changes:
            held += change
            self.bytes = max(self.bytes, held)
