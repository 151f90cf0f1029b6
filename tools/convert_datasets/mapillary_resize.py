"""Halve Mapillary's validation set, on which scores are usual:

    python tools/convert_datasets/mapillary_resize.py data/mapillary/validation/images \\
        data/mapillary/cityscape_trainIdLabel/val/label data/mapillary/half/val_img data/mapillary/half/val_label

Images by Pillow's bicubic filter, coded as JPEG of its default quality, as the originals' scores were made; label maps
by nearest neighbour. ``--png`` codes the images without loss. An interrupted run continues where it stopped.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import track  # noqa: E402

from mmseg.datasets.base_dataset import files_below, without_suffix  # noqa: E402
from mmseg.datasets.image_io import read_image, read_label, write_label  # noqa: E402
from mmseg.datasets.parallel import map_in_order  # noqa: E402
from mmseg.datasets.transforms.resize import resize_image, resize_map  # noqa: E402
from tools._entry import run_tool  # noqa: E402

IMAGES = ('.jpg', '.jpeg', '.png')


@dataclass(frozen=True)
class Task:
    """Files of one image, in and out."""

    image: str
    label: str
    out_image: str
    out_label: str


def half_image(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 -> (H//2, W//2, 3), bicubic; the order of channels does not matter."""
    return resize_image(image, (image.shape[1] // 2, image.shape[0] // 2), 'bicubic', 'pillow')


def half_label(label: np.ndarray) -> np.ndarray:
    """(H, W) uint8 -> (H//2, W//2), nearest neighbour."""
    return resize_map(label, (label.shape[1] // 2, label.shape[0] // 2), 'pillow')


def halve(task: Task) -> tuple[bool, str | None]:
    """Write both files of a task; returns whether they were there already, and what is wrong with them."""
    if os.path.isfile(task.out_image) and os.path.isfile(task.out_label):
        return True, None
    try:
        image, label = read_image(task.image), read_label(task.label)
        if image.shape[:2] != label.shape:
            sizes = [f'{shape[1]}x{shape[0]}' for shape in (label.shape, image.shape)]
            raise ValueError(f'label map {task.label} is {sizes[0]} pixels, but its image {task.image} is {sizes[1]}')
        write_image(task.out_image, half_image(np.ascontiguousarray(image[..., ::-1])))
        write_label(task.out_label, half_label(label))
    except (ValueError, OSError) as error:
        return False, str(error)
    return False, None


def write_image(path: str, image: np.ndarray) -> None:
    """Write an RGB image as its name's ending says: whole, or not at all."""
    unfinished = f'{path}.{os.getpid()}.tmp'
    Image.fromarray(image).save(unfinished, 'PNG' if path.endswith('.png') else 'JPEG')
    os.replace(unfinished, path)


def list_tasks(args: argparse.Namespace) -> tuple[list[Task], list[str]]:
    """What to halve, and the images without label map.

    Raises:
        FileNotFoundError: a folder is missing, or holds no images.
    """
    for folder in (args.image_dir, args.label_dir):
        if not os.path.isdir(folder):
            raise FileNotFoundError(f'folder {folder} does not exist')
    tasks, missing = [], []
    for name in sorted(files_below(args.image_dir)):
        stem = without_suffix(name, IMAGES)
        if stem is None:
            continue
        label = os.path.join(args.label_dir, f'{stem}.png')
        if not os.path.isfile(label):
            missing.append(name)
            continue
        image = os.path.join(args.image_dir, name)
        out_image = os.path.join(args.out_image_dir, f'{stem}.png' if args.png else name)
        tasks.append(Task(image, label, out_image, os.path.join(args.out_label_dir, f'{stem}.png')))
    if not tasks:
        detail = f' with a label map in {args.label_dir}, e.g. for {missing[0]}' if missing else ''
        raise FileNotFoundError(f'no images in {args.image_dir}{detail}')
    return tasks, missing


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('image_dir', help='folder of images')
    parser.add_argument('label_dir', help='folder of label maps of the same names, .png')
    parser.add_argument('out_image_dir', help='folder for the images of half the size')
    parser.add_argument('out_label_dir', help='folder for their label maps')
    parser.add_argument('--png', action='store_true', help='code images as PNG: scores differ a little')
    parser.add_argument('--nproc', type=int, default=4, help='number of processes (default: %(default)s)')
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_arguments(arguments)
    tasks, missing = list_tasks(args)
    for task in tasks:
        for path in (task.out_image, task.out_label):
            os.makedirs(os.path.dirname(path), exist_ok=True)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    outcomes = list(track(map_in_order(halve, tasks, args.nproc), 'halving', len(tasks), console=console))
    errors = [error for _, error in outcomes if error is not None]
    errors += [f'image {name} has no label map in {args.label_dir}' for name in missing]
    reused = sum(there for there, _ in outcomes)
    made = sum(error is None for _, error in outcomes) - reused
    print(f'{made} images and label maps halved, {reused} were there already')
    for error in errors:
        console.print(error, markup=False)
    if errors:
        console.print(f'{len(errors)} of {len(tasks) + len(missing)} images are left out (named above)', markup=False)
    return 1 if errors else 0


if __name__ == '__main__':
    run_tool(lambda: sys.exit(main()))
