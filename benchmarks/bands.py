"""Time and memory of what happens at the full size of a crop, all rows at once against band by band.

    python benchmarks/bands.py [--size 1024x1024] [--batch 2] [--classes 19] [--stride 4] [--device cuda] [--repeat 3]

``loss``: cross entropy of enlarged scores with its gradient; ``teacher``: labels and confidences of a teacher's scores.
Memory is what tensors hold beyond the scores and labels. Both ways run in one process.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from benchmarks._memory import PeakMemory  # noqa: E402
from benchmarks.train_step import parse_size  # noqa: E402
from mmseg.models.decode_heads.dlv2 import DLV2Head  # noqa: E402
from mmseg.models.uda.components.ema_teacher import EMATeacher  # noqa: E402


class Scores(nn.Module):
    """A teacher whose scores are known."""

    align_corners = False

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = logits

    def small_logits(self, images: Tensor) -> tuple[Tensor, torch.Size]:
        """The scores, for images of any content."""
        return self.logits, images.shape[2:]


def measured(work: Callable[[], object], device: torch.device, repeat: int) -> tuple[float, float]:
    """Milliseconds of the fastest call, and MiB that one call needed on top."""
    wait = torch.cuda.synchronize if device.type == 'cuda' else lambda: None
    work()
    before = torch.cuda.memory_allocated() if device.type == 'cuda' else 0
    with PeakMemory(device) as memory:
        work()
    seconds = []
    for _ in range(repeat):
        wait()
        start = time.perf_counter()
        work()
        wait()
        seconds.append(time.perf_counter() - start)
    return 1e3 * min(seconds), memory.mib - before / 2**20


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--size', type=parse_size, default=(1024, 1024), help='HEIGHTxWIDTH of the crops')
    parser.add_argument('--batch', type=int, default=2)
    parser.add_argument('--classes', type=int, default=19)
    parser.add_argument('--stride', type=int, default=4, help='pixels between scores')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--repeat', type=int, default=3)
    options = parser.parse_args()
    device, (height, width) = torch.device(options.device), options.size
    torch.manual_seed(0)
    logits = torch.randn(
        options.batch, options.classes, height // options.stride, width // options.stride, device=device
    )
    labels = torch.randint(0, options.classes, (options.batch, height, width), device=device)
    images = torch.empty(options.batch, 3, 1, 1, device=device).expand(-1, -1, height, width)
    head, policy, network = DLV2Head(1, options.classes), EMATeacher(0.999), Scores(logits)

    def loss() -> None:
        leaf = logits.detach().requires_grad_()
        head.loss(leaf, labels)['loss_seg'].backward()

    print(f'{options.batch} x {options.classes} x {height} x {width}, {device}, {torch.get_num_threads()} threads\n')
    print('| | all at once | by bands | time | memory |\n|---|---|---|---|---|')
    for name, owner, work in (('loss', head, loss), ('teacher', policy, lambda: policy(network, images))):
        results = []
        for limit in (sys.maxsize, type(owner).band_limit):
            owner.band_limit = limit
            results.append(measured(work, device, options.repeat))
        whole, banded = results
        cells = ' | '.join(f'{ms:.0f} ms, {mib:.0f} MiB' for ms, mib in results)
        print(f'| {name} | {cells} | {whole[0] / banded[0]:.2f}x | {banded[1] / whole[1]:.2f}x |', flush=True)


if __name__ == '__main__':
    main()
