"""Which curves a report shows, in which groups."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmseg.visualization.curves import Series, class_series
from mmseg.visualization.report.line_chart import LineChart, line_chart
from mmseg.visualization.report.runs import ReportRun

# Longer patterns come first: the first that is found in a name explains it.
MEANINGS = (
    (r'loss_imnet_feat_dist', 'distance of features to those of the ImageNet encoder'),
    (r'fd_valid', 'share of iterations in which the feature distance counted pixels'),
    (r'^mix\..*loss', 'cross-entropy on mixed images, weighted by the share of confident pseudo-labels'),
    (r'^mix\..*acc', 'pixel accuracy on mixed images against their (pseudo-)labels, %'),
    (r'^(masked|mic)\..*loss', 'consistency of masked target images with pseudo-labels'),
    (r'^(masked|mic)\..*acc', 'pixel accuracy on masked images against pseudo-labels, %'),
    (r'(pseudo|confident)', 'pseudo-labels of target images'),
    (r'loss_adv', 'adversarial loss of the segmentor'),
    (r'loss_D', 'loss of the discriminator'),
    (r'loss_ent', 'entropy of target predictions'),
    (r'^decode.*loss_seg', 'cross-entropy on source images'),
    (r'^decode.*acc_seg', 'pixel accuracy on source crops, %'),
    (r'^aux.*loss', 'loss of the auxiliary head'),
    (r'^data_time$', 'of it, waiting for data'),
    (r'^time$', 'seconds per iteration'),
    (r'^memory$', 'peak memory, MiB'),
    (r'^lr', 'learning rate'),
    (r'^mIoU', 'mean IoU on the validation set, %'),
    (r'^mAcc$', 'mean class accuracy on the validation set, %'),
    (r'^aAcc$', 'share of right pixels on the validation set, %'),
)
SPEED = re.compile(r'^(lr.*|time|data_time|memory)$')
MOST_CLASSES = 40


@dataclass(frozen=True)
class CurveGroup:
    """Charts under one heading.

    Attributes:
        heading: of the group.
        charts: of its quantities.
        folded: closed at first.
    """

    heading: str
    charts: list[LineChart]
    folded: bool = False


def curve_groups(runs: Sequence[ReportRun]) -> list[CurveGroup]:
    """All curves of the runs' logs; groups without any are left out."""
    train, val = _by_name(runs, 'train'), _by_name(runs, 'val')
    speed = {name: series for name, series in train.items() if SPEED.match(name)}
    losses = {name: series for name, series in train.items() if 'loss' in name}
    rest = {name: series for name, series in train.items() if name not in speed and name not in losses}
    means = {name: series for name, series in val.items() if '.' not in name and not SPEED.match(name)}
    last = max((run.iterations for run in runs), default=0)
    groups = [
        CurveGroup('Validation during training', _charts(means, last)),
        CurveGroup('IoU of each class during training', _charts(_classes(runs), last), folded=True),
        CurveGroup('Losses', _charts(losses, last, log_axis=True)),
        CurveGroup('Accuracies, pseudo-labels and shares', _charts(rest, last)),
        CurveGroup('Learning rate, time and memory', _charts(speed, last), folded=True),
    ]
    return [group for group in groups if group.charts]


def validated(runs: Sequence[ReportRun]) -> bool:
    """Whether any run's log holds a validation."""
    return any(run.log and run.log.val for run in runs)


def meaning(name: str) -> str:
    """What a name in the log stands for; empty if that is not known."""
    return next((text for pattern, text in MEANINGS if re.search(pattern, name)), '')


def _by_name(runs: Sequence[ReportRun], part: str) -> dict[str, dict[int, Series]]:
    found: dict[str, dict[int, Series]] = {}
    for number, run in enumerate(runs):
        for name, series in (getattr(run.log, part) if run.log else {}).items():
            found.setdefault(name, {})[number] = series
    return found


def _classes(runs: Sequence[ReportRun]) -> dict[str, dict[int, Series]]:
    found: dict[str, dict[int, Series]] = {}
    for number, run in enumerate(runs):
        for name, series in class_series(run.log.val if run.log else {}).items():
            found.setdefault(name, {})[number] = series
    return found if len(found) <= MOST_CLASSES else {}


def _charts(series: dict[str, dict[int, Series]], last: int, log_axis: bool = False) -> list[LineChart]:
    charts = [line_chart(name, meaning(name), by_run, last, log_axis) for name, by_run in series.items()]
    return [chart for chart in charts if chart is not None]
