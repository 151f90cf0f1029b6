"""Exports a trained network to ONNX or torch.export, with its normalisation inside, and checks what was written.

    python tools/export.py work_dirs/RUN --format onnx --dynamic
    python tools/export.py CONFIG CHECKPOINT --format torch-export --shape 512 1024

Input of the file: RGB bytes, uint8 (batch, 3, height, width). Output: logits at the size of the input, or
--probabilities, or --labels. The written file is run on several images beside the trained network; where they disagree,
no file is left and the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402

if TYPE_CHECKING:
    from mmengine.config import Config

FORMATS = ('onnx', 'torch-export')


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        usage='python tools/export.py CONFIG|RUN_FOLDER [CHECKPOINT] --format onnx|torch-export [options]',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', help='config file, or the folder of a run')
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file, or folder: its latest.pth')
    parser.add_argument('--format', choices=FORMATS, required=True)
    parser.add_argument('--output', help='file to write (default: beside the checkpoint, .onnx or .pt2)')
    parser.add_argument('--shape', nargs=2, type=int, metavar=('H', 'W'),
                        help='image size in pixels (default: that of the test images, or of a window)')  # fmt: skip
    parser.add_argument('--batch-size', type=int, default=1, help='images at a time (default: 1)')
    parser.add_argument('--dynamic', action='store_true', help='leave batch size, height and width free')
    what = parser.add_mutually_exclusive_group()
    what.add_argument('--probabilities', dest='output_kind', action='store_const', const='probabilities',
                      default='logits', help='give class probabilities instead of logits')  # fmt: skip
    what.add_argument('--labels', dest='output_kind', action='store_const', const='labels',
                      help='give the most probable class of each pixel')  # fmt: skip
    parser.add_argument('--ema', action='store_true', help='export the teacher')
    parser.add_argument('--best', action='store_true', help='export the best checkpoint of the folder')
    parser.add_argument('--tolerance', type=float, default=1e-3,
                        help='allowed difference, as a share of the largest score (default: 0.001)')  # fmt: skip
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE')
    parser.add_argument('--trust-checkpoint', action='store_true', help='read checkpoints that can run code')
    options = parser.parse_args(arguments)
    _check(parser, options)
    return options


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.checkpoint is None and not Path(options.config).is_dir():
        parser.error('a CHECKPOINT is needed beside a config file')
    if min(options.shape or [1]) < 1 or options.batch_size < 1:
        parser.error('--shape and --batch-size need positive numbers')
    if not options.tolerance > 0:
        parser.error(f'--tolerance {options.tolerance}: expected a number above 0')


def main(arguments: list[str] | None = None) -> Path:
    """Run the command; returns the written file."""
    options = parse_arguments(arguments)
    from mmseg.apis import init_model
    from mmseg.engine.export import export_network
    from mmseg.engine.export_formats import FORMATS as WRITTEN
    from mmseg.engine.export_formats import ExportError, check_onnx_packages
    from mmseg.engine.export_metadata import export_metadata
    from mmseg.evaluation.run_folder import find_checkpoint

    if options.format == 'onnx':
        check_onnx_packages()
    checkpoint = find_checkpoint(options.checkpoint or options.config, options.best)
    path = Path(options.output) if options.output else _default_path(checkpoint, options)
    suffix = WRITTEN[options.format].suffix
    if path.suffix != suffix:
        raise ValueError(f'--output {path}: a file of --format {options.format} ends with {suffix}')
    model = init_model(
        options.config,
        checkpoint,
        'cpu',
        ema=options.ema,
        cfg_options=options.cfg_options,
        trust=options.trust_checkpoint,
    )
    height, width = options.shape or image_size(model.cfg)
    metadata = export_metadata(model, checkpoint, options.output_kind, options.ema)
    metadata |= {'shape': 'dynamic' if options.dynamic else [options.batch_size, 3, height, width]}
    print(_summary(metadata, checkpoint, options))
    if model.inference_options.mode == 'slide':
        print(_window_note(metadata['inference']))
    print('Writing and checking ...')
    try:
        written = export_network(
            model.data_preprocessor,
            model,
            path,
            options.format,
            metadata,
            batch=options.batch_size,
            shape=(height, width),
            dynamic=options.dynamic,
            tolerance=options.tolerance,
            report=lambda result: print(_comparison(result, options.output_kind)),
        )
    except ExportError as error:
        hint = '; without --dynamic a fixed size may work' if options.dynamic else ''
        raise ValueError(f'{checkpoint}: {error}{hint}') from error
    if written['size_divisor'] > 1:
        print(f'Note: heights and widths must be multiples of {written["size_divisor"]}; the file fails for others')
    print(f'Written: {path} ({path.stat().st_size / 2**20:.1f} MiB)')
    return path


def image_size(cfg: Config) -> tuple[int, int]:
    """Height and width that the network is used with: of a window, else those the test images are resized to.

    Raises:
        ValueError: the config does not tell.
    """
    from mmseg.evaluation.config_options import evaluated_configs

    test_cfg = cfg.model.get('test_cfg') or {}
    if test_cfg.get('mode') == 'slide':
        height, width = test_cfg['crop_size']
        return height, width
    for step in evaluated_configs(cfg)[0].get('pipeline', []):
        if step['type'] == 'Resize' and step.get('scale'):
            width, height = step['scale']
            return height, width
    raise ValueError('the config does not resize its test images, so their size is not known: give --shape H W')


def _default_path(checkpoint: Path, options: argparse.Namespace) -> Path:
    from mmseg.engine.export_formats import FORMATS as WRITTEN

    kinds = (['ema'] if options.ema else []) + ([options.output_kind] if options.output_kind != 'logits' else [])
    return checkpoint.with_name('_'.join([checkpoint.stem, *kinds]) + WRITTEN[options.format].suffix)


def _summary(metadata: dict[str, Any], checkpoint: Path, options: argparse.Namespace) -> str:
    iteration = f' of iteration {metadata["iteration"]}' if metadata['iteration'] is not None else ''
    size = 'free sizes' if options.dynamic else 'x'.join(map(str, metadata['shape']))
    return (
        f'{metadata["network"].capitalize()}{iteration}: {checkpoint}\n'
        f'Input:  {metadata["input"]}; {size}\n'
        f'Output: {metadata["output"]} {metadata["output_shape"]}, {len(metadata["classes"])} classes'
    )


def _window_note(inference: dict[str, Any]) -> str:
    (height, width), (down, right) = inference['crop_size'], inference['stride']
    return (
        f'Note: this config predicts by windows of {height}x{width} pixels, {down} down and {right} right apart. The '
        'file holds the network for one window; cut the windows and average their logits around it.'
    )


def _comparison(result: Any, output: str) -> str:
    size = 'x'.join(map(str, result.shape))
    what = 'score below the best' if output == 'labels' else f'difference of {output}'
    return (
        f'  {size:<17} largest {what} {result.difference:.2e} (scores up to {result.scale:.3g}), '
        f'equal labels {100 * result.equal_labels:.4f} %'
    )


if __name__ == '__main__':
    run_tool(main)
