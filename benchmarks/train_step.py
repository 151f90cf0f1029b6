"""Speed of a training step: iterations per second, time of each part, memory, share of the device's peak.

    python benchmarks/train_step.py                                       # a demo config on a CPU
    python benchmarks/train_step.py configs/daformer/CONFIG.py --modes plain fp32 tf32 bf16 bf16+channels_last
    python benchmarks/train_step.py configs/mic/CONFIG.py --plain --modes bf16+channels_last+compiled --json mic.json

Batches are made up and weights are random: no data, no downloads. ``plain`` is the step as code bases of this field had
it (float32 with torch's default flags, a backward of its own for the feature distance, one average per teacher
parameter, waiting for the device where they did); the last column is the speed against it. All modes run in one
process, one after the other, each in a fresh network. Operations are those of convolutions, matrix products and
attention; a device's peak is that of dense bfloat16 products, as its maker states it, or ``--peak``.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks._step_modes import WORDS, build, parse_mode, without_weights  # noqa: E402

CONFIGS = ('configs/demo/daformer.py',)
PEAK_TFLOPS = {'H200': 989.0, 'H100': 989.0, 'A100': 312.0, 'L40S': 362.0, 'RTX 4090': 165.0, 'A10': 125.0}


@dataclass
class Result:
    """What one mode gave.

    Attributes:
        mode: its name.
        iterations_per_second: of the median step.
        memory_mib: most memory that the step held, networks and optimizer included.
        teraflop: operations per iteration, in 10^12.
        peak_share: of the device's bfloat16 peak; None where that is not known.
        launches: operations that a step starts on the device, each a kernel or a few; None where networks are compiled.
        waits: how often the host waited for the GPU in a step; None on a CPU, which has nothing to wait for.
        parts: milliseconds per iteration by part of the step.
    """

    mode: str
    iterations_per_second: float
    memory_mib: float
    teraflop: float
    peak_share: float | None
    launches: int | None = None
    waits: int | None = None
    parts: dict[str, float] = field(default_factory=dict)


def parse_arguments() -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('configs', nargs='*', default=CONFIGS, metavar='CONFIG')
    parser.add_argument('--modes', nargs='+', type=parse_mode, default=['fp32'], metavar='MODE',
                        help=f'words joined by +: {", ".join(WORDS)}')  # fmt: skip
    parser.add_argument('--plain', action='store_true', help='measure the baseline first (as --modes plain ...)')
    parser.add_argument('--batch', type=int, help="images per domain (default: the config's)")
    parser.add_argument('--crop', type=parse_size, help="HEIGHTxWIDTH (default: the config's crop)")
    parser.add_argument('--iterations', type=int, default=10, help='measured steps')
    parser.add_argument('--warmup', type=int, default=3, help='steps before')
    parser.add_argument('--device', help='default: the GPU if there is one')
    parser.add_argument('--peak', type=float, help="TFLOP/s of the device's dense bfloat16 products")
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE', help='changes to all configs'
    )
    parser.add_argument('--json', type=Path, help='file for all numbers, with hardware and versions')
    return parser.parse_args()


def parse_size(text: str) -> tuple[int, int]:
    """`512x1024` -> (512, 1024)."""
    height, _, width = text.partition('x')
    if not (height.isdigit() and width.isdigit()):
        raise argparse.ArgumentTypeError(f'{text!r} is no size: HEIGHTxWIDTH, as in 512x1024')
    return int(height), int(width)


def crop_of(cfg: Any) -> tuple[int, int]:
    """The crop that a config's training sees, in pixels."""
    dataset = cfg.train_dataloader.dataset
    if dataset.get('sync_crop_size'):
        return tuple(dataset.sync_crop_size)
    pipeline = (dataset.get('target') or dataset).get('pipeline')
    sizes = [step.crop_size for step in pipeline if step.get('crop_size')]
    if not sizes:
        sys.exit(f'error: {cfg.filename} has no RandomCrop in its training pipeline: give --crop HEIGHTxWIDTH')
    return tuple(sizes[-1])


def measure(cfg: Any, mode: str, size: tuple[int, int], batch: int, device: Any, options: argparse.Namespace) -> Result:
    """Train a few steps on made-up batches."""
    import torch

    from benchmarks._flops import count
    from benchmarks._launches import count_launches
    from benchmarks._memory import PeakMemory
    from benchmarks._synthetic import loader_batch
    from benchmarks._timeline import Timeline, watch

    method, optim_wrapper = build(cfg, mode, device)
    adapts = cfg['train_dataloader']['dataset'].get('type') == 'UDADataset'
    depth = cfg.get('uda', {}).get('depth_guidance') is not None
    data = loader_batch(size, batch, method.student.num_classes, adapts, depth, pin=device.type == 'cuda')
    wait = torch.cuda.synchronize if device.type == 'cuda' else lambda: None

    def step() -> None:
        method.train_step(data, optim_wrapper)

    for _ in range(max(options.warmup, 1)):
        step()
    with PeakMemory(device) as memory:
        step()
    seconds = []
    for _ in range(options.iterations):
        wait()
        start = time.perf_counter()
        step()
        wait()
        seconds.append(time.perf_counter() - start)
    teraflop = count(step) / 1e12
    launches = None if {'compiled', 'cuda_graphs'} & set(mode.split('+')) else count_launches(step)
    timeline = Timeline(device)
    watch(method, optim_wrapper, timeline)
    for _ in range(options.iterations):
        timeline.switch('prepare')
        step()
    timeline.switch('end')
    parts = {name: value / options.iterations for name, value in timeline.milliseconds().items()}
    rate = 1 / statistics.median(seconds)
    return Result(mode, rate, memory.mib, teraflop, None, launches, host_waits(step, device), parts)


