"""Evaluates a checkpoint: a table of class scores, files for benchmark servers, pictures.

    python -m tools.test CONFIG CHECKPOINT --eval mIoU
    python -m tools.test work_dirs/RUN --eval mIoU --show-dir work_dirs/RUN/preds

The student is evaluated (``--ema``: the teacher), at the last iterate (``--best``: the one chosen by validation).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        usage='python -m tools.test CONFIG CHECKPOINT --eval mIoU [options]',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', help='config file, or the folder of a run')
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file, or folder: its latest.pth')
    what = parser.add_argument_group('what to do (at least one)')
    what.add_argument('--eval', nargs='+', metavar='METRIC', help='mIoU, mDice, mFscore, fwIoU')
    what.add_argument('--format-only', action='store_true', help='write label-id PNGs for a benchmark server')
    what.add_argument('--show-dir', help='write a picture of each prediction into this folder')
    what.add_argument('--out', help='write the scores into this JSON file instead of one beside the checkpoint')
    how = parser.add_argument_group('how')
    how.add_argument('--out-dir', help='folder for --format-only (default: format_results beside the checkpoint)')
    how.add_argument('--train-ids', action='store_true', help='--format-only writes train ids 0, 1, 2, ...')
    how.add_argument('--opacity', type=float, default=0.5, help='of pictures; 1 writes palette PNGs with train ids')
    how.add_argument('--tta', '--aug-test', action='store_true', help='average six scales and their mirror images')
    how.add_argument('--ema', action='store_true', help='evaluate the teacher')
    how.add_argument('--best', action='store_true', help='evaluate the best checkpoint of the folder')
    how.add_argument('--adapt-bn', metavar='CONFIG',
                     help='AdaBN: batch-norm statistics of the images that this config adapts to')  # fmt: skip
    how.add_argument('--inference-mode', choices=('same', 'whole', 'slide'), default='same')
    how.add_argument('--hrda-out', choices=('LR', 'HR', 'ATT'),
                     help='of HRDA: the context alone, the detail alone, pictures of the attention')  # fmt: skip
    how.add_argument('--test-set', action='store_true', help="read the test split: 'val' becomes 'test' in its folders")
    how.add_argument('--cfg-options', '--options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE')
    how.add_argument('--eval-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
                     help='of the originals: imgfile_prefix=DIR, to_label_id=False')  # fmt: skip
    how.add_argument('--work-dir', help="folder for what is written (default: the checkpoint's)")
    how.add_argument('--precision', choices=('fp32', 'tf32', 'bf16', 'fp16', 'auto'), default='fp32',
                     help='auto: bf16 on a GPU that computes in it (default: %(default)s)')  # fmt: skip
    how.add_argument('--device', help='default: the GPU if there is one')
    how.add_argument('--trust-checkpoint', action='store_true', help='read checkpoints that can run code')
    options = parser.parse_args(arguments)
    _check(parser, options)
    return options


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if not (options.eval or options.format_only or options.show_dir or options.out):
        parser.error('nothing to do: give at least one of --eval, --format-only, --show-dir, --out')
    if options.format_only and (options.eval or options.out):
        parser.error('--format-only writes files and needs no labels; for scores run --eval on its own')
    if options.hrda_out == 'ATT' and (options.eval or options.out or options.format_only or not options.show_dir):
        parser.error('--hrda-out ATT draws the attention: it goes with --show-dir alone, there is nothing to score')
    if not 0 <= options.opacity <= 1:
        parser.error(f'--opacity {options.opacity}: expected a number from 0 to 1')
    if options.out and not Path(options.out).resolve().parent.is_dir():
        parser.error(f'--out {options.out}: there is no folder {Path(options.out).resolve().parent}')
    if options.checkpoint is None and not Path(options.config).is_dir():
        parser.error('a CHECKPOINT is needed beside a config file')
    unknown = set(options.eval_options) - {'imgfile_prefix', 'to_label_id', 'efficient_test'}
    if unknown:
        parser.error(f'--eval-options {sorted(unknown)[0]}: there are imgfile_prefix and to_label_id')


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Run the command; returns the scores in percent."""
    options = parse_arguments(arguments)
    import torch
    from mmengine.logging import MMLogger, print_log

    from mmseg.engine.config import load_config
    from mmseg.engine.distributed import start_process_group
    from mmseg.engine.gradient_sync import rank
    from mmseg.evaluation import config_options
    from mmseg.evaluation.adapt_batch_norm import target_images
    from mmseg.evaluation.evaluate import evaluate
    from mmseg.evaluation.result_file import predictions_entry, write_result
    from mmseg.evaluation.run_folder import find_checkpoint, find_config

    run_folder = Path(options.config).is_dir()
    config = find_config(options.config) if run_folder else Path(options.config)
    checkpoint = find_checkpoint(options.checkpoint or options.config, options.best)
    cfg = load_config(config, options.cfg_options)
    config_options.set_inference_mode(cfg, options.inference_mode)
    if options.hrda_out:
        config_options.set_hrda_output(cfg, options.hrda_out)
    if options.tta:
        config_options.set_tta(cfg)
    if options.test_set:
        config_options.use_test_set(cfg)
    scored = bool(options.eval or options.out)
    if not scored:
        config_options.without_labels(cfg)

    adapt_bn = target_images(load_config(options.adapt_bn), cfg) if options.adapt_bn else None
    folder = _output_folder(options, checkpoint)
    start_process_group(options.device)
    if not MMLogger.check_instance_created('testing'):
        MMLogger.get_instance('testing', logger_name='mmseg')
    device = options.device or ('cuda' if torch.cuda.is_available() else 'cpu')
    metric_options = _metric_options(options, folder, scored)
    evaluation = evaluate(
        cfg,
        checkpoint,
        metric_options,
        ema=options.ema,
        trust=options.trust_checkpoint,
        device=device,
        precision=options.precision,
        adapt_bn=adapt_bn,
    )
    ids = 'Label ids' if metric_options.get('to_label_id') else 'Train ids'
    for what, place in ((ids, metric_options.get('output_dir')), ('Pictures', options.show_dir)):
        if place:
            print_log(f'{what} of {evaluation.images} predictions: {place}', logger='current')
    if scored and rank() == 0:
        result = Path(options.out) if options.out else folder / _result_name(options, checkpoint)
        facts: dict[str, Any] = {'config': str(config), 'checkpoint': str(checkpoint), 'options': _switches(options)}
        if options.show_dir and options.opacity >= 1:
            facts['predictions'] = predictions_entry(options.show_dir, result)
        write_result(result, evaluation, facts)
        print_log(f'Scores: {result}', logger='current')
    return evaluation.scores


