"""How large is the demo's domain gap, and how much of it does a method win back? Trains and prints mIoU over seeds.

    python benchmarks/demo_gap.py                                         # four configs, three seeds; hours on a CPU
    python benchmarks/demo_gap.py --runs source_only dacs --seeds 0       # two runs

Each run is a folder ``work_dirs/demo_gap/CONFIG_sSEED``; finished ones are not repeated, interrupted ones go on.
The data must be there: ``bash tools/demo.sh`` makes it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks._runs import ROOT, machine, run_scores  # noqa: E402

RUNS = ('source_only', 'oracle', 'dacs', 'daformer')


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', nargs='+', default=RUNS, metavar='CONFIG', help='names of files in configs/demo')
    parser.add_argument('--seeds', nargs='+', type=int, default=(0, 1, 2))
    parser.add_argument('--cfg-options', nargs='+', default=(), metavar='KEY=VALUE', help='for all runs')
    parser.add_argument('--root', type=Path, default=Path('work_dirs/demo_gap'), help='folder of the runs')
    return parser.parse_args()


def target_miou(config: str, seed: int, options: argparse.Namespace) -> float:
    """mIoU on the target's validation images, in percent."""
    folder = options.root / f'{config}_s{seed}'
    return run_scores(f'configs/demo/{config}.py', folder, seed, options.cfg_options)['mIoU']


def print_table(scores: dict[str, list[float]], seeds: list[int]) -> None:
    """A Markdown table: mIoU per seed, mean, spread, share of the gap closed where both ends are there."""
    means = {run: statistics.mean(values) for run, values in scores.items()}
    low, high = means.get('source_only'), means.get('oracle')
    print('| run | ' + ' | '.join(f'seed {seed}' for seed in seeds) + ' | mean | spread | gap closed |')
    print('|---' * (len(seeds) + 4) + '|')
    for run, values in scores.items():
        closed = (
            '' if low is None or high is None or high == low else f'{100 * (means[run] - low) / (high - low):.0f} %'
        )
        spread = f'{statistics.stdev(values):.1f}' if len(values) > 1 else ''
        cells = [f'{value:.1f}' for value in values] + [f'{means[run]:.1f}', spread, closed]
        print(f'| {run} | ' + ' | '.join(cells) + ' |')


def main() -> None:
    """Run the command."""
    options = parse_arguments()
    for config in options.runs:
        if not (ROOT / 'configs/demo' / f'{config}.py').is_file():
            sys.exit(f'error: no configs/demo/{config}.py')
    if not (ROOT / 'data/demo').is_dir():
        sys.exit('error: data/demo does not exist; run: bash tools/demo.sh')
    seeds = list(options.seeds)
    scores = {run: [target_miou(run, seed, options) for seed in seeds] for run in options.runs}
    print(f'target mIoU; {machine()}\n')
    print_table(scores, seeds)


if __name__ == '__main__':
    main()
