"""Packs datasets for training: decoded and resized once, in few large files that a training maps into memory.

    python tools/pack_dataset.py configs/daformer/CONFIG.py --out packed
    python tools/pack_dataset.py data/gta --dataset GTADataset --scale 1280x720 --out packed
    python tools/pack_dataset.py --verify packed/gta

A config's training datasets go to OUT/NAME each, and a training reads them with one key, for example
train_dataloader.dataset.source.packed=packed/gta; its samples are the same to the bit. A folder is packed with images,
labels and depth maps where they are, for pipelines with a Resize of this scale.

Run again after an interruption, it goes on. Files that cannot be read are named, and the pack waits for them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402

NAMED = 20
FILES_PER_PROCESS = 100


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'what', nargs='*', metavar='CONFIG_OR_ROOT', help='config of a training, or folder of a dataset'
    )
    parser.add_argument('--out', metavar='FOLDER', help='each dataset gets a folder of its name in it')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE')
    folder = parser.add_argument_group('a folder instead of a config')
    folder.add_argument('--dataset', metavar='TYPE', help='its dataset class, e.g. GTADataset')
    folder.add_argument('--scale', type=parse_scale, metavar='WIDTHxHEIGHT',
                        help='of the Resize in the pipelines (default: packed at own size)')  # fmt: skip
    folder.add_argument('--images', metavar='FOLDER', default='images', help='below it (default: %(default)s)')
    folder.add_argument('--labels', metavar='FOLDER', help='below it (default: labels, if it is there)')
    folder.add_argument('--depth', metavar='FOLDER', help='of depth maps, below it')
    folder.add_argument('--name', help="folder below OUT (default: the dataset's name)")
    how = parser.add_argument_group('how')
    how.add_argument('--nproc', type=int, default=4, help='most processes that read and resize (default: %(default)s)')
    how.add_argument('--file-size', type=float, default=8, metavar='GiB', help='of a data file (default: %(default)s)')
    how.add_argument('--overwrite', action='store_true', help='replace packs of other settings or changed files')
    how.add_argument('--verify', nargs='+', metavar='PACK', default=[], help='compare packs with their checksums')
    options = parser.parse_args(arguments)
    if bool(options.what) == bool(options.verify):
        parser.error('give configs or dataset folders to pack, or packs to --verify')
    if options.what and not options.out:
        parser.error('--out FOLDER is needed: where the packs go')
    if options.nproc < 1 or options.file_size <= 0:
        parser.error('--nproc and --file-size must be positive')
    return options


def parse_scale(text: str) -> tuple[int, int]:
    """`1280x720` -> (1280, 720)."""
    width, _, height = text.partition('x')
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f'{text!r} is no scale: WIDTHxHEIGHT, as in 1280x720')
    return int(width), int(height)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = parse_arguments(arguments)
    if options.verify:
        return max(verify_pack(folder) for folder in options.verify)
    keys: dict[str, list[str]] = {}
    configs: dict[str, dict[str, Any]] = {}
    for what in options.what:
        for key, name, config in datasets_of(what, options):
            folder = str(Path(options.out) / name)
            keys.setdefault(folder, []).append(key)
            if configs.setdefault(folder, config) != config:
                # A pack of the images and labels also serves a pipeline that reads no labels.
                raise ValueError(
                    f'two different datasets are called {name} ({" and ".join(filter(None, keys[folder]))}): pack them '
                    'one after the other with another --out each, or give them a name'
                )
    status = 0
    for folder, config in configs.items():
        status = max(status, pack_one(folder, config, keys[folder], options))
    return status


def pack_one(folder: str, config: dict[str, Any], keys: list[str], options: argparse.Namespace) -> int:
    """Pack one dataset; returns the exit status."""
    from mmseg.datasets.packed import pack
    from mmseg.engine.errors import clear_config_errors
    from mmseg.registry import DATASETS

    with clear_config_errors({'dataset': config}):
        dataset = DATASETS.build(config)
    # A process takes seconds to start: more of them for more files.
    nproc = min(options.nproc, 1 + len(dataset) // FILES_PER_PROCESS)
    report = pack(dataset, folder, nproc, int(options.file_size * 2**30), options.overwrite, _announce, _progress)
    for text in report.broken[:NAMED]:
        print(f'error: {text}', file=sys.stderr)
    if report.broken:
        more = f' ({len(report.broken) - NAMED} more than named above)' if len(report.broken) > NAMED else ''
        print(
            f'error: {len(report.broken)} of {len(dataset)} images cannot be read{more}. Repair them, or leave them '
            f'out of the dataset, and run this again: the other {report.images} images are packed',
            file=sys.stderr,
        )
        return 1
    if report.written:
        print(f'{folder}: {report.images} images, {report.size / 2**30:.2f} GiB')
    for key in filter(None, dict.fromkeys(keys)):
        print(f'to train from it: --cfg-options {key}.packed={folder}')
    return 0


def datasets_of(what: str, options: argparse.Namespace) -> list[tuple[str, str, dict[str, Any]]]:
    """Key in the config, name and config of the datasets to pack."""
    from mmseg.engine.config import load_config

    if Path(what).is_dir():
        return [('', options.name or folder_name(what, options), folder_config(what, options))]
    dataset = (load_config(what, options.cfg_options).to_dict().get('train_dataloader') or {}).get('dataset')
    if not dataset:
        raise ValueError(f'config {what} has no train_dataloader.dataset')
    found = [
        (key, single_name(single), {name: value for name, value in single.items() if name != 'packed'})
        for key, single in singles(dataset, 'train_dataloader.dataset')
    ]
    return found


def singles(config: Any, key: str) -> Iterable[tuple[str, dict[str, Any]]]:
    """The single datasets that a dataset's config is made of, with their keys."""
    if isinstance(config, (list, tuple)):
        for number, item in enumerate(config):
            yield from singles(item, f'{key}.{number}')
        return
    inner = [name for name in ('source', 'target', 'dataset', 'datasets') if name in config]
    for name in inner:
        yield from singles(config[name], f'{key}.{name}')
    if not inner:
        yield key, config


