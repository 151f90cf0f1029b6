"""Pseudo-labels of the target images that a config adapts to, for a training on them.

    python -m tools.make_pseudo_labels CONFIG CHECKPOINT --out-dir work_dirs/RUN/pseudo_labels
    python -m tools.make_pseudo_labels CONFIG CHECKPOINT --out-dir work_dirs/RUN/pseudo_labels --flip --threshold 0.95

Of the pixels predicted as a class the least confident share is left out (255), but none above the cap: ProCA's rule.
With --threshold all pixels are left out whose probability is not above it: the rule of ProDA and PBAL, whose
probabilities are taken at the network's own resolution and up-sampled then.

Images are resized as the config tests them; the label maps have the images' size, name and sub-folder, and hold train
ids with the data set's colours. What was kept of each class is in pseudo_labels.json. Several GPUs: torchrun.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402

if TYPE_CHECKING:
    from mmseg.engine.pseudo_label_pass import LabelOptions, LabelReport


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file of an adaptation; its target data are read')
    parser.add_argument('checkpoint', help='checkpoint file, or a run folder: its latest.pth')
    parser.add_argument('--out-dir', required=True, help='folder for the label maps')
    parser.add_argument('--share', type=float, default=0.6,
                        help='of each class, left out; 0.5: below the median (default: %(default)s)')  # fmt: skip
    parser.add_argument('--cap', type=float, default=0.9, help='surer pixels are always kept (default: %(default)s)')
    parser.add_argument('--threshold', type=float,
                        help='one for all classes, in place of --share and --cap; 0 keeps every pixel')  # fmt: skip
    parser.add_argument('--flip', action='store_true', help='average with the prediction for the mirrored image')
    parser.add_argument('--confidence', action='store_true',
                        help='also write each pixel\'s probability, NAME_conf.npy (float16)')  # fmt: skip
    parser.add_argument('--soft', action='store_true',
                        help='also write all probabilities, small: NAME.npy (classes x h x w, float16)')  # fmt: skip
    parser.add_argument('--ema', action='store_true', help='take the teacher of the checkpoint')
    parser.add_argument('--workers', type=int, default=2, help='processes that read images (default: %(default)s)')
    parser.add_argument('--precision', choices=('fp32', 'tf32', 'bf16'), default='fp32')
    parser.add_argument('--device', help='default: the GPU if there is one')
    parser.add_argument('--trust-checkpoint', action='store_true', help='read checkpoints that can run code')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    from mmseg.engine.config import load_config
    from mmseg.engine.dataset_pass import domain_dataset, load_networks, prepare_process
    from mmseg.engine.gradient_sync import rank
    from mmseg.engine.pseudo_label_pass import Labeller, LabelOptions, label_dataset, test_pipeline
    from mmseg.evaluation.run_folder import find_checkpoint

    names = ('threshold', 'share', 'cap', 'flip', 'confidence', 'soft')
    how = LabelOptions(**{name: getattr(options, name) for name in names})
    cfg = load_config(options.config, options.cfg_options)
    checkpoint = find_checkpoint(options.checkpoint)
    device, number_format = prepare_process(options.device, options.precision)
    preprocessor, student = load_networks(cfg, str(checkpoint), device, options.ema, options.trust_checkpoint)
    steps = test_pipeline(cfg)
    dataset = domain_dataset(cfg, 'target', lambda _: steps)
    with number_format:
        report = label_dataset(Labeller(preprocessor, student, how), dataset, options.out_dir, device, options.workers)
    if rank() > 0:
        return
    write_report(report, how, checkpoint, Path(options.out_dir), dataset.metainfo['classes'])
    print(f'{report.images} label maps: {options.out_dir}')
    if report.broken:
        raise ValueError(f'{report.broken} times an image could not be read (named above): mend and run this again')


def write_report(
    report: LabelReport, how: LabelOptions, checkpoint: Path, folder: Path, classes: Sequence[str]
) -> None:
    """Print what was kept of each class; write it to a JSON file with the thresholds and where the labels come from."""
    import numpy as np

    from mmseg.engine.export_metadata import sha256
    from mmseg.engine.pseudo_label_pass import REPORT, THRESHOLDS

    table = {}
    for number, name in enumerate(classes):
        predicted, kept = int(report.predicted[number]), int(report.kept[number])
        table[name] = {'predicted': predicted, 'kept': kept, 'share': kept / predicted if predicted else None}
        threshold = how.threshold if report.thresholds is None else float(report.thresholds[number])
        share = f'{100 * kept / predicted:6.1f} % kept' if predicted else '   not predicted'
        print(f'{name:>20} above {threshold:.4f} {share}')
    if not report.kept.any():
        print('no pixel is kept: take a lower --threshold, or the rule by class (no --threshold)')
    facts = {'checkpoint': str(checkpoint), 'checkpoint_sha256': sha256(checkpoint), 'images': report.images}
    rule = {'share': how.share, 'cap': how.cap} if report.thresholds is not None else {'threshold': how.threshold}
    if report.thresholds is not None:
        np.save(folder / THRESHOLDS, report.thresholds.numpy().astype(np.float32))
    content = {'finished': True} | facts | rule | {'flip': how.flip, 'classes': table}
    (folder / REPORT).write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')


if __name__ == '__main__':
    run_tool(main)
