"""One HTML page about a run, or a comparison of runs."""

from mmseg.visualization.report.page import render_report
from mmseg.visualization.report.runs import ReportRun, load_runs

__all__ = ['ReportRun', 'load_runs', 'render_report']
