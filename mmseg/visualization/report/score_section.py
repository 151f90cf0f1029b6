"""Scores of the runs: the overview, seeds taken together, and class by class."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmseg.evaluation.result_file import mean_names
from mmseg.visualization.report import numbers
from mmseg.visualization.report.config_section import flatten
from mmseg.visualization.report.runs import ReportRun

MEANS = ('mIoU', 'mAcc', 'aAcc')
SEED_ENDING = re.compile(r'[_./ -]+(s|seed)?[_-]?$')
# What differs between runs of one experiment with several seeds.
OF_A_SEED = ('seed', 'work_dir', 'name', 'exp', 'resume', 'load_from')


@dataclass(frozen=True)
class Headline:
    """The one number of a run.

    Attributes:
        value: mIoU in percent; None if there is none yet.
        source: what it was measured on and when.
        final: it is the evaluation of the last iterate, not a validation during training.
    """

    value: float | None
    source: str
    final: bool


@dataclass(frozen=True)
class ClassRow:
    """A class, or a mean over classes, of all runs.

    Attributes:
        name: of the class.
        colour: as CSS, of the palette; empty if it is not known.
        values: IoU of each run in percent.
        share: of the labelled pixels in percent; None if not known.
    """

    name: str
    colour: str
    values: list[float | None]
    share: float | None = None

    @property
    def gains(self) -> list[float | None]:
        """Differences to the first run."""
        return [numbers.difference(value, self.values[0]) for value in self.values]

    @property
    def best(self) -> float | None:
        """The highest value."""
        return max((value for value in self.values if value is not None), default=None)


@dataclass(frozen=True)
class SeedGroup:
    """Runs that differ in nothing but their seed.

    Attributes:
        runs: their numbers.
        name: of the group.
        scores: mean and sample standard deviation of mIoU, mAcc and aAcc; the deviation is None for a single run.
    """

    runs: list[int]
    name: str
    scores: dict[str, tuple[float, float | None]]


def headline(run: ReportRun) -> Headline:
    """The student's mIoU at the last iterate; without an evaluation that of the last validation, and named so."""
    result = run.result
    if result is not None and result.scores.get('mIoU') is not None:
        images = f', {result.images:,} images' if result.images else ''
        iteration = f' (iteration {result.iteration:,})' if result.iteration else ''
        return Headline(result.scores['mIoU'], f'student, last iterate{iteration}{images}', True)
    series = run.log.val.get('mIoU') if run.log else None
    if series is not None and len(series):
        iteration, value = series.last
        return Headline(value, f'validation during training, iteration {iteration:,}', False)
    return Headline(None, 'not evaluated yet', False)


def best_validation(run: ReportRun) -> tuple[int, float] | None:
    """Iteration and mIoU of the best validation: selected on labels, so never the headline."""
    series = run.log.val.get('mIoU') if run.log else None
    return series.best if series is not None and len(series) else None


def seed_groups(runs: Sequence[ReportRun]) -> list[SeedGroup]:
    """Runs taken together whose configs differ in the seed only; empty if no two do."""
    groups: dict[str, list[int]] = {}
    for number, run in enumerate(runs):
        key = str(number) if run.config is None else _without_seed(run)
        groups.setdefault(key, []).append(number)
    scored = [[n for n in members if headline(runs[n]).final] for members in groups.values()]
    if not any(len(members) > 1 for members in scored):
        return []
    members_of = [members for members in scored if members]
    return [SeedGroup(members, _group_name(runs, members), _mean_scores(runs, members)) for members in members_of]


def class_rows(runs: Sequence[ReportRun], colours: Mapping[str, Sequence[int]]) -> list[ClassRow]:
    """A row per class, in the order of the classes; those of all runs if they differ.

    Args:
        runs: with or without scores.
        colours: RGB of each class.
    """
    scores = [run.result.per_class('IoU') if run.result else {} for run in runs]
    names = list(dict.fromkeys(name for one in scores for name in one))
    shares = _pixel_shares(runs)
    return [
        ClassRow(name, css_colour(colours.get(name)), [one.get(name) for one in scores], shares.get(name))
        for name in names
    ]


def mean_rows(runs: Sequence[ReportRun]) -> list[ClassRow]:
    """mIoU, and the means over subsets of the classes (mIoU16, mIoU13 of SYNTHIA); of several data sets each one's."""
    scores = [run.result.scores if run.result else {} for run in runs]
    names = list(dict.fromkeys(name for one in scores for name in mean_names(one)))
    return [ClassRow(name, '', [one.get(name) for one in scores]) for name in names]


def css_colour(colour: Sequence[int] | None) -> str:
    """``rgb(128 64 128)``; empty for none."""
    return '' if colour is None else f'rgb({" ".join(str(int(level)) for level in colour)})'


def _pixel_shares(runs: Sequence[ReportRun]) -> dict[str, float]:
    for run in runs:
        if run.result is not None and run.result.confusion is not None and run.result.confusion.sum():
            labelled = run.result.confusion.sum(axis=1)
            shares = 100 * labelled / labelled.sum()
            return dict(zip(run.result.classes, shares.tolist(), strict=True))
    return {}


def _without_seed(run: ReportRun) -> str:
    settings = run.config.to_dict() if run.config is not None else {}
    flat = {key: value for key, value in flatten(settings).items() if key not in OF_A_SEED}
    return json.dumps(flat, sort_keys=True)


def _group_name(runs: Sequence[ReportRun], members: Sequence[int]) -> str:
    names = [runs[number].name for number in members]
    common = names[0]
    for name in names[1:]:
        while not name.startswith(common):
            common = common[:-1]
    return (SEED_ENDING.sub('', common) if len(names) > 1 else common) or names[0]


def _mean_scores(runs: Sequence[ReportRun], members: Sequence[int]) -> dict[str, tuple[float, float | None]]:
    found = {}
    for name in MEANS:
        values = [result.scores.get(name) for number in members if (result := runs[number].result) is not None]
        known = [value for value in values if value is not None]
        if known:
            found[name] = (statistics.mean(known), statistics.stdev(known) if len(known) > 1 else None)
    return found
