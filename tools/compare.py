"""Compares runs: their scores side by side, and a sheet of pictures with a column per run.

    python -m tools.compare work_dirs/demo/source_only work_dirs/demo/daformer --sheet work_dirs/demo/sheet.png

A run is a folder in which ``tools/train.py`` left a config and ``latest.pth``, and ``tools/test.py`` its scores.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402


@dataclass(frozen=True)
class Run:
    """A trained and evaluated run.

    Attributes:
        folder: its work dir.
        scores: of the last iterate, in percent; None where a class is absent.
    """

    folder: Path
    scores: dict[str, float | None]

    @property
    def name(self) -> str:
        return self.folder.name


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('runs', nargs='+', metavar='RUN', help='folders of runs; gains count from the first')
    parser.add_argument('--sheet', help='write a PNG with image, ground truth and the prediction of each run')
    parser.add_argument('--images', type=int, default=5, help='rows of the sheet, spread over the test images')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    if options.images < 1:
        raise ValueError(f'--images {options.images}: a sheet needs at least one row')
    runs = [read_run(folder) for folder in options.runs]
    print_table(runs)
    if options.sheet:
        write_sheet(runs, Path(options.sheet), options.images)
        print(f'Pictures: {options.sheet}')


def read_run(folder: str | Path) -> Run:
    """The scores that ``tools/test.py`` left in a run's folder.

    Raises:
        FileNotFoundError: the run has not been evaluated.
    """
    result = Path(folder) / 'eval_latest.json'
    if not result.is_file():
        raise FileNotFoundError(f'{result}: not evaluated yet; run: python -m tools.test {folder} --eval mIoU')
    return Run(Path(folder), json.loads(result.read_text())['scores'])


def print_table(runs: list[Run]) -> None:
    """Class-wise IoU and the means of all runs, and each run's gain over the first."""
    from rich.console import Console
    from rich.table import Table

    from mmseg.evaluation.result_file import mean_names

    table = Table('', *(run.name for run in runs), *(f'gain of {run.name}' for run in runs[1:]))
    means = mean_names(runs[0].scores)
    classes = [key for key in runs[0].scores if key.startswith('IoU.')]
    for key in [*classes, *means]:
        values = [run.scores.get(key) for run in runs]
        gains = [None if None in (value, values[0]) else value - values[0] for value in values[1:]]
        cells = ['-' if value is None else f'{value:.2f}' for value in values]
        cells += ['-' if gain is None else f'{gain:+.2f}' for gain in gains]
        table.add_row(
            key.removeprefix('IoU.'), *cells, style='bold' if key in means else '', end_section=key == classes[-1]
        )
    for column in table.columns[1:]:
        column.justify = 'right'
    Console().print(table)


def write_sheet(runs: list[Run], path: Path, count: int) -> None:
    """Predict some test images with every run and draw them side by side."""
    from mmseg.evaluation.sample_predictions import predict_samples
    from mmseg.visualization import qualitative_sheet, save_png

    columns: list[list[Any]] = []
    for run in runs:
        pictures, truths, predictions, meta = predict_samples(run.folder, count)
        columns = columns or [pictures, truths]
        columns.append(predictions)
    notes = ['', ''] + [f'mIoU {run.scores["mIoU"]:.1f}' for run in runs]
    titles = ['image', 'ground truth', *(run.name for run in runs)]
    save_png(qualitative_sheet(list(zip(*columns, strict=True)), titles, meta['palette'], meta['classes'], notes), path)


if __name__ == '__main__':
    run_tool(main)
