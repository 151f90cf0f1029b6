"""Runs as the page's template shows them, and what a reader must know before comparing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmseg.visualization.report import facts, numbers
from mmseg.visualization.report.config_section import config_text
from mmseg.visualization.report.runs import ReportRun
from mmseg.visualization.report.score_section import Headline, best_validation, headline

OPTION_NAMES = {
    'ema': 'teacher',
    'tta': 'test-time augmentation',
    'slide': 'sliding windows',
    'whole': 'whole images',
    'test_set': 'test split',
}


@dataclass(frozen=True)
class RunView:
    """One run in the template's words; see ``report.html``."""

    number: int
    name: str
    folder: str
    headline: Headline
    gain: float | None
    scores: dict[str, float | None]
    iterations: int
    method: str
    network: str
    training_data: str
    test_data: str
    costs: dict[str, str]
    environment: dict[str, str]
    config: str | None
    config_file: Path | None
    training_command: str | None


@dataclass(frozen=True)
class Note:
    """A warning about one run, or about the comparison."""

    view: RunView | None
    text: str


@dataclass(frozen=True)
class OtherEvaluation:
    """An evaluation that is not the headline."""

    view: RunView
    what: str
    iteration: int | None
    scores: dict[str, float | None]


def run_views(runs: Sequence[ReportRun]) -> list[RunView]:
    """A view per run; gains count from the first, between scores of one kind."""
    heads = [headline(run) for run in runs]
    return [
        RunView(
            number=number,
            name=run.name,
            folder=str(run.folder),
            headline=head,
            gain=numbers.difference(head.value, heads[0].value) if head.final == heads[0].final else None,
            scores=_scores(run),
            iterations=run.iterations,
            method=facts.method(run.config),
            network=facts.network(run.config),
            training_data=facts.training_data(run.config),
            test_data=facts.test_data(run.config),
            costs=facts.costs(run),
            environment=facts.environment(run),
            config=config_text(run),
            config_file=run.config_file,
            training_command=facts.training_command(run),
        )
        for number, (run, head) in enumerate(zip(runs, heads, strict=True))
    ]


def notes(runs: Sequence[ReportRun], views: Sequence[RunView]) -> list[Note]:
    """What does not hold of the runs, or makes them hard to compare."""
    found = [Note(view, problem) for run, view in zip(runs, views, strict=True) for problem in run.problems]
    for what, values in (
        ('numbers of test images', [run.result and run.result.images for run in runs]),
        ('numbers of iterations', [run.iterations or None for run in runs]),
        ('test sets', [view.test_data if run.config else None for run, view in zip(runs, views, strict=True)]),
    ):
        known = {str(value) for value in values if value is not None}
        if len(known) > 1:
            each = '; '.join(
                f'{view.name} {value:,}' if isinstance(value, int) else f'{view.name}: {value}'
                for view, value in zip(views, values, strict=True)
                if value is not None
            )
            found.append(Note(None, f'The runs have different {what} ({each}).'))
    return found


def other_evaluations(runs: Sequence[ReportRun], views: Sequence[RunView]) -> list[OtherEvaluation]:
    """Evaluations with options, and the best points of validation curves; named as what they are."""
    found = []
    for run, view in zip(runs, views, strict=True):
        for result in run.others:
            what = ', '.join(OPTION_NAMES.get(option, option) for option in result.options)
            if Path(result.checkpoint).name.startswith('best_'):
                what = ', '.join(text for text in ('best checkpoint, selected with labels', what) if text)
            what = what or result.path.stem.removeprefix('eval_')
            found.append(OtherEvaluation(view, what, result.iteration, result.scores))
        best = best_validation(run)
        if best is not None and run.log is not None and len(run.log.val['mIoU']) > 1:
            what = 'highest validation during training, selected with labels'
            found.append(OtherEvaluation(view, what, best[0], {'mIoU': best[1]}))
    return found


def _scores(run: ReportRun) -> dict[str, float | None]:
    if run.result is not None:
        return run.result.scores
    return {name: series.last[1] for name, series in (run.log.val if run.log else {}).items() if len(series)}
