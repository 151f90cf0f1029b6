"""Writes the benchmarks' tables and figures from their records, into docs/benchmarks.md and docs/images/benchmarks.

    python tools/benchmark_report.py
    python tools/benchmark_report.py --page my_page.md --images my_figures --results my_results

A section of the page lies between ``<!-- begin demo scores -->`` and ``<!-- end demo scores -->``; there are
environment, scores, gap, differences, stages, classes and sheet, and in place of ``demo`` any folder of records. The
prose around them stays.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    docs = Path('docs')
    parser.add_argument('--results', type=Path, default=docs / 'results', help='folder of all records (%(default)s)')
    parser.add_argument('--page', type=Path, default=docs / 'benchmarks.md', help='to be renewed (%(default)s)')
    parser.add_argument('--images', type=Path, default=docs / 'images' / 'benchmarks', help='figures (%(default)s)')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    from experiments import BENCHMARKS
    from mmseg.experiments.benchmark.page import replace_sections
    from mmseg.experiments.benchmark.report import sections

    if not options.page.is_file():
        raise FileNotFoundError(f'{options.page}: no such page')
    if not options.results.is_dir():
        raise FileNotFoundError(f'{options.results}: no such folder of records; tools/record_results.py makes it')
    found: dict[str, Callable[[], list[str]]] = {}
    for folder in sorted(path for path in options.results.iterdir() if path.is_dir()):
        benchmark = BENCHMARKS.get(folder.name.partition('-')[0])
        if benchmark is not None:
            found |= sections(benchmark, folder, options.page, options.images)
    if not found:
        raise FileNotFoundError(
            f'{options.results}: no folder of records in it; tools/record_results.py makes {" and ".join(BENCHMARKS)}'
        )
    text = replace_sections(options.page.read_text(encoding='utf-8'), found, str(options.page))
    partial = options.page.with_name(f'.{options.page.name}')
    partial.write_text(text, encoding='utf-8')
    partial.replace(options.page)
    print(f'{options.page} and {options.images}: renewed from {options.results}')


if __name__ == '__main__':
    run_tool(main)
