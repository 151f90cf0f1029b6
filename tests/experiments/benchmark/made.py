"""Records made up for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmseg.experiments.benchmark.records import RowRecord, Scores, TrainingFacts


def record(row: str, seed: int = 0, benchmark: str = 'demo', **tests: float) -> RowRecord:
    """A record of a row with one training; ``tests`` are mIoU by stage, the first one counts."""
    scores = {name: Scores('train', (), 100, 5, miou, {'road': miou + 1, 'car': None}) for name, miou in tests.items()}
    facts: dict[str, Any] = {'began': '2026-11-21 10:00:00', 'device': 'CPU', 'torch': '2.9', 'python': '3.11'}
    return RowRecord(
        benchmark=benchmark,
        row=row,
        seed=seed,
        preset='cpu',
        iterations=1200,
        trainings={'train': TrainingFacts('configs/demo/dacs.py', (), 1200, 2.0, 1000 + seed)},
        tests=scores,
        final=next(iter(tests)),
        environment=facts,
        path=Path(f'{row}_s{seed}.json'),
    )
