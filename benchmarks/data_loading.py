"""Images per second that one loader worker makes, and which step of the pipeline takes the time.

    python benchmarks/data_loading.py                                     # the demo's pair, if data/demo is there
    python benchmarks/data_loading.py configs/daformer/CONFIG.py configs/ddb/CONFIG.py --samples 200
    python benchmarks/data_loading.py --packed --json numbers.json        # also from packed copies

Reads the training data of configs as training does, in this process and on one thread, so the numbers are those of one
worker. The first pass over the files warms the disk cache and is not counted. Packed copies are made in a temporary
folder (tools/pack_dataset.py).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

CONFIGS = ('configs/demo/daformer.py',)


def parse_arguments() -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('configs', nargs='*', default=CONFIGS, metavar='CONFIG')
    parser.add_argument('--samples', type=int, default=40, help='measured samples, or pairs of both domains')
    parser.add_argument('--packed', action='store_true', help='measure packed copies too')
    parser.add_argument('--json', type=Path, help='file for all numbers, with hardware and versions')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
                        help='changes to all configs')  # fmt: skip
    return parser.parse_args()


def single_datasets(dataset: Any, name: str = '') -> Iterator[tuple[str, Any]]:
    """The data sets with a pipeline of their own in a training set, by their place."""
    for side in ('source', 'target'):
        inner = getattr(dataset, side, None)
        if inner is not None:
            yield from single_datasets(inner, side)
    for number, inner in enumerate(getattr(dataset, 'datasets', ())):
        yield from single_datasets(inner, f'{name}[{number}]')
    if hasattr(dataset, 'pipeline'):
        yield name or 'images', dataset


def timed(seconds: dict[str, float], key: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A transform that adds the time it takes to ``seconds[key]``."""

    def run(results: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(results)
        finally:
            seconds[key] += time.perf_counter() - start

    for flag in ('random', 'changes_labels'):
        setattr(run, flag, getattr(function, flag, True))
    return run


def measure(dataset: Any, samples: int) -> float:
    """Seconds per sample."""
    for number in range(samples):
        dataset[number]
    start = time.perf_counter()
    for number in range(samples):
        dataset[number]
    return (time.perf_counter() - start) / samples


def by_transform(dataset: Any, samples: int) -> dict[tuple[str, str], float]:
    """Milliseconds per sample of each transform of each data set; pipelines are changed."""
    tables = []
    for name, part in single_datasets(dataset):
        seconds: dict[str, float] = defaultdict(float)
        part.pipeline.transforms = [timed(seconds, type(item).__name__, item) for item in part.pipeline.transforms]
        tables.append((f'{name} ({part.name})', seconds))
    for number in range(samples):
        dataset[number]
    return {(name, key): 1000 * value / samples for name, table in tables for key, value in table.items()}


def with_packs(cfg: Any, folder: str) -> Any:
    """A copy of a config's training dataset that reads packed copies, made in ``folder``."""
    from mmseg.datasets.packed import pack
    from mmseg.registry import DATASETS
    from tools.pack_dataset import singles

    dataset = cfg.to_dict()['train_dataloader']['dataset']
    for number, (_, config) in enumerate(singles(dataset, '')):
        config.pop('packed', None)
        pack(DATASETS.build(config), f'{folder}/{number}', announce=lambda text: None)
        config['packed'] = f'{folder}/{number}'
    return dataset


def run_dataset(config: Any, samples: int, title: str) -> dict[str, Any]:
    """Measure and print one training dataset."""
    from mmseg.registry import DATASETS

    dataset = DATASETS.build(config)
    seconds = measure(dataset, samples)
    both = hasattr(dataset, 'source') and hasattr(dataset, 'target')
    print(f'\n{title}\n{1 / seconds:.1f} {"pairs" if both else "images"} per second and worker '
          f'({1000 * seconds:.1f} ms each)\n\n| data set | step | ms |\n|---|---|---|')  # fmt: skip
    steps = by_transform(dataset, samples)
    for (name, step), milliseconds in steps.items():
        print(f'| {name} | {step} | {milliseconds:.2f} |', flush=True)
    return {
        'dataset': title,
        'samples_per_second': 1 / seconds,
        'milliseconds': [{'dataset': name, 'step': step, 'ms': value} for (name, step), value in steps.items()],
    }


def main() -> None:
    """Run the command."""
    options = parse_arguments()
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    import cv2
    import torch

    from mmseg.engine.config import load_config

    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    machine = {
        'device': platform.processor() or platform.machine(),
        'threads': 1,
        'opencv': cv2.__version__,
        'torch': torch.__version__,
        'python': platform.python_version(),
        'date': time.strftime('%Y-%m-%d'),
    }
    print(', '.join(f'{key} {value}' for key, value in machine.items()))
    results = []
    for path in options.configs:
        path = path if Path(path).is_file() else str(ROOT / path)
        if not Path(path).is_file():
            sys.exit(f'error: no config {path}')
        cfg = load_config(path, options.cfg_options)
        try:
            results.append(run_dataset(cfg.train_dataloader.dataset, options.samples, path))
            if options.packed:
                with tempfile.TemporaryDirectory() as folder:
                    packed = with_packs(cfg, folder)
                    results.append(run_dataset(packed, options.samples, f'{path}, packed'))
        except (FileNotFoundError, ValueError) as error:
            sys.exit(f'error: {path}: {error}')
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({'machine': machine, 'datasets': results}, indent=1) + '\n')


if __name__ == '__main__':
    main()
