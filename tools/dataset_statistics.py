"""Counts the classes of a labelled dataset and writes the statistics that rare class sampling reads.

    python tools/dataset_statistics.py data/farm/greenhouse --classes soil,crop,weed
    python tools/dataset_statistics.py data/camvid --dataset CamVidDataset
    python tools/dataset_statistics.py --config configs/farm/daformer.py

The first form takes two folders, images and labels, with files of the same names; label maps hold ids 0, 1, 2, ... in
the order of the classes. No label map is changed. Files that training would stop at are named.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402
from tools._statistics_datasets import dataset_configs, label_loader  # noqa: E402

if TYPE_CHECKING:
    from mmseg.datasets.base_dataset import BaseSegDataset
    from mmseg.datasets.statistics import Finding

NAMED = 20
FILES_PER_PROCESS = 100


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('data_root', nargs='?', help='folder of the dataset; with --config: instead of its data_root')
    which = parser.add_argument_group('which dataset')
    which.add_argument('--classes', help='names in the order of their ids, with commas; or how many there are')
    which.add_argument('--dataset', metavar='TYPE', help='a registered dataset class, e.g. CamVidDataset')
    which.add_argument('--config', help='the training dataset of a config')
    which.add_argument('--domain', choices=('source', 'target'), default='source', help='of a config with two domains')
    which.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE')
    files = parser.add_argument_group('its files')
    files.add_argument('--images', metavar='FOLDER', help='below DATA_ROOT (default: images, if it is there)')
    files.add_argument('--labels', metavar='FOLDER', help='below DATA_ROOT (default: labels, if it is there)')
    files.add_argument('--img-suffix', metavar='S,S', help='endings of the images (default: .jpg,.png)')
    files.add_argument('--label-suffix', metavar='S', help='ending of the label maps (default: .png)')
    files.add_argument('--ignore-index', type=int, metavar='ID', help='id without a class (default: 255)')
    what = parser.add_argument_group('what to do')
    what.add_argument('--min-pixels', type=int, help="of rare class sampling (default: the config's, or 3000)")
    what.add_argument('-o', '--out-dir', help='folder for the statistics files (default: that of the dataset)')
    what.add_argument('--table-only', action='store_true', help='write no files')
    what.add_argument('--labels-only', action='store_true', help='do not open the images: faster, less is checked')
    what.add_argument(
        '--skip-broken', action='store_true', help='write statistics of the usable files, and usable_images.txt'
    )
    what.add_argument('--nproc', type=int, default=4, help='most processes to use (default: %(default)s)')
    options = parser.parse_args(arguments)
    if options.config and options.dataset:
        parser.error('--config and --dataset exclude each other: a config says which dataset it trains on')
    if not (options.config or options.dataset or options.classes):
        parser.error('which classes? give --classes road,car,sky (or how many), --dataset TYPE or --config CONFIG')
    if not (options.data_root or options.config or options.dataset):
        parser.error('DATA_ROOT is needed: the folder that holds the images and the labels')
    return options


@dataclass(frozen=True)
class Counted:
    """A dataset, and those of its files that can be used."""

    dataset: BaseSegDataset
    usable: list[Finding]

    @property
    def bad(self) -> int:
        """How many cannot."""
        return len(self.dataset) - len(self.usable)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = parse_arguments(arguments)
    configs, sampling = dataset_configs(options)
    folders: dict[str, list[tuple[str, dict[str, Any], BaseSegDataset]]] = {}
    for number, config in enumerate(configs, 1):
        title = f'{config["type"]}, {config.get("data_root", "")} ({number} of {len(configs)})'
        dataset = built(config)
        folder = options.out_dir or dataset.data_root or '.'
        folders.setdefault(folder, []).append((title if len(configs) > 1 else '', config, dataset))
    return max(count_folder(folder, parts, sampling, options) for folder, parts in folders.items())


def built(config: dict[str, Any]) -> BaseSegDataset:
    """The dataset of a config, without pipeline.

    Raises:
        FileNotFoundError: it has no folder of labels.
    """
    from mmseg.engine.errors import clear_config_errors
    from mmseg.registry import DATASETS

    with clear_config_errors({'dataset': config}):
        dataset = DATASETS.build({**config, 'pipeline': ()})
    if not os.path.isdir(dataset.seg_map_dir):
        raise FileNotFoundError(f'label folder {dataset.seg_map_dir} does not exist (another one: --labels)')
    return dataset


def count_folder(
    folder: str,
    parts: list[tuple[str, dict[str, Any], BaseSegDataset]],
    sampling: dict[str, Any],
    options: argparse.Namespace,
) -> int:
    """Count the classes of the datasets that share a folder, and so its statistics; returns the exit status."""
    from mmseg.datasets.statistics import check_overwriting

    if not options.table_only:
        labels = [(dataset.seg_map_dir, dataset.label_names) for _, _, dataset in parts]
        check_overwriting(folder, labels, otherwise=', or --table-only')
    counted = []
    for title, config, dataset in parts:
        if title:
            print(title, flush=True)
        counted.append(count(config, dataset, sampling, options))
    return write_files(folder, counted, options)


def count(
    config: dict[str, Any], dataset: BaseSegDataset, sampling: dict[str, Any], options: argparse.Namespace
) -> Counted:
    """Read all files of a dataset and print what they hold."""
    from rich.console import Console
    from rich.progress import track

    from mmseg.datasets import statistics
    from mmseg.datasets.statistics_report import report

    unlabelled, extra = dataset.unmatched_files()
    indices = sorted(set(range(len(dataset))) - set(unlabelled))
    # A process takes seconds to start: more of them for more files.
    nproc = min(options.nproc, 1 + len(indices) // FILES_PER_PROCESS)
    found = statistics.inspect_dataset(dataset, indices, label_loader(config), nproc, not options.labels_only)
    findings = list(track(found, 'reading', len(indices), console=Console(stderr=True), transient=True))
    usable = [finding for finding in findings if finding.error is None]
    name_problems(dataset, unlabelled, extra, findings)
    if not usable:
        raise ValueError(f'none of the {len(dataset)} images of {dataset.img_dir} can be used (see above)')
    tables, warnings, advice = report(dataset, usable, sampling)
    print(tables, flush=True)
    for text in warnings:
        warn(text)
    print(advice, flush=True)
    return Counted(dataset, usable)


def write_files(folder: str, counted: list[Counted], options: argparse.Namespace) -> int:
    """Write the statistics files, unless files are bad; returns the exit status."""
    from mmseg.datasets.conversion import write_statistics
    from mmseg.datasets.statistics import file_statistics
    from mmseg.datasets.statistics_usable import USABLE_FILE, write_usable

    bad = sum(one.bad for one in counted)
    if options.table_only:
        return 1 if bad else 0
    if bad and not options.skip_broken:
        warn(
            f'{bad} of {sum(len(one.dataset) for one in counted)} images cannot be used (named above). No statistics '
            'were written: repair or remove these files and run again, or leave them out with --skip-broken',
            'error',
        )
        return 1
    # A file that two datasets share stands there once.
    stats = dict(entry for one in counted for entry in file_statistics(one.usable, one.dataset))
    write_statistics(folder, list(stats.items()))
    print(f'statistics of {len(stats):,} label maps: {os.path.join(folder, "sample_class_stats.json")} and two more')
    for number, one in enumerate(counted, 1):
        name = USABLE_FILE.format('' if len(counted) == 1 else f'_{number}')
        usable = [finding.img_name for finding in one.usable]
        if options.skip_broken and (line := write_usable(Path(folder) / name, one.dataset, usable)):
            print(line)
    return 0


def name_problems(dataset: BaseSegDataset, unlabelled: list[int], extra: set[str], findings: list[Finding]) -> None:
    """Name the files that training would stop at, and those that it would not look at."""
    from mmseg.datasets.statistics_report import examples

    if extra:
        warn(f'{len(extra)} label maps in {dataset.seg_map_dir} have no image: {examples(extra)}')
    if unlabelled:
        names = [dataset.img_names[index] for index in unlabelled]
        wanted = dataset.label_names[unlabelled[0]]
        warn(
            f'{len(names)} of {len(dataset)} images have no label map: {examples(names)} '
            f'(looked for {wanted} in {dataset.seg_map_dir})',
            'error',
        )
    errors = [finding.error for finding in findings if finding.error is not None]
    for error in errors[:NAMED]:
        warn(error, 'error')
    if len(errors) > NAMED:
        warn(f'... and {len(errors) - NAMED} more', 'error')
    if blank := [finding.img_name for finding in findings if finding.blank and finding.error is None]:
        warn(
            f'{len(blank)} of {len(dataset)} images are of a single colour, and count all the same: '
            f'{examples(blank, NAMED)} (in {dataset.img_dir}; to train without them: ann_file, a list of the others)'
        )


def warn(text: str, kind: str = 'warning') -> None:
    """A line on the error output."""
    print(f'{kind}: {text}', file=sys.stderr, flush=True)


if __name__ == '__main__':
    run_tool(lambda: sys.exit(main()))
