"""Writes one HTML page about a run, or a comparison of runs: scores, curves, classes, confusions, pictures, configs.

    python tools/report.py work_dirs/demo/source_only work_dirs/demo/daformer --evaluate --out report.html

The page holds everything it shows and opens without a network. A run is a folder in which ``tools/train.py`` left its
log and config, and ``tools/test.py`` its scores; what is missing is named in the page with the command that makes it.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402

ORDERS = ('even', 'worst', 'best', 'spread')


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'runs',
        nargs='+',
        metavar='WORK_DIR',
        help='folders of runs, or a folder of several; gains count from the first',
    )
    parser.add_argument('--out', default='report.html', help='the page (default: report.html)')
    parser.add_argument('--evaluate', action='store_true', help='evaluate first what has no scores or predictions yet')
    parser.add_argument('--images', type=int, default=5, metavar='N', help='test images to show (default: 5; 0: none)')
    parser.add_argument(
        '--images-by',
        choices=ORDERS,
        default='even',
        help='even: at even distances through the test set; worst, best, spread: by the mean IoU of each image',
    )
    parser.add_argument('--device', help='for --evaluate; default: the GPU if there is one')
    options = parser.parse_args(arguments)
    if options.images < 0:
        parser.error(f'--images {options.images}: expected 0 or more')
    if Path(options.out).suffix.lower() not in ('.html', '.htm'):
        parser.error(f'--out {options.out}: the report is a page, name it .html')
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    # Importing it registers the data sets whose images are shown.
    import mmseg.registry  # noqa: F401
    from mmseg.visualization.report import load_runs, render_report
    from mmseg.visualization.report.picture_section import picture_section

    runs = load_runs(options.runs)
    if options.evaluate:
        problems = {run.folder: problem for run in runs if (problem := evaluate_if_needed(run, options.device))}
        runs = load_runs(options.runs)
        for run in runs:
            run.problems += [problems[run.folder]] if run.folder in problems else []
    page = render_report(runs, picture_section(runs, options.images, options.images_by), command_line(arguments))
    out = Path(options.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f'.{out.name}')
    temporary.write_text(page, encoding='utf-8')
    temporary.replace(out)
    for run in runs:
        for problem in run.problems:
            print(f'{run.name}: {problem}')
    print(f'Report of {len(runs)} run{"s" if len(runs) > 1 else ""}, {len(page) / 1e6:.1f} MB: {out}')


def evaluate_if_needed(run: Any, device: str | None) -> str | None:
    """Evaluate a run's last checkpoint and keep its predictions, unless that has been done.

    Returns:
        Why it could not be evaluated; None if it is.
    """
    from mmseg.evaluation.run_folder import find_checkpoint
    from tools import test

    result = run.result
    try:
        checkpoint = find_checkpoint(run.folder)
        whole = result is not None and result.confusion is not None and result.predictions is not None
        if whole and result.path.stat().st_mtime >= checkpoint.stat().st_mtime:
            return None
        print(f'Evaluating {run.folder}')
        pictures = ['--show-dir', str(run.folder / 'preds'), '--opacity', '1']
        test.main([str(run.folder), '--eval', 'mIoU', *pictures, *(['--device', device] if device else [])])
    except (FileNotFoundError, ValueError) as error:
        # One run that cannot be evaluated must not lose the others' page.
        return f'not evaluated: {error}'
    return None


def command_line(arguments: list[str] | None) -> str:
    """What was typed."""
    return shlex.join(['python', 'tools/report.py', *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == '__main__':
    run_tool(main)
