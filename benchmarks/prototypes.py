"""Time and memory of adding up features by class, against the naive way: features expanded to N x C x A.

    python benchmarks/prototypes.py [--size small|large] [--device cuda] [--repeat 5]

19 classes, 2048 channels; small = 2x65x129 positions, large = 2x128x256. The expansion of the large size needs over
10 GB; where it does not fit, it is said so. Prints ratios; the numbers of both ways come from one process.
"""

from __future__ import annotations

import argparse
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from mmseg.models.uda.components.prototypes import PrototypeBank  # noqa: E402

CLASSES, CHANNELS = 19, 2048
SIZES = {'small': (2, 65, 129), 'large': (2, 128, 256)}


def naive_update(vectors: Tensor, counts: Tensor, features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The running mean by a product of features and labels, both expanded to (N, C, A)."""
    rows, labels = features.movedim(1, -1).flatten(0, 2), labels.flatten()
    rows, labels = rows[labels != 255], labels[labels != 255]
    member = (labels[:, None] == torch.arange(CLASSES, device=labels.device)).to(rows.dtype)
    picked = rows[:, None, :].expand(-1, CLASSES, -1) * member[:, :, None].expand(-1, -1, CHANNELS)
    new = member.sum(0)
    mean = picked.sum(0) / new.clamp(min=1)[:, None]
    share = (new / (counts + new).clamp(min=1))[:, None]
    return vectors * (1 - share) + mean * share, counts + new


def measured(work: Callable[[], None], device: torch.device, repeat: int) -> tuple[float, float]:
    """Seconds of the fastest call, and the most megabytes that it needed on top."""
    if device.type == 'cuda':
        work()
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        work()
        torch.cuda.synchronize()
        extra = (torch.cuda.max_memory_allocated() - before) / 1e6
    else:
        extra = _cpu_peak(work)
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        if device.type == 'cuda':
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return min(seconds), extra


def _resident() -> int:
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * resource.getpagesize()


def _cpu_peak(work: Callable[[], None]) -> float:
    """Watched from a thread, as the kernel's own peak never falls."""
    start, peak, done = _resident(), [_resident()], threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            peak[0] = max(peak[0], _resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    return (peak[0] - start) / 1e6


def compare(size: str, device: torch.device, repeat: int) -> None:
    """Measure both ways at one size and print a line."""
    batch, height, width = SIZES[size]
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(batch, CHANNELS, height, width, generator=generator).relu().to(device)
    labels = torch.randint(0, CLASSES + 1, (batch, height, width), generator=generator)
    labels = labels.masked_fill(labels == CLASSES, 255).to(device)
    bank = PrototypeBank(CLASSES, CHANNELS).to(device)
    zeros = torch.zeros(CLASSES, CHANNELS, device=device), torch.zeros(CLASSES, device=device)
    ours = measured(lambda: bank.update(features, labels), device, repeat)
    print(
        f'{batch}x{height}x{width} ({device.type}): bank {1e3 * ours[0]:.1f} ms, {ours[1]:.0f} MB', end='; ', flush=True
    )
    try:
        theirs = measured(lambda: naive_update(*zeros, features, labels) and None, device, max(1, repeat // 2))
    except (RuntimeError, MemoryError) as error:
        print(f'expansion does not fit: {str(error).splitlines()[0][:80]}')
        return
    print(
        f'expansion {1e3 * theirs[0]:.1f} ms, {theirs[1]:.0f} MB; '
        f'{theirs[0] / ours[0]:.0f} times the time, {theirs[1] / max(ours[1], 1):.0f} times the memory'
    )
    fresh = PrototypeBank(CLASSES, CHANNELS).to(device)
    fresh.update(features, labels)
    print(f'largest difference: {(fresh.vectors - naive_update(*zeros, features, labels)[0]).abs().max():.1e}')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--size', choices=[*SIZES, 'both'], default='both')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--repeat', type=int, default=5)
    options = parser.parse_args()
    for size in SIZES if options.size == 'both' else [options.size]:
        compare(size, torch.device(options.device), options.repeat)


if __name__ == '__main__':
    main()