def _output_folder(options: argparse.Namespace, checkpoint: Path) -> Path:
    folder = Path(options.work_dir) if options.work_dir else checkpoint.parent
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _metric_options(options: argparse.Namespace, folder: Path, scored: bool) -> dict[str, Any]:
    metric: dict[str, Any] = {'format_only': not scored, 'show_dir': options.show_dir, 'opacity': options.opacity}
    if options.eval:
        metric['iou_metrics'] = options.eval
    if options.format_only:
        prefix = options.eval_options.get('imgfile_prefix')
        metric['output_dir'] = str(options.out_dir or prefix or folder / 'format_results')
        metric['to_label_id'] = options.eval_options.get('to_label_id', not options.train_ids)
    return metric


def _switches(options: argparse.Namespace) -> list[str]:
    mode = [] if options.inference_mode == 'same' else [options.inference_mode]
    hrda = [options.hrda_out] if options.hrda_out else []
    names = ('ema', 'tta', 'test_set', 'adapt_bn')
    return [*mode, *hrda, *(name for name in names if getattr(options, name))]


def _result_name(options: argparse.Namespace, checkpoint: Path) -> str:
    return '_'.join(['eval', checkpoint.stem, *_switches(options)]) + '.json'


if __name__ == '__main__':
    run_tool(main)
