"""Writing the record of a finished row, its log and its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mmseg.experiments.benchmark import pictures
from mmseg.experiments.benchmark.collect import FinishedRow, collect
from mmseg.experiments.benchmark.plain_run import collect_plain_run, is_plain_run
from mmseg.experiments.benchmark.records import RowRecord, read_row_record, results_folder
from mmseg.experiments.benchmark.rows import Benchmark
from mmseg.experiments.benchmark.training_log import LOG


def record_folder(benchmarks: Mapping[str, Benchmark], folder: Path, results: Path) -> tuple[RowRecord, list[str]]:
    """Record what a folder holds, unless just that is recorded already.

    Args:
        benchmarks: by id.
        folder: of a row, or of one training.
        results: folder of all benchmarks' records.

    Returns:
        The record, and what to tell of it.

    Raises:
        FileNotFoundError: no such folder, or something of it is missing.
        ValueError: it is not a finished row.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder}: no such folder')
    finished = collect_plain_run(benchmarks, folder) if is_plain_run(folder) else collect(benchmarks, folder)
    place = results_folder(results, finished.record.benchmark, finished.record.preset)
    path = place / f'{finished.record.name}.json'
    before = read_row_record(path) if path.is_file() else None
    benchmark = benchmarks[finished.record.benchmark]
    if before is not None and _is_recorded(finished.record, before, pictures.is_kept(benchmark, finished.record)):
        return before, [f'{path}: is there already']
    log = _write_log(finished, folder, place)
    picture, notes = pictures.keep(benchmark, finished, place)
    record = replace(finished.record, log=log, picture=picture or _picture_of(before, finished), path=path)
    record.write(path)
    return record, [*notes, f'{path}: {"replaced" if before else "written"}']


def _is_recorded(record: RowRecord, before: RowRecord, pictured: bool) -> bool:
    """Whether there is nothing to add to an earlier record."""
    same = replace(record, log=before.log, picture=before.picture) == before
    return same and bool(before.picture or not pictured)


def _write_log(finished: FinishedRow, folder: Path, place: Path) -> str:
    """The thinned log beside the record; a whole one that lies there already is named instead."""
    if folder.resolve().is_relative_to(place.resolve()):
        return (folder.resolve().relative_to(place.resolve()) / LOG).as_posix()
    name = f'{finished.record.name}.log.jsonl'
    lines = [line for stage, log in finished.logs.items() for line in log.thinned(stage)]
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text('\n'.join(lines) + '\n', encoding='utf-8')
    return name


def _picture_of(before: RowRecord | None, finished: FinishedRow) -> str:
    """Of an earlier record of the same run, whose checkpoint may be gone now."""
    same = before is not None and before.fingerprint == finished.record.fingerprint
    return before.picture if before is not None and same else ''
