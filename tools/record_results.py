"""Records finished rows of the benchmarks: scores, speed, memory, configuration, environment, small pictures.

    python tools/record_results.py work_dirs/local-demo/*_s0
    python tools/record_results.py work_dirs/local-demo/daformer_s0 --results FOLDER

``run_experiments.py --exp demo`` does this by itself. A row is a folder ``<row>_s<seed>`` with a folder per stage; the
folder of one tested training of a row's config will do too. The records go to ``docs/results/<benchmark>``, where
``tools/benchmark_report.py`` reads them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folders', nargs='+', type=Path, metavar='FOLDER', help='of finished rows')
    parser.add_argument(
        '--results', type=Path, default=Path('docs/results'), help='folder of all records (default: %(default)s)'
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    from experiments import BENCHMARKS
    from mmseg.experiments.benchmark.recording import record_folder

    problems = []
    for folder in options.folders:
        try:
            record, notes = record_folder(BENCHMARKS, folder, options.results)
        except (FileNotFoundError, ValueError) as error:
            # One row that is not finished must not keep the others from being recorded.
            problems.append(str(error))
            continue
        print('\n'.join([*notes, f'{record.name}: mIoU {record.score():.1f}, {record.rate:.2f} iterations/s']))
    if problems:
        raise ValueError('; '.join(problems))


if __name__ == '__main__':
    run_tool(main)
