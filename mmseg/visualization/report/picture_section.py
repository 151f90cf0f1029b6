"""The test images of a report: from which data set, for which runs, or what is missing for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mmseg.visualization.report.pictures import PictureRow, picture_rows
from mmseg.visualization.report.runs import ReportRun
from mmseg.visualization.report.score_section import css_colour

CHOICES = {
    'even': 'Images at even distances through the test set; nothing is selected.',
    'worst': 'The images with the lowest mean IoU, averaged over the runs: selected with the labels.',
    'best': 'The images with the highest mean IoU, averaged over the runs: selected with the labels.',
    'spread': 'From the lowest to the highest mean IoU of an image, averaged over the runs, at even ranks.',
}


@dataclass(frozen=True)
class Missing:
    """Something a report cannot show, in place of it.

    Attributes:
        what: is missing, and why.
        commands: that make it.
    """

    what: str
    commands: list[str] = field(default_factory=list)


def missing_of(runs: Sequence[ReportRun], what: str) -> list[Missing]:
    """One entry for runs that lack something an evaluation leaves, with the commands where there is something to run.

    Args:
        runs: those that lack it.
        what: it is, before the runs' names.
    """
    if not runs:
        return []
    obstacles = ''.join(f' {run.obstacle}.' for run in runs if run.obstacle)
    names = ', '.join(run.name for run in runs)
    return [Missing(f'{what} {names}.{obstacles}', [run.evaluation_command for run in runs if not run.obstacle])]


@dataclass(frozen=True)
class PictureSection:
    """Rows of pictures.

    Attributes:
        rows: one per test image.
        runs: numbers of the runs whose predictions are shown.
        choice: how the images were chosen, in words.
        palette: names and CSS colours of the classes.
        missing: what could not be shown.
    """

    rows: list[PictureRow] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)
    choice: str = ''
    palette: list[tuple[str, str]] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)


def picture_section(runs: Sequence[ReportRun], count: int, order: str = 'even') -> PictureSection:
    """Test images with the predictions that the runs' evaluations kept.

    Args:
        runs: of the report.
        count: of images; 0 leaves the section empty.
        order: see ``picture_rows``.
    """
    shown = [number for number, run in enumerate(runs) if run.result is not None and run.result.predictions]
    without = [run for number, run in enumerate(runs) if number not in shown]
    missing = missing_of(without, 'No predictions were kept of')
    reader = next((runs[number] for number in shown if runs[number].config is not None), None)
    if not shown or count == 0:
        return PictureSection(missing=missing if count else [])
    if reader is None:
        missing.append(Missing('No config tells which test images the predictions are of.'))
        return PictureSection(missing=missing)
    try:
        dataset = test_set(reader)
        rows = picture_rows(dataset, [runs[number] for number in shown], count, order)
    except (FileNotFoundError, ValueError) as error:
        missing.append(Missing(f'The test images cannot be shown: {error}'))
        return PictureSection(missing=missing)
    palette = [
        (name, css_colour(colour))
        for name, colour in zip(dataset.metainfo['classes'], dataset.metainfo['palette'], strict=True)
    ]
    return PictureSection(rows, shown, CHOICES[order], palette, missing)


def test_set(run: ReportRun) -> Any:
    """The data set that a run's evaluation reads.

    Raises:
        FileNotFoundError: its folders or files are missing.
        ValueError: the config does not describe one.
    """
    from mmengine.config import Config

    from mmseg.engine.errors import clear_config_errors
    from mmseg.evaluation.config_options import loader_section
    from mmseg.registry import DATASETS

    if run.config is None:
        raise ValueError(f'{run.folder}: no config')
    with clear_config_errors(run.config):
        # Building changes the config it is given.
        section = Config({'dataset': loader_section(run.config)['dataset']}).to_dict()['dataset']
        return DATASETS.build(section)


def class_colours(runs: Sequence[ReportRun]) -> dict[str, Sequence[int]]:
    """RGB of the classes by name, from the runs' configs; no file is read."""
    from mmseg.datasets.metainfo import dataset_metainfo
    from mmseg.evaluation.config_options import loader_section

    colours: dict[str, Sequence[int]] = {}
    for run in runs:
        if run.config is None:
            continue
        try:
            metainfo = dataset_metainfo(loader_section(run.config)['dataset'])
        except (ValueError, KeyError):
            continue
        colours = {**dict(zip(metainfo['classes'], metainfo['palette'], strict=True)), **colours}
    return colours
