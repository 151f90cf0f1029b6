"""Time and memory of DDB's prototypes against a loop over classes on features enlarged to the image's size.

    python benchmarks/prototype_weights.py [--batch 1] [--size 512] [--device cuda] [--repeat 5]

256 channels at an eighth of the size, 19 classes: one teacher's class weights in a step of the distillation, and the
class means of a batch for the prototypes. Prints ratios; the numbers of both ways come from one process.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import Tensor  # noqa: E402

from benchmarks._machine import machine  # noqa: E402
from benchmarks._memory import PeakMemory  # noqa: E402
from mmseg.models.uda.components.prototype_distance import prototype_distances, prototype_weights  # noqa: E402
from mmseg.models.uda.components.prototypes import resized_class_sums  # noqa: E402

CLASSES, CHANNELS, STRIDE = 19, 256, 8


def loop_weights(features: Tensor, prototypes: Tensor, size: tuple[int, int]) -> Tensor:
    """Class weights by a loop over classes, on features of full size."""
    large = F.interpolate(features, size=size, mode='bilinear', align_corners=False)
    distances = [(large - prototype[:, None, None]).norm(dim=1) for prototype in prototypes]
    return torch.softmax(-torch.stack(distances, dim=1), dim=1)


def loop_means(features: Tensor, labels: Tensor) -> Tensor:
    """(B, C, A) means by a loop over images and classes, on features of full size."""
    large = F.interpolate(features, size=labels.shape[1:], mode='bilinear', align_corners=False)
    means = features.new_zeros(len(features), CLASSES, CHANNELS)
    for image in range(len(features)):
        for number in range(CLASSES):
            mask = labels[image] == number
            means[image, number] = (large[image] * mask).sum(dim=(1, 2)) / mask.sum().clamp(min=1)
    return means


def our_means(features: Tensor, labels: Tensor) -> Tensor:
    """The same without features of full size."""
    sums, counts = resized_class_sums(features, labels, CLASSES)
    return sums / counts.clamp(min=1)[..., None]


def measured(work: Callable[[], Tensor], device: torch.device, repeat: int) -> tuple[float, float]:
    """Seconds of the fastest call, and the most megabytes that its tensors held at once, its result included."""
    on_gpu = device.type == 'cuda'
    before = torch.cuda.memory_allocated() if on_gpu else 0
    with PeakMemory(device) as peak:
        work()
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        if on_gpu:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return min(seconds), (peak.bytes - before) / 1e6


def compare(batch: int, side: int, device: torch.device, repeat: int) -> None:
    """Measure both ways of both and print a line for each."""
    generator = torch.Generator().manual_seed(0)
    small, size = side // STRIDE, (side, side)
    features = torch.randn(batch, CHANNELS, small, small, generator=generator).relu().to(device)
    prototypes = torch.randn(CLASSES, CHANNELS, generator=generator).relu().to(device)
    labels = torch.randint(0, CLASSES, (batch, small, small), generator=generator).to(device)
    labels = labels.repeat_interleave(STRIDE, 1).repeat_interleave(STRIDE, 2)

    def our_weights() -> Tensor:
        return prototype_weights(prototype_distances(features, prototypes, size))

    ways = {
        'class weights': (our_weights, lambda: loop_weights(features, prototypes, size)),
        'class means': (lambda: our_means(features, labels), lambda: loop_means(features, labels)),
    }
    for name, (ours, loop) in ways.items():
        own, other = measured(ours, device, repeat), measured(loop, device, max(1, repeat // 2))
        print(
            f'{name}: {1e3 * own[0]:.1f} ms, {own[1]:.0f} MB; loop {1e3 * other[0]:.1f} ms, {other[1]:.0f} MB; '
            f'{other[0] / own[0]:.0f} times the time, {other[1] / own[1]:.0f} times the memory; '
            f'largest difference {float((ours() - loop()).abs().max()):.1e}',
            flush=True,
        )


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--batch', type=int, default=1, help='images at once')
    parser.add_argument('--size', type=int, default=512, help='height and width of the images')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--repeat', type=int, default=5)
    options = parser.parse_args()
    device = torch.device(options.device)
    print(f'{options.batch}x{options.size}x{options.size}, {CLASSES} classes, {CHANNELS} channels; {machine()}')
    compare(options.batch, options.size, device, options.repeat)


if __name__ == '__main__':
    main()
