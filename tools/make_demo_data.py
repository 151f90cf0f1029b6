"""Makes the demo domains: procedural street scenes in the layouts of GTA, SYNTHIA, Cityscapes and Mapillary.

    python tools/make_demo_data.py data/demo
    python tools/make_demo_data.py data/demo --num-source 1000 --size 1024x512 --domains gta,cityscapes --nproc 8

The same seed gives the same files for any number of processes. A second run adds only what is missing.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console  # noqa: E402
from rich.progress import track  # noqa: E402

from mmseg.datasets.demo_scenes import STYLES  # noqa: E402
from mmseg.datasets.demo_scenes.files import claim_folder, make_scene, write_class_names  # noqa: E402
from mmseg.datasets.parallel import map_in_order  # noqa: E402
from tools._entry import run_tool  # noqa: E402

Task = tuple[str, str, int]  # domain, split, index
TARGETS = ('cityscapes', 'mapillary')


def parse_size(text: str) -> tuple[int, int]:
    """`512x256` -> (512, 256)."""
    match = re.fullmatch(r'(\d+)x(\d+)', text)
    if match is None or min(int(match[1]), int(match[2])) < 16:
        raise argparse.ArgumentTypeError(f'{text!r} is no size: WIDTHxHEIGHT of at least 16x16 pixels, as in 512x256')
    return int(match[1]), int(match[2])


def parse_domains(text: str) -> list[str]:
    """`gta,cityscapes` -> ['gta', 'cityscapes']."""
    domains = [name.strip() for name in text.split(',') if name.strip()]
    unknown = [name for name in domains if name not in STYLES]
    if unknown or not domains:
        raise argparse.ArgumentTypeError(f'unknown domain {", ".join(unknown) or text!r}: use {", ".join(STYLES)}')
    return domains


def parse_count(text: str) -> int:
    """A number of scenes, 0 or more."""
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f'{text!r} is no number of scenes')
    return int(text)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Make the demo domains: street scenes with labels and depth.')
    parser.add_argument('out_dir', help='folder to write gta/, synthia/, cityscapes/ and mapillary/ into')
    parser.add_argument('--num-source', type=parse_count, default=400, help='scenes per source (default: %(default)s)')
    parser.add_argument('--num-target', type=parse_count, default=200, help='training scenes per target (%(default)s)')
    parser.add_argument('--num-val', type=parse_count, default=60, help='validation scenes per target (%(default)s)')
    parser.add_argument('--size', type=parse_size, default=(512, 256), help='WIDTHxHEIGHT (default: 512x256)')
    parser.add_argument('--seed', type=parse_count, default=0, help='other seed, other scenes (default: %(default)s)')
    parser.add_argument('--domains', type=parse_domains, default=list(STYLES), help=f'default: {",".join(STYLES)}')
    parser.add_argument('--nproc', type=int, default=os.cpu_count() or 1, help='processes (default: all cores)')
    return parser.parse_args(arguments)


def list_tasks(args: argparse.Namespace) -> list[Task]:
    tasks: list[Task] = []
    for domain in args.domains:
        if domain in TARGETS:
            tasks += [(domain, 'train', i) for i in range(args.num_target)]
            tasks += [(domain, 'val', i) for i in range(args.num_val)]
        else:
            tasks += [(domain, 'train', i) for i in range(args.num_source)]
    return tasks


def _make(root: str, size: tuple[int, int], seed: int, task: Task) -> bool:
    domain, split, index = task
    return make_scene(root, domain, split, index, size, seed)


def _run_tasks(args: argparse.Namespace, tasks: Sequence[Task]) -> Iterator[bool]:
    make = partial(_make, args.out_dir, args.size, args.seed)
    return map_in_order(make, tasks, args.nproc)


def make_demo_data(arguments: Sequence[str] | None = None) -> None:
    args = parse_arguments(arguments)
    claim_folder(args.out_dir, args.size, args.seed)
    if 'mapillary' in args.domains:
        write_class_names(args.out_dir)
    tasks = list_tasks(args)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    made = sum(track(_run_tasks(args, tasks), 'Drawing street scenes', len(tasks), console=console))
    console.print(f'{made} scenes drawn in {args.out_dir}, {len(tasks) - made} were there already')


if __name__ == '__main__':
    run_tool(make_demo_data)
