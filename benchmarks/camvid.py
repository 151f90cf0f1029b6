"""CamVid, day to dusk: trains and tests every configuration of configs/camvid and prints the table of docs/camvid.md.

    python benchmarks/camvid.py                                           # hours on a CPU
    python benchmarks/camvid.py --heads daformer --runs source_only daformer --seeds 0

A run is the folder ``work_dirs/camvid/CONFIG_sSEED``; finished ones are not repeated, interrupted ones go on. The data
must lie in ``data/camvid`` with its statistics (docs/camvid.md).
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks._runs import ROOT, machine, run_scores  # noqa: E402

# Table row -> config (without its head) and whether batch norm is adapted before testing.
ROWS = {
    'source_only_plain': ('source_only_plain', False),
    'source_only_plain + AdaBN': ('source_only_plain', True),
    'source_only': ('source_only', False),
    'source_only + AdaBN': ('source_only', True),
    'dacs': ('dacs', False),
    'daformer': ('daformer', False),
    'oracle': ('oracle', False),
    'oracle_both': ('oracle_both', False),
}
HEADS = ('daformer', 'dlv2')


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', nargs='+', default=list(ROWS), metavar='ROW', help=f'some of: {", ".join(ROWS)}')
    parser.add_argument('--heads', nargs='+', default=HEADS, choices=HEADS)
    parser.add_argument('--seeds', nargs='+', type=int, default=[0])
    parser.add_argument('--cfg-options', nargs='+', default=(), metavar='KEY=VALUE', help='for all trainings')
    parser.add_argument('--root', type=Path, default=Path('work_dirs/camvid'), help='folder of the runs')
    options = parser.parse_args()
    for row in options.runs:
        config = ROWS.get(row, (row, False))[0]
        if not (ROOT / f'configs/camvid/{config}_{options.heads[0]}.py').is_file():
            parser.error(f'no configs/camvid/{config}_{options.heads[0]}.py')
    return options


def scores(row: str, head: str, seed: int, options: argparse.Namespace) -> float:
    """mIoU on the 62 test frames at dusk, in percent."""
    name, adapted = ROWS.get(row, (row, False))
    config = f'{name}_{head}'
    target = f'configs/camvid/dacs_{head}.py' if adapted else None
    folder = options.root / f'{config}_s{seed}'
    return run_scores(f'configs/camvid/{config}.py', folder, seed, options.cfg_options, target)['mIoU']


def main() -> None:
    """Run the command."""
    options = parse_arguments()
    if not (ROOT / 'data/camvid').is_dir():
        sys.exit('error: data/camvid does not exist; docs/camvid.md says where it comes from')
    print(f'mIoU on the test frames at dusk; {machine()}; seeds {" ".join(map(str, options.seeds))}\n')
    print('| | ' + ' | '.join(options.heads) + ' |')
    print('|---' * (len(options.heads) + 1) + '|')
    for row in options.runs:
        cells = []
        for head in options.heads:
            values = [scores(row, head, seed, options) for seed in options.seeds]
            spread = f' ± {statistics.stdev(values):.1f}' if len(values) > 1 else ''
            cells.append(f'{statistics.mean(values):.1f}{spread}')
        print(f'| {row} | ' + ' | '.join(cells) + ' |', flush=True)


if __name__ == '__main__':
    main()
