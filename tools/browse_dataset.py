"""Shows what training sees: both domains after augmentation, pseudo-labels, mixed images and weights.

    python tools/browse_dataset.py CONFIG --out-dir work_dirs/browse
    python tools/browse_dataset.py CONFIG --out-dir work_dirs/browse --checkpoint work_dirs/RUN/latest.pth --start 1001
    python tools/browse_dataset.py CONFIG --stats 500

A picture per iteration, drawn by the config's own loader and method: iteration 1 is what the training begins with.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402

if TYPE_CHECKING:
    from mmseg.engine.preview import PreparedStep, Preview


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file of a training, or the folder of a run')
    what = parser.add_argument_group('what to do (at least one)')
    what.add_argument('--out-dir', metavar='DIR', help='folder for a PNG per iteration')
    what.add_argument('--stats', nargs='?', type=int, const=200, metavar='N',
                      help='print how often each class comes in N labelled samples (default 200)')  # fmt: skip
    how = parser.add_argument_group('how')
    how.add_argument('--number', type=int, default=8, metavar='N', help='iterations to draw (default 8)')
    how.add_argument('--start', type=int, default=1, metavar='ITER', help='the first of them, counted from 1')
    how.add_argument('--interval', type=int, default=1, metavar='N', help='only every so many iterations')
    how.add_argument(
        '--checkpoint', metavar='CKPT', help='networks to make pseudo-labels with: a file, or a run folder'
    )
    how.add_argument('--trust-checkpoint', action='store_true', help='read checkpoints that can run code')
    how.add_argument('--opacity', type=float, default=0.65, help='of labels over their images; 1 shows colours alone')
    how.add_argument('--tile-width', type=int, default=320, metavar='PIXELS', help='of one picture (default 320)')
    how.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE')
    options = parser.parse_args(arguments)
    if not (options.out_dir or options.stats is not None):
        parser.error('nothing to do: give at least one of --out-dir, --stats')
    for name in ('number', 'start', 'interval', 'tile_width', 'stats'):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f'--{name.replace("_", "-")} {value}: expected at least 1')
    if not 0 <= options.opacity <= 1:
        parser.error(f'--opacity {options.opacity}: expected a number from 0 to 1')
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    from mmseg.engine.config import load_config
    from mmseg.evaluation.run_folder import find_config

    config = find_config(options.config) if Path(options.config).is_dir() else options.config
    cfg = load_config(config, options.cfg_options)
    if options.stats:
        print_stats(cfg, options.stats, options.start)
    if options.out_dir:
        draw(cfg, options)


def print_stats(cfg: Any, samples: int, start: int) -> None:
    """Class frequencies in the labelled half of training samples."""
    from mmengine.logging import MMLogger
    from rich.console import Console

    from mmseg.engine.seen_classes import count_seen, seen_table

    if not MMLogger.check_instance_created('browsing'):
        MMLogger.get_instance('browsing', logger_name='mmseg', log_level='WARNING')
    seen = count_seen(cfg, samples, start)
    # A pipe has no width to cut the table at.
    Console(width=max(Console().width, 120)).print(seen_table(seen))
    ignored = seen.ignored / max(seen.ignored + seen.pixels.sum(), 1)
    print(f'{samples} labelled samples from iteration {start} on; {100 * ignored:.1f} % of their pixels are ignored.')
    print('times: how much larger a share of the labelled pixels the class has in the samples than in the data set.')
    if seen.dataset is None:
        print('The data set has no sample_class_stats.json to compare with (docs/custom_dataset.md).')


def draw(cfg: Any, options: argparse.Namespace) -> None:
    """Write the pictures."""
    from mmseg.engine.preview import open_preview
    from mmseg.evaluation.run_folder import find_checkpoint
    from mmseg.visualization import save_png, training_panel

    checkpoint = find_checkpoint(options.checkpoint) if options.checkpoint else None
    folder, written = Path(options.out_dir), 0
    with open_preview(cfg, checkpoint, options.trust_checkpoint) as preview:
        if preview.missing:
            print(f'{preview.missing} is not there: random weights; data are those of the training', file=sys.stderr)
        info, normalize = preview.dataset.metainfo, preview.method.data_preprocessor
        mean, std = (getattr(normalize, name).flatten().tolist() for name in ('mean', 'std'))
        last = options.start + (options.number - 1) * options.interval
        for iteration in range(options.start, last + 1, options.interval):
            for step in preview.steps(iteration):
                picture = training_panel(
                    step.panel, mean, std, info['palette'], info['classes'],
                    title=heading(preview, step), tile_width=options.tile_width,
                    captions=captions(step, info['classes'], preview.networks), opacity=options.opacity,
                )  # fmt: skip
                save_png(picture, folder / file_name(preview, step))
                written += 1
        if checkpoint is None and 'pseudo_label' in step.panel:
            print('The pseudo-labels are those of untrained networks; --checkpoint shows those of trained ones.')
    print(f'Pictures: {folder} ({written})')


def heading(preview: Preview, step: PreparedStep) -> str:
    parts = f', part {step.part} of {preview.method.accumulate}' if preview.method.accumulate > 1 else ''
    return f'iteration {step.iteration}{parts}'


def file_name(preview: Preview, step: PreparedStep) -> str:
    part = f'_part_{step.part}' if preview.method.accumulate > 1 else ''
    return f'iter_{step.iteration:06d}{part}.png'


def captions(step: PreparedStep, classes: Sequence[str], networks: str) -> list[list[str]]:
    """Where each image of the batch comes from, which networks labelled it, and what was pasted into it."""
    lines = []
    for number, source in enumerate(step.source):
        own = [f'source  {origin(source, classes)}']
        if step.target:
            own.append(f'target  {origin(step.target[number], classes)}')
        if 'pseudo_label' in step.panel:
            own.append(f'pseudo-labels  of {networks}')
        if step.pasted:
            names = ', '.join(classes[i] for i in step.pasted[number] if i < len(classes))
            own.append(f'pasted  {names or "nothing"}')
        lines.append(own)
    return lines


def origin(meta: Mapping[str, Any], classes: Sequence[str]) -> str:
    """File, scale, crop, flip, and the class that rare class sampling drew the image for."""
    name = Path(meta['img_path']).name
    (height, width), (scale_x, scale_y) = meta['ori_shape'][:2], meta['scale_factor']
    text = f'{name}, {width}x{height}'
    if (scale_x, scale_y) != (1, 1):
        width, height = round(width * scale_x), round(height * scale_y)
        text += f' scaled to {width}x{height}'
    if 'crop_box' in meta:
        top, bottom, left, right = meta['crop_box']
        text += f', crop x {left} to {min(right, width)}, y {top} to {min(bottom, height)}'
    if meta['flip']:
        text += ', mirrored'
    if 'sync_box' in meta:
        top, bottom, left, right = meta['sync_box']
        text += f', of that x {left} to {right}, y {top} to {bottom}'
    if 'sampled_class' in meta:
        text += f', drawn for {classes[meta["sampled_class"]]}'
    return text


if __name__ == '__main__':
    run_tool(main)
