"""Time and memory of predicting one large image: whole, by windows one after the other, by windows in batches.

    python benchmarks/inference.py                                        # two demo networks, random weights
    python benchmarks/inference.py --configs configs/hrda/CONFIG.py --size 1024x2048 --crop 1024x1024 --device cuda

Everything is a ratio to the whole image without test-time augmentation (TTA: three scales and their mirror images).
Memory is the most that tensors held at once beyond the weights: on a GPU as its allocator counts, on a CPU as the
profiler does. That the ways of batching give the same is for the tests, not for this script.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

CONFIGS = ('configs/demo/daformer.py', 'configs/demo/hrda.py')
TTA_SCALES = (0.75, 1.0, 1.25)


@dataclass(frozen=True)
class Cost:
    """What a prediction took."""

    seconds: float
    bytes: int


def parse_size(text: str) -> tuple[int, int]:
    """`512x1024` -> (512, 1024)."""
    height, _, width = text.partition('x')
    if not (height.isdigit() and width.isdigit()):
        raise argparse.ArgumentTypeError(f'{text!r} is no size: HEIGHTxWIDTH, as in 512x1024')
    return int(height), int(width)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--configs', nargs='+', default=CONFIGS, metavar='CONFIG')
    parser.add_argument('--size', type=parse_size, default=(512, 1024), help='of the image (default: 512x1024)')
    parser.add_argument('--result', type=parse_size, help='original size to resize to (default: --size)')
    parser.add_argument('--crop', type=parse_size, default=(256, 256), help='windows, half overlapping')
    parser.add_argument('--windows', nargs='+', type=int, default=(1, 2, 4, 8, 32), help='window batch sizes')
    parser.add_argument('--no-tta', action='store_true', help='leave out test-time augmentation')
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--precision', choices=('fp32', 'tf32', 'bf16'), default='fp32')
    parser.add_argument('--device', help='default: the GPU if there is one')
    return parser.parse_args()


def settings(crop: tuple[int, int], windows: list[int]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and ``test_cfg`` of what is measured."""
    yield 'whole', {'mode': 'whole'}
    slide = {'mode': 'slide', 'crop_size': crop, 'stride': (crop[0] // 2, crop[1] // 2)}
    yield 'slide', slide
    for count in windows:
        yield f'slide, batches of {count}', slide | {'batched_slide': True, 'batch_pixels': count * crop[0] * crop[1]}


def measure(predict: Callable[[], Any], device: str, repeats: int) -> Cost:
    """The median time of a prediction, and the memory of one."""
    import torch

    wait = torch.cuda.synchronize if device.startswith('cuda') else lambda: None
    used = peak_bytes(predict, device)
    seconds = []
    for _ in range(repeats):
        wait()
        start = time.perf_counter()
        predict()
        wait()
        seconds.append(time.perf_counter() - start)
    return Cost(statistics.median(seconds), used)


def peak_bytes(predict: Callable[[], Any], device: str) -> int:
    """The most bytes that the tensors of a prediction hold at once, beyond the weights."""
    import torch

    from benchmarks._memory import PeakMemory

    before = torch.cuda.memory_allocated() if device.startswith('cuda') else 0
    with PeakMemory(torch.device(device)) as memory:
        predict()
    return memory.bytes - before


def compare(path: str, options: argparse.Namespace, device: str) -> Iterator[list[str]]:
    """Rows of the table of one config."""
    import torch

    from mmseg.engine.config import load_config
    from mmseg.engine.precision import Precision
    from mmseg.evaluation.evaluate import build_networks
    from mmseg.models.segmentors.inference_options import InferenceOptions
    from mmseg.structures import SegDataSample

    torch.manual_seed(0)
    network = build_networks(load_config(path))[1].to(device).eval()
    precision = Precision(options.precision)
    precision.apply_global_flags()
    image = torch.randn(1, 3, *options.size, device=device)
    scales = [torch.nn.functional.interpolate(image, scale_factor=ratio, mode='bilinear') for ratio in TTA_SCALES]
    result = options.result or options.size

    def predict(images: Any) -> None:
        with torch.inference_mode(), precision.autocast(device):
            network.predict(images, [SegDataSample(metainfo={'ori_shape': result})])

    base: Cost | None = None
    for tta in (False,) if options.no_tta else (False, True):
        for name, test_cfg in settings(options.crop, options.windows):
            network.inference_options = InferenceOptions.from_config({**test_cfg, 'flip_tta': tta})
            images = scales if tta else image
            cost = measure(lambda images=images: predict(images), device, options.repeats)
            base = base or cost
            ratios = [f'{cost.seconds / base.seconds:.2f}', f'{cost.bytes / base.bytes:.2f}']
            yield [name + (' + TTA' if tta else ''), *ratios, f'{cost.bytes / 2**20:.0f} MiB']


def main() -> None:
    """Run the command."""
    options = parse_arguments()
    for path in options.configs:
        if not Path(path).is_file() and not (ROOT / path).is_file():
            sys.exit(f'error: no config {path}')
    import torch

    device = options.device or ('cuda' if torch.cuda.is_available() else 'cpu')
    where = torch.cuda.get_device_name() if device.startswith('cuda') else platform.processor() or platform.machine()
    height, width = options.size
    print(f'{height}x{width}, {options.precision}, torch {torch.__version__}, {where}, '
          f'{torch.get_num_threads()} threads')  # fmt: skip
    for path in options.configs:
        print(f'\n{path}\n\n| prediction | time | memory | |\n|---|---|---|---|')
        for cells in compare(path if Path(path).is_file() else str(ROOT / path), options, device):
            print('| ' + ' | '.join(cells) + ' |', flush=True)


if __name__ == '__main__':
    main()