def host_waits(step: Callable[[], None], device: Any) -> int | None:
    """Operations of a step for which the host waits for the GPU; None on a CPU."""
    import torch

    if device.type != 'cuda':
        return None
    torch.cuda.synchronize()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        torch.cuda.set_sync_debug_mode('warn')
        try:
            step()
        finally:
            torch.cuda.set_sync_debug_mode('default')
    return sum('synchronizing CUDA operation' in str(warning.message) for warning in caught)


def machine(device: Any) -> dict[str, Any]:
    """What the numbers were made on."""
    import torch

    name = torch.cuda.get_device_name(device) if device.type == 'cuda' else platform.processor() or platform.machine()
    return {
        'device': name,
        'threads': torch.get_num_threads(),
        'torch': torch.__version__,
        'cuda': torch.version.cuda if device.type == 'cuda' else None,
        'python': platform.python_version(),
        'date': time.strftime('%Y-%m-%d'),
    }


def peak_of(name: str, options: argparse.Namespace) -> float | None:
    """TFLOP/s of a device's dense bfloat16 products, if known."""
    return options.peak or next((peak for key, peak in PEAK_TFLOPS.items() if key in name), None)


def print_table(results: list[Result]) -> None:
    """Markdown: a row per mode, then the parts of the step in milliseconds."""
    base = results[0]
    print(
        f'| mode | it/s | against {base.mode} | memory | against {base.mode} | TFLOP/it | share of peak '
        '| launches | host waits |'
    )
    print('|---' * 9 + '|')
    for result in results:
        share = '' if result.peak_share is None else f'{100 * result.peak_share:.1f} %'
        print(
            f'| {result.mode} | {result.iterations_per_second:.2f} '
            f'| {result.iterations_per_second / base.iterations_per_second:.2f}x | {result.memory_mib:.0f} MiB '
            f'| {result.memory_mib / base.memory_mib:.2f}x | {result.teraflop:.3f} | {share} '
            f'| {"" if result.launches is None else result.launches} | {"" if result.waits is None else result.waits} |'
        )
    names = list(dict.fromkeys(name for result in results for name in result.parts))
    print('\n| ms per iteration | ' + ' | '.join(result.mode for result in results) + ' |')
    print('|---' * (len(results) + 1) + '|')
    for name in names:
        print(f'| {name} | ' + ' | '.join(f'{result.parts.get(name, 0):.1f}' for result in results) + ' |', flush=True)


def run_config(path: str, options: argparse.Namespace, device: Any, peak: float | None) -> dict[str, Any]:
    """Measure and print all modes of one config."""
    import torch

    from mmseg.engine.config import load_config

    cfg = load_config(path, options.cfg_options)
    size, batch = options.crop or crop_of(cfg), options.batch or cfg.train_dataloader.get('batch_size', 2)
    plain_cfg: Mapping[str, Any] = without_weights(cfg.to_dict())
    print(f'\n{path}: batch {batch}, crop {size[0]}x{size[1]}\n', flush=True)
    results: list[Result] = []
    for mode in dict.fromkeys((['plain'] if options.plain else []) + options.modes):
        result = measure(plain_cfg, mode, size, batch, device, options)
        if peak:
            result.peak_share = result.teraflop * result.iterations_per_second / peak
        results.append(result)
        gc.collect()
        if device.type == 'cuda':
            torch.cuda.empty_cache()
    print_table(results)
    return {'config': path, 'batch': batch, 'crop': size, 'modes': [asdict(result) for result in results]}


def main() -> None:
    """Run the command."""
    options = parse_arguments()
    paths = [path if Path(path).is_file() else str(ROOT / path) for path in options.configs]
    for path in paths:
        if not Path(path).is_file():
            sys.exit(f'error: no config {path}')
    import torch

    device = torch.device(options.device or ('cuda' if torch.cuda.is_available() else 'cpu'))
    where = machine(device)
    print(', '.join(f'{key} {value}' for key, value in where.items() if value is not None))
    peak = peak_of(where['device'], options)
    configs = [run_config(path, options, device, peak) for path in paths]
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({'machine': where, 'configs': configs}, indent=1) + '\n')


if __name__ == '__main__':
    main()
