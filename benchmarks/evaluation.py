"""Speed of an evaluation: images per second and memory, from image files to the scores.

    python benchmarks/evaluation.py                                       # two demo networks on a CPU, small images
    python benchmarks/evaluation.py configs/hrda/CONFIG.py --plain --modes fp32 tf32 bf16 bf16+channels_last
    python benchmarks/evaluation.py configs/daformer/CONFIG.py --ways whole slide:1 slide:4 whole+tta --write

Images and label maps are made up and lie as PNG files in a temporary folder; weights are random. What is timed is what
tools/test.py does: load, predict, resize to the label's size, choose classes, count, with --write also write
predictions, and the scores at the end. ``plain`` is that as code bases of this field had it: float32 with torch's
default flags, one window at a time, full-size probabilities moved to the host, counting in NumPy, files written in
between. Memory is the most that tensors held at once for one image, on a GPU with the weights, on a CPU without them.
"""

from __future__ import annotations

import argparse
import copy
import gc
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

CONFIGS = ('configs/demo/daformer.py', 'configs/demo/hrda.py')
FORMATS = ('plain', 'fp32', 'tf32', 'bf16', 'fp16')
CLASSES = 19


@dataclass
class Result:
    """What one way of predicting gave.

    Attributes:
        way: how images are predicted.
        mode: number format, or ``plain``.
        images_per_second: over all images, the loader's start and the scores included.
        memory_mib: of predicting one image.
        counts: pixels by true and predicted class.
    """

    way: str
    mode: str
    images_per_second: float
    memory_mib: float
    counts: list[list[int]]


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    from mmengine.config import DictAction

    from benchmarks.train_step import parse_size

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('configs', nargs='*', default=CONFIGS, metavar='CONFIG')
    parser.add_argument('--modes', nargs='+', type=parse_mode, default=['fp32'], metavar='MODE',
                        help=f'words joined by +: {", ".join(FORMATS)}, channels_last')  # fmt: skip
    parser.add_argument('--plain', action='store_true', help='measure the baseline first, in each way')
    parser.add_argument('--ways', nargs='+', type=parse_way, default=['config'], metavar='WAY',
                        help='config (as its test_cfg says), whole, slide, slide:N (N windows at once); with +tta: six '
                             'scales and mirror images')  # fmt: skip
    parser.add_argument('--size', type=parse_size, metavar='HEIGHTxWIDTH',
                        help='of the images (default: 1024x2048 on a GPU, 256x512 otherwise)')  # fmt: skip
    parser.add_argument('--crop', type=parse_size, metavar='HEIGHTxWIDTH',
                        help="of windows, half overlapping (default: the config's, or half the height)")  # fmt: skip
    parser.add_argument('--images', type=int, help='how many (default: 64 on a GPU, 6 otherwise)')
    parser.add_argument('--repeats', type=int, default=1, help='the fastest counts (default: %(default)s)')
    parser.add_argument('--workers', type=int, help='of the loader (default: 8 on a GPU, 0 otherwise)')
    parser.add_argument('--write', action='store_true', help='write the predictions too')
    parser.add_argument('--device', help='default: the GPU if there is one')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE')
    parser.add_argument('--json', type=Path, help='file for all numbers, with hardware and versions')
    return parser.parse_args(arguments)


def parse_mode(text: str) -> str:
    """A mode such as `bf16+channels_last`; at most one number format."""
    words = text.split('+')
    if set(words) - {*FORMATS, 'channels_last'} or len(set(words) & set(FORMATS)) > 1:
        raise argparse.ArgumentTypeError(f'{text!r}: at most one of {", ".join(FORMATS)}, and channels_last')
    return text


def parse_way(text: str) -> str:
    """A way such as `slide:4+tta`."""
    base = text.removesuffix('+tta')
    kind, _, count = base.partition(':')
    counted = kind == 'slide' and count.isdigit() and int(count) > 0
    if base not in ('config', 'whole', 'slide') and not counted:
        raise argparse.ArgumentTypeError(f'{text!r} is none of config, whole, slide, slide:N, each with +tta or not')
    return text


