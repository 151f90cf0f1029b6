"""Compares runs: their scores side by side, and a sheet of pictures with a column per run.

    python -m tools.compare work_dirs/demo/source_only work_dirs/demo/daformer --sheet work_dirs/demo/sheet.png
    python -m tools.compare work_dirs/mine work_dirs/mine/eval_latest_ema.json       # student and teacher of a run

A run is a folder in which ``tools/train.py`` left a config and ``latest.pth``, and ``tools/test.py`` its scores; a JSON
file of ``tools/test.py`` stands for another evaluation.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402


@dataclass(frozen=True)
class Run:
    """A trained and evaluated run.

    Attributes:
        folder: its work dir.
        name: in tables.
        scores: in percent; None where a class is absent.
    """

    folder: Path
    name: str
    scores: dict[str, float | None]


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'runs', nargs='+', metavar='RUN', help='folders of runs, or result files; gains count from the first'
    )
    parser.add_argument('--sheet', help='write a PNG with image, ground truth and the prediction of each run')
    parser.add_argument('--images', type=int, default=5, help='rows of the sheet, spread over the test images')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    if options.images < 1:
        raise ValueError(f'--images {options.images}: a sheet needs at least one row')
    if options.sheet and (files := [run for run in options.runs if Path(run).is_file()]):
        raise ValueError(f'--sheet draws what the last iterate of a run predicts: give {Path(files[0]).parent}')
    runs = distinct([read_run(path) for path in options.runs])
    print_tables(runs)
    if options.sheet:
        write_sheet(runs, Path(options.sheet), options.images)
        print(f'Pictures: {options.sheet}')


def read_run(path: str | Path) -> Run:
    """The scores that ``tools/test.py`` left in a run's folder, or in a file.

    Raises:
        FileNotFoundError: the run has not been evaluated.
        ValueError: the file is no evaluation's.
    """
    from mmseg.evaluation.result_file import read_result
    from mmseg.evaluation.run_folder import newest_iteration

    path = Path(path)
    file = path if path.suffix == '.json' else path / 'eval_latest.json'
    if not file.is_file():
        raise FileNotFoundError(f'{file}: not evaluated yet; run: python -m tools.test {file.parent} --eval mIoU')
    result = read_result(file)
    if (
        file.name == 'eval_latest.json'
        and (now := newest_iteration(file.parent))
        and result.iteration not in (None, now)
    ):
        raise ValueError(
            f'{file}: of iteration {result.iteration}, but the run is at {now}; evaluate it again: '
            f'python -m tools.test {file.parent} --eval mIoU'
        )
    return Run(file.parent, ' '.join([file.parent.name, *(f'+{option}' for option in result.options)]), result.scores)


def distinct(runs: list[Run]) -> list[Run]:
    """Runs in folders of one name, as stages of several rows are, have their parent's name before it."""
    names = Counter(run.name for run in runs)
    return [
        replace(run, name=f'{run.folder.resolve().parent.name}/{run.name}') if names[run.name] > 1 else run
        for run in runs
    ]


def print_tables(runs: list[Run]) -> None:
    """Class-wise IoU and the means of all runs, and what each run gains over the first."""
    from rich.console import Console

    base = runs[0]
    gains = [Run(run.folder, run.name, _gains(run, base)) for run in runs[1:]]
    console = Console()
    if len(runs) == 2:
        gain = Run(base.folder, f'gain of {runs[1].name}', gains[0].scores)
        console.print(score_table([*runs, gain], console.width, signed={gain.name}))
        return
    console.print(score_table(runs, console.width))
    if gains:
        console.print(f'\nGain over {base.name}', highlight=False)
        console.print(score_table(gains, console.width, signed={run.name for run in gains}, first=2))


def _gains(run: Run, base: Run) -> dict[str, float | None]:
    pairs = {key: (run.scores.get(key), value) for key, value in base.scores.items()}
    return {key: None if None in pair else pair[0] - pair[1] for key, pair in pairs.items()}


def score_table(runs: list[Run], width: int, signed: Collection[str] = (), first: int = 1) -> Any:
    """A column per run; where names are too wide for the console, columns have numbers that the caption explains.

    Args:
        runs: with the same classes.
        width: of the console, in characters.
        signed: names of columns whose numbers show their sign.
        first: number of the first column.
    """
    from rich.console import Console
    from rich.table import Table

    from mmseg.evaluation.result_file import mean_names

    def table(titles: list[str], caption: str | None) -> Table:
        made = Table('', *titles, caption=caption, caption_justify='left', caption_style='')
        for column in made.columns[1:]:
            column.justify, column.no_wrap = 'right', True
        means = mean_names(runs[0].scores)
        classes = [key for key in runs[0].scores if key.startswith('IoU.')]
        for key in [*classes, *means]:
            values = [(run.scores.get(key), '+.2f' if run.name in signed else '.2f') for run in runs]
            cells = ['-' if value is None else format(value, form) for value, form in values]
            style = 'bold' if key in means else ''
            made.add_row(key.removeprefix('IoU.'), *cells, style=style, end_section=key == classes[-1])
        return made

    named = table([run.name for run in runs], None)
    if Console(width=10_000).measure(named).maximum <= width:
        return named
    numbers = [str(first + number) for number in range(len(runs))]
    return table(numbers, '\n'.join(f'{number} {run.name}' for number, run in zip(numbers, runs, strict=True)))


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
