"""A quiet console: what concerns the run, not how the machinery sets itself up."""

from __future__ import annotations

import logging
import platform
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.logging import MMLogger

NOISE = ('Failed to search registry', 'An `', 'Hooks will be executed', 'The prefix is not set')


class QuietFilter(logging.Filter):
    """Drops information that mmengine's own files write, and its notes on where classes were looked up."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.getMessage().startswith(NOISE):
            return False
        path = record.pathname.replace('\\', '/')
        own = '/mmengine/' in path and '/mmengine/logging/' not in path
        return record.levelno >= logging.WARNING or not own


def quiet(logger: MMLogger) -> MMLogger:
    """Puts the filter before all of a logger's outputs."""
    for handler in logger.handlers:
        handler.addFilter(QuietFilter())
    return logger


def environment() -> dict[str, Any]:
    """Versions and device of this process, as plain strings and numbers."""
    cuda = torch.cuda.is_available()
    return {
        'python': platform.python_version(),
        'torch': str(torch.__version__),
        'device': torch.cuda.get_device_name() if cuda else f'CPU, {torch.get_num_threads()} threads',
    }


def one_line(values: Mapping[str, Any]) -> str:
    """``key value`` pairs for the console."""
    return ', '.join(f'{key} {value}' for key, value in values.items())
