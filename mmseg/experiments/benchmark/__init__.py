"""Benchmarks that anyone can run: rows of methods, result records, tables and figures."""

from mmseg.experiments.benchmark.camvid import CAMVID
from mmseg.experiments.benchmark.demo import DEMO
from mmseg.experiments.benchmark.rows import Benchmark, Comparison, Row

BENCHMARKS = {benchmark.name: benchmark for benchmark in (DEMO, CAMVID)}

__all__ = ['BENCHMARKS', 'CAMVID', 'DEMO', 'Benchmark', 'Comparison', 'Row']
