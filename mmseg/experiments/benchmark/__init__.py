"""Benchmarks that anyone can run: rows of methods, result records, tables and figures."""

from mmseg.experiments.benchmark.camvid import CAMVID
from mmseg.experiments.benchmark.demo import DEMO
from mmseg.experiments.benchmark.rows import Benchmark, Comparison, Row

__all__ = ['CAMVID', 'DEMO', 'Benchmark', 'Comparison', 'Row']