def single_name(config: dict[str, Any]) -> str:
    """What a dataset is called in scores, from its config."""
    from mmseg.datasets.base_dataset import default_name

    return config.get('name') or default_name(str(config['type']), config.get('data_root', ''))


def folder_name(root: str, options: argparse.Namespace) -> str:
    """Name of the pack of a folder."""
    return single_name({'type': options.dataset or 'BaseSegDataset', 'data_root': root})


def folder_config(root: str, options: argparse.Namespace) -> dict[str, Any]:
    """Config of the dataset in a folder, with the first steps of a training pipeline."""
    if not options.dataset:
        raise ValueError(f'{root} is a folder: which dataset is it? --dataset TYPE, e.g. --dataset GTADataset')
    labels = options.labels or ('labels' if os.path.isdir(os.path.join(root, 'labels')) else None)
    prefix = {'img_path': options.images, 'seg_map_path': labels, 'depth_path': options.depth}
    pipeline: list[dict[str, Any]] = [{'type': 'LoadImageFromFile'}]
    if labels:
        pipeline.append({'type': 'LoadAnnotations'})
    if options.depth:
        pipeline.append({'type': 'LoadDepth'})
    if options.scale:
        pipeline.append({'type': 'Resize', 'scale': options.scale, 'keep_ratio': True})
    return {
        'type': options.dataset,
        'data_root': root,
        'data_prefix': {key: path for key, path in prefix.items() if path},
        'pipeline': [*pipeline, {'type': 'PackTrainInputs'}],
    }


def verify_pack(folder: str) -> int:
    """Compare a pack with its checksums; returns the exit status."""
    from mmseg.datasets.packed.writer import verify

    wrong = list(verify(folder))
    for name in wrong[:NAMED]:
        print(f'error: {folder}: the bytes of {name} are not those that were written', file=sys.stderr)
    print(f'{folder}: {f"{len(wrong)} images are damaged: pack again with --overwrite" if wrong else "whole"}')
    return 1 if wrong else 0


def _announce(text: str) -> None:
    print(text, flush=True)


def _progress(items: Iterable[Any], total: int) -> Iterable[Any]:
    from mmseg.evaluation.progress import track

    return track(items, total, 'Packing')


if __name__ == '__main__':
    run_tool(lambda: sys.exit(main()))
