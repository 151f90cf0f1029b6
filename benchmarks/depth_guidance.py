"""Time and memory of one call of depth guidance (CDDA), against the formulas as they stand, and its share of a step.

    python benchmarks/depth_guidance.py [--crops 500 9400 24966] [--size 512] [--device cuda] [--threads 1] [--step]

Two target images, 19 classes, 256 depths; banks of synthetic counts with about 12 classes in a crop. A call is all
that ``DepthGuidance.assess`` does: counting, finding the most similar crop, thresholds, new weights, soft labels, and
the one copy to the host. The direct evaluation compares whole (N, C, K) tensors and counts pixel by pixel, as the
published code does; both run in this process and are checked to agree. With a GPU, or ``--step``, a training step of
DAFormer with MiT-B5 is timed too (untrained weights, random images).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from benchmarks._direct_guidance import direct_call, direct_similarity  # noqa: E402
from benchmarks._machine import machine  # noqa: E402
from benchmarks.prototypes import measured as wall_clock  # noqa: E402
from mmseg.models.uda.components.depth_bank import class_depth_histogram  # noqa: E402
from mmseg.models.uda.components.depth_guidance import DepthGuidance  # noqa: E402
from mmseg.models.uda.components.depth_similarity import BankIndex  # noqa: E402

CLASSES, BINS, BATCH = 19, 256, 2
CONFIG = 'configs/daformer/gta2cs_uda_warm_fdthings_rcs_croppl_a999_daformer_mitb5_s0.py'
EVERY_IMAGE = {'reweight_threshold': -1, 'relabel_threshold': -1, 'threshold_decay': 0}  # passes all thresholds


def bank_counts(number: int, size: int, generator: torch.Generator) -> Tensor:
    """(N, C, K) int32: each present class fills a part of the crop, at depths around a place of its own."""
    depth = torch.arange(BINS, dtype=torch.float32)
    parts = []
    for part in torch.arange(number).split(1024):
        shape = (len(part), CLASSES, 1)
        centre = 255 * torch.rand(shape, generator=generator)
        width = 5 + 55 * torch.rand(shape, generator=generator)
        curve = torch.exp(-(((depth - centre) / width) ** 2)) * (0.5 + torch.rand(BINS, generator=generator))
        area = torch.rand(shape, generator=generator).log().neg() * (torch.rand(shape, generator=generator) < 12 / 19)
        area = area / area.sum(dim=1, keepdim=True).clamp(min=1e-6) * size**2
        parts.append((curve / curve.sum(dim=2, keepdim=True) * area).int())
    return torch.cat(parts)


def target_maps(size: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Pseudo-labels in blocks, who is confident, and depth that grows upwards: (B, H, W) each."""
    blocks = torch.randint(0, 12, (BATCH, size // 32, size // 32), generator=generator)
    labels = blocks.repeat_interleave(32, dim=1).repeat_interleave(32, dim=2)
    ramp = torch.linspace(255, 0, size)[None, :, None] + 20 * torch.randn(BATCH, size, size, generator=generator)
    confident = torch.rand(BATCH, size, size, generator=generator) < 0.6
    return labels, confident, ramp.clamp(0, 255).to(torch.uint8)


def measured(work: Callable[[], None], device: torch.device, repeat: int) -> tuple[float, float]:
    """Seconds of the fastest call, and megabytes on top; one thread of a CPU counts its own time, whoever else runs."""
    if device.type == 'cuda' or torch.get_num_threads() > 1:
        return wall_clock(work, device, repeat)
    memory = wall_clock(work, device, 1)[1]
    spent = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent), memory


def compare(number: int, size: int, device: torch.device, repeat: int) -> float:
    """Measure both ways with a bank of so many crops, print lines, and return the seconds of a call."""
    generator = torch.Generator().manual_seed(0)
    counts = bank_counts(number, size, generator)
    labels, confident, depth = (value.to(device) for value in target_maps(size, generator))
    weight = torch.full(labels.shape, 0.6, device=device)
    guidance = DepthGuidance(**EVERY_IMAGE)
    guidance.index = BankIndex(counts, device)
    found = guidance.assess(labels, confident, weight, depth, 0)
    ours = measured(lambda: guidance.assess(labels, confident, weight, depth, 0) and None, device, repeat)
    held = guidance.index.memory / 1e6
    print(f'{number} crops of {size}x{size} ({device.type}): {1e3 * ours[0]:.1f} ms, {ours[1]:.0f} MB', end=' ')
    print(f'beside the {held:.0f} MB of the bank', flush=True)
    bank = counts.float().to(device)
    given = labels, confident, weight, depth
    direct = measured(lambda: direct_call(bank, *given) and None, device, 2)
    target = class_depth_histogram(labels, depth, CLASSES).float()
    search = measured(lambda: direct_similarity(bank, target[0]) and None, device, 2)
    match = measured(lambda: guidance.index.match(target) and None, device, repeat)
    print(f'    direct: {1e3 * direct[0]:.0f} ms, {direct[1]:.0f} MB; {direct[0] / ours[0]:.0f} times the time')
    print(f'    comparison alone: {1e3 * match[0]:.1f} ms, direct {BATCH * 1e3 * search[0]:.0f} ms', end='; ')
    print(f'{BATCH * search[0] / match[0]:.0f} times the time')
    expected, chosen = direct_call(bank, *given)
    torch.testing.assert_close(found.weight, expected, rtol=0, atol=1e-5)
    assert found.replacements == chosen, 'both ways choose the same crops'
    return ours[0]


def step_seconds(size: int, device: torch.device, repeat: int) -> float:
    """Seconds of a training step of DAFormer, gradients without the optimizer."""
    from mmengine.config import Config

    from mmseg.models.uda import build_method
    from mmseg.structures import DomainBatch, TrainBatch

    cfg = Config.fromfile(ROOT / CONFIG)
    cfg.model.pretrained = None
    method = build_method(cfg).to(device).train()
    method.imnet_model.backbone.pretrained_loaded = True
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, BATCH, 3, size, size, generator=generator).to(device)
    labels = target_maps(size, generator)[0].to(device)
    batch = TrainBatch(DomainBatch(images[0], labels), DomainBatch(images[1]))

    def step() -> None:
        method.zero_grad()
        method.compute_gradients(batch)

    return measured(step, device, repeat)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--crops', type=int, nargs='+', default=[500, 9400, 24966])
    parser.add_argument('--size', type=int, default=512)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--threads', type=int, help='of a CPU; default: as PyTorch chooses')
    parser.add_argument('--repeat', type=int, default=5)
    parser.add_argument('--step', action='store_true', help='time a training step on a CPU too (a minute or more)')
    options = parser.parse_args()
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    print(machine())
    seconds = {number: compare(number, options.size, device, options.repeat) for number in options.crops}
    if options.step or device.type == 'cuda':
        step = step_seconds(options.size, device, options.repeat if device.type == 'cuda' else 1)
        shares = ', '.join(f'{100 * call / step:.2f} % ({number} crops)' for number, call in seconds.items())
        print(f'training step of DAFormer: {1e3 * step:.0f} ms; a call of depth guidance is {shares} of it')


if __name__ == '__main__':
    main()
