"""Records of trainings that were run without the harness: a folder with a log and the scores of ``tools/test.py``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmseg.engine.config import load_config
from mmseg.engine.config_text import read_config_text
from mmseg.evaluation.result_file import read_result
from mmseg.experiments.benchmark.budget import preset_of
from mmseg.experiments.benchmark.collect import FinishedRow, environment, fingerprint, scores_of, training_facts
from mmseg.experiments.benchmark.records import RowRecord
from mmseg.experiments.benchmark.rows import Benchmark, Row
from mmseg.experiments.benchmark.training_log import LOG, read_training_log

# Options of an evaluation -> the stage that it would be.
TESTS = {(): 'test', ('ema',): 'test_teacher', ('adapt_bn',): 'test_adabn'}


def is_plain_run(folder: Path) -> bool:
    """Whether a folder is that of one training."""
    return (folder / LOG).is_file()


def collect_plain_run(benchmarks: Mapping[str, Benchmark], folder: Path) -> FinishedRow:
    """Read the folder of a training.

    Raises:
        FileNotFoundError: it was not tested.
        ValueError: no row is this training, or it is another length than its scores say.
    """
    results = [read_result(path) for path in sorted(folder.glob('eval_latest*.json'))]
    by_test = {TESTS[one.options]: one for one in results if one.options in TESTS}
    if 'test' not in by_test:
        raise FileNotFoundError(f'{folder}: not tested; run: python -m tools.test {folder} --eval mIoU')
    log = read_training_log(folder)
    text = log.meta.get('config')
    if not isinstance(text, str) or 'seed' not in log.meta:
        raise ValueError(f'{folder / LOG}: does not tell the config and the seed of its run')
    settings = json.loads(json.dumps(read_config_text(text), default=str))
    tested_config = json.loads(by_test['test'].path.read_text(encoding='utf-8')).get('config', '')
    benchmark, row = _row(benchmarks, folder, tested_config, settings)
    config = benchmark.config_file(row.config)
    iterations = int(settings['train_cfg']['max_iters'])
    tested = by_test['test'].iteration
    if tested != iterations:
        raise ValueError(f'{folder}: trained for {iterations} iterations, tested at {tested}')
    record = RowRecord(
        benchmark=benchmark.name,
        row=row.name,
        seed=int(log.meta['seed']),
        preset=preset_of(benchmark, row, iterations),
        iterations=iterations,
        trainings={'train': training_facts(config, settings, log)},
        tests={name: scores_of(by_test[name], 'train') for name in TESTS.values() if name in by_test},
        final='test',
        environment={'began': str(log.meta.get('started', '')), **environment([log])},
        fingerprint=fingerprint(settings),
    )
    return FinishedRow(record, {'train': log}, folder)


def _row(
    benchmarks: Mapping[str, Benchmark], folder: Path, config: str, settings: Mapping[str, Any]
) -> tuple[Benchmark, Row]:
    """The row whose config was trained: by the file that was tested, or, where that is the run's own copy, by name."""
    candidates = [
        (benchmark, row)
        for benchmark in benchmarks.values()
        for row in benchmark.rows
        if not (row.is_chain or row.options) and row.length == 1
    ]
    for benchmark, row in candidates:
        if benchmark.config_file(row.config) == config:
            return benchmark, row
    if Path(config).parent.resolve() == folder.resolve():
        for benchmark, row in candidates:
            if load_config(benchmark.config_file(row.config)).get('name') == settings.get('name'):
                return benchmark, row
    raise ValueError(f'{folder}: {config or "its config"} is the config of no row')