def prepared(cfg: Any, way: str, folder: Path, options: argparse.Namespace, size: tuple[int, int]) -> Any:
    """The config, evaluated in this way on the made-up images."""
    from mmseg.evaluation import config_options

    cfg = copy.deepcopy(cfg)
    pipeline = [{'type': name} for name in ('LoadImageFromFile', 'LoadAnnotations', 'PackSegInputs')]
    cfg.test_dataloader = {
        'num_workers': options.workers,
        'dataset': {
            'type': 'BaseSegDataset',
            'data_root': str(folder),
            'data_prefix': {'img_path': 'images', 'seg_map_path': 'labels'},
            'metainfo': {
                'classes': tuple(f'class {number}' for number in range(CLASSES)),
                'palette': [[number, number, number] for number in range(CLASSES)],
            },
            'pipeline': pipeline,
            'test_mode': True,
        },
    }
    base = way.removesuffix('+tta')
    test_cfg = dict(cfg.model.get('test_cfg') or {})
    if base != 'config':
        kind, _, count = base.partition(':')
        test_cfg['mode'] = kind
        crop = options.crop or test_cfg.get('crop_size') or (size[0] // 2, size[0] // 2)
        if kind == 'slide':
            test_cfg |= {'crop_size': crop, 'stride': (crop[0] // 2, crop[1] // 2), 'batched_slide': True}
        if count:
            test_cfg['batch_pixels'] = int(count) * crop[0] * crop[1]
    elif options.crop and test_cfg.get('mode') == 'slide':
        test_cfg |= {'crop_size': options.crop, 'stride': (options.crop[0] // 2, options.crop[1] // 2)}
    cfg.model.test_cfg = test_cfg
    if way.endswith('+tta'):
        config_options.set_tta(cfg)
    return cfg


def measure(cfg: Any, mode: str, device: Any, out: Path | None, repeats: int) -> tuple[float, float, list[list[int]]]:
    """Seconds of the fastest evaluation, MiB of predicting one image, and the pixel counts."""
    import torch

    from benchmarks._memory import PeakMemory
    from benchmarks._plain_evaluation import predict_plainly
    from mmseg.datasets import collate_samples
    from mmseg.engine.precision import Precision
    from mmseg.evaluation.evaluate import build_loader, build_metric, build_networks, predict_all
    from mmseg.registry import DATASETS

    words = mode.split('+')
    torch.manual_seed(0)
    preprocessor, model = build_networks(cfg)
    model.to(device).eval()
    preprocessor.to(device)
    if 'channels_last' in words:
        model.to(memory_format=torch.channels_last)
    precision = Precision(next((word for word in words if word in ('tf32', 'bf16', 'fp16')), 'fp32'))
    precision.apply_global_flags()
    plain = 'plain' in words
    if plain:
        torch.backends.cudnn.allow_tf32 = True
    dataset = DATASETS.build(cfg.test_dataloader['dataset'])

    def run(batches: Any) -> list[list[int]]:
        with precision.autocast(device):
            if plain:
                folder = None if out is None else str(out)
                return predict_plainly(model, preprocessor, batches, CLASSES, folder).tolist()
            places = {} if out is None else {'output_dir': str(out), 'to_label_id': False}
            metric = build_metric(cfg, dataset, {'type': 'IoUMetric', 'subsets': None, **places})
            predict_all(model, preprocessor, batches, metric)
        metric.evaluate(len(dataset))
        return metric.confusion.tolist()

    with PeakMemory(device) as memory:
        run([collate_samples([dataset[0]])])
    seconds = []
    for _ in range(repeats):
        loader = build_loader(dataset, cfg.test_dataloader)
        start = time.perf_counter()
        counts = run(loader)
        seconds.append(time.perf_counter() - start)
    return min(seconds), memory.mib, counts


def run_config(path: str, options: argparse.Namespace, device: Any, folder: Path) -> Iterator[Result]:
    """Measure all ways and modes of one config."""
    import torch

    from mmseg.engine.config import load_config

    cfg = load_config(path, options.cfg_options)
    cfg.model.decode_head = with_classes(cfg.model.decode_head)
    for way in options.ways:
        for mode in dict.fromkeys((['plain'] if options.plain else []) + options.modes):
            with tempfile.TemporaryDirectory() as out:
                changed = prepared(cfg, way, folder, options, options.size)
                seconds, memory, counts = measure(
                    changed, mode, device, Path(out) if options.write else None, options.repeats
                )
            yield Result(way, mode, options.images / seconds, memory, counts)
            gc.collect()
            if device.type == 'cuda':
                torch.cuda.empty_cache()


def with_classes(head: Any) -> Any:
    """A head's config, or the list of a cascade's, for the made-up classes."""
    if isinstance(head, (list, tuple)):
        return [with_classes(one) for one in head]
    return {**head, 'num_classes': CLASSES}


def print_row(result: Result, first: Result) -> None:
    """A row of the Markdown table."""
    print(
        f'| {result.way} | {result.mode} | {result.images_per_second:.2f} '
        f'| {result.images_per_second / first.images_per_second:.2f}x | {result.memory_mib:.0f} MiB '
        f'| {result.memory_mib / first.memory_mib:.2f}x |',
        flush=True,
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    paths = [path if Path(path).is_file() else str(ROOT / path) for path in options.configs]
    for path in paths:
        if not Path(path).is_file():
            sys.exit(f'error: no config {path}')
    import logging

    import cv2
    import torch
    from mmengine.logging import MMLogger

    from benchmarks._synthetic_files import write_images
    from benchmarks.train_step import machine

    MMLogger.get_instance('evaluation').setLevel(logging.ERROR)  # the tables of random networks' scores
    device = torch.device(options.device or ('cuda' if torch.cuda.is_available() else 'cpu'))
    large = device.type == 'cuda'
    options.size = options.size or ((1024, 2048) if large else (256, 512))
    options.images = options.images or (64 if large else 6)
    options.workers = options.workers if options.workers is not None else (8 if large else 0)
    if not options.workers:
        cv2.setNumThreads(torch.get_num_threads())
    where = machine(device)
    print(', '.join(f'{key} {value}' for key, value in where.items() if value is not None))
    written = ', predictions written' if options.write else ''
    print(f'{options.images} PNG files of {options.size[0]}x{options.size[1]}, {options.workers} workers{written}')
    configs = []
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder), options.size, options.images, CLASSES)
        base = 'plain' if options.plain else 'the first row'
        for path in paths:
            print(f'\n{path}\n\n| way | mode | images/s | against {base} | memory | against {base} |')
            print('|---' * 6 + '|')
            results: list[Result] = []
            for result in run_config(path, options, device, Path(folder)):
                results.append(result)
                same = [one for one in results if one.way == result.way] if options.plain else results
                print_row(result, same[0])
            configs.append({'config': path, 'results': [asdict(result) for result in results]})
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        names = ('size', 'images', 'workers', 'write')
        content = {'machine': where, **{name: getattr(options, name) for name in names}, 'configs': configs}
        options.json.write_text(json.dumps(content, indent=1) + '\n')


if __name__ == '__main__':
    main()
