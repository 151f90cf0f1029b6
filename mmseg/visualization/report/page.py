"""The page: all sections put into the template. Style and script lie inside it, so that the file needs nothing else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from mmseg.visualization.report import numbers
from mmseg.visualization.report.config_section import config_differences
from mmseg.visualization.report.confusion_section import Confusion, absent_classes, strongest_confusions
from mmseg.visualization.report.curve_section import curve_groups, validated
from mmseg.visualization.report.heat_map import HeatMap, heat_map
from mmseg.visualization.report.picture_section import Missing, PictureSection, class_colours, missing_of
from mmseg.visualization.report.runs import ReportRun
from mmseg.visualization.report.score_section import class_rows, mean_rows, seed_groups
from mmseg.visualization.report.views import RunView, notes, other_evaluations, run_views

SECTIONS = (
    ('overview', 'Overview'),
    ('curves', 'Curves'),
    ('classes', 'Classes'),
    ('confusion', 'Confusion matrix'),
    ('pictures', 'Test images'),
    ('configs', 'Configs'),
    ('reproduce', 'To reproduce'),
)
LONG_TITLE = 90


@dataclass(frozen=True)
class ConfusionView:
    """A run's confusion matrix in the template's words."""

    view: RunView
    chosen: bool
    matrix: HeatMap
    by_share: list[Confusion]
    by_count: list[Confusion]
    absent: list[str]


def render_report(runs: Sequence[ReportRun], pictures: PictureSection, command: str = '', created: str = '') -> str:
    """The report as HTML.

    Args:
        runs: at least one; gains count from the first.
        pictures: of test images.
        command: that made the report.
        created: date and time shown; now if empty.
    """
    views = run_views(runs)
    scored = [number for number, run in enumerate(runs) if run.result is not None]
    unscored = [run for run in runs if run.result is None]
    with_scores = [runs[number] for number in scored]
    colours = class_colours(runs)
    rows = class_rows(with_scores, colours)
    context: dict[str, Any] = {
        'title': _title(views),
        'created': created or time.strftime('%Y-%m-%d %H:%M'),
        'command': command,
        'sections': SECTIONS,
        'views': views,
        'notes': notes(runs, views),
        'not_evaluated': missing_of(unscored, 'Not evaluated yet:'),
        'cost_names': _names(view.costs for view in views),
        'seeds': seed_groups(runs),
        'others': other_evaluations(runs, views),
        'curve_groups': curve_groups(runs),
        'curves_missing': _curves_missing(runs),
        'scored': [views[number] for number in scored],
        'class_rows': rows,
        'mean_rows': mean_rows(with_scores),
        'class_shares': any(row.share is not None for row in rows),
        'classes_missing': missing_of(unscored, 'No scores of classes yet of'),
        'confusions': _confusions(runs, views),
        'confusion_missing': _confusion_missing(runs),
        'pictures': {**vars(pictures), 'views': [views[number] for number in pictures.runs]},
        'differences': config_differences(runs),
        'environment_names': _names(view.environment for view in views),
    }
    # Both are files of this package, not input.
    page = _template().render(**context, style=Markup(_file('report.css')), script=Markup(_file('report.js')))
    return page.lstrip()


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(fixed=numbers.fixed, signed=numbers.signed, pixels=numbers.pixels)
    environment.filters.update(percent=numbers.percent, breakable=numbers.breakable)
    return environment.from_string(_file('report.html'))


def _file(name: str) -> str:
    return resources.files(__package__).joinpath('templates', name).read_text(encoding='utf-8')


def _title(views: Sequence[RunView]) -> str:
    names = ', '.join(view.name for view in views)
    return names if len(names) <= LONG_TITLE else f'{views[0].name} and {len(views) - 1} other runs'


def _names(groups: Any) -> list[str]:
    return list(dict.fromkeys(name for group in groups for name in group))


def _confusions(runs: Sequence[ReportRun], views: Sequence[RunView]) -> list[ConfusionView]:
    found: list[ConfusionView] = []
    for run, view in zip(runs, views, strict=True):
        if run.result is None or run.result.confusion is None:
            continue
        first = runs[0].result if view.number else None
        found.append(
            ConfusionView(
                view=view,
                chosen=not found,
                matrix=heat_map(run.result.confusion, run.result.classes),
                by_share=strongest_confusions(run.result, first),
                by_count=strongest_confusions(run.result, first, by='count'),
                absent=absent_classes(run.result),
            )
        )
    return found


def _confusion_missing(runs: Sequence[ReportRun]) -> list[Missing]:
    lacking = [run for run in runs if run.result is None or run.result.confusion is None]
    return missing_of(lacking, 'An evaluation keeps the confusion matrix; there is none yet of')


def _curves_missing(runs: Sequence[ReportRun]) -> list[Missing]:
    if not any(run.log and run.log.train for run in runs):
        return [Missing('No training values in the logs yet: the first come with the first iteration.')]
    if validated(runs):
        return []
    return [
        Missing(
            'The logs hold no validation, so there is no curve of mIoU: the runs were trained without validation data '
            '(--no-validate, or a config without val_dataloader), or have not come to train_cfg.val_interval yet.'
        )
    ]
