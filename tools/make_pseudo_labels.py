"""Pseudo-labels of the target images that a config adapts to, for a training on them.

    python -m tools.make_pseudo_labels CONFIG CHECKPOINT --out-dir work_dirs/RUN/pseudo_labels

Of the pixels predicted as a class the least confident share is left out (255), but none above the cap: ProCA's rule.
Images are resized as the config tests them; the label maps have the images' size, name and sub-folder, and hold train
ids with the data set's colours. The thresholds are kept in thres_const.npy. Several GPUs: torchrun.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file of an adaptation; its target data are read')
    parser.add_argument('checkpoint', help='checkpoint file, or a run folder: its latest.pth')
    parser.add_argument('--out-dir', required=True, help='folder for the label maps')
    parser.add_argument('--share', type=float, default=0.6,
                        help='of each class, left out; 0.5: below the median (default: %(default)s)')  # fmt: skip
    parser.add_argument('--cap', type=float, default=0.9, help='surer pixels are always kept (default: %(default)s)')
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
    import numpy as np

    from mmseg.engine.config import load_config
    from mmseg.engine.dataset_pass import domain_dataset, load_networks, prepare_process
    from mmseg.engine.gradient_sync import rank
    from mmseg.engine.pseudo_label_pass import THRESHOLDS, label_dataset, test_pipeline
    from mmseg.evaluation.run_folder import find_checkpoint

    cfg = load_config(options.config, options.cfg_options)
    checkpoint = find_checkpoint(options.checkpoint)
    device, number_format = prepare_process(options.device, options.precision)
    preprocessor, student = load_networks(cfg, str(checkpoint), device, options.ema, options.trust_checkpoint)
    steps = test_pipeline(cfg)
    dataset = domain_dataset(cfg, 'target', lambda _: steps)
    with number_format:
        thresholds, broken = label_dataset(
            preprocessor, student, dataset, options.out_dir, options.share, options.cap, device, options.workers
        )
    if rank() > 0:
        return
    np.save(Path(options.out_dir) / THRESHOLDS, thresholds.numpy().astype(np.float32))
    for name, value in zip(dataset.metainfo['classes'], thresholds.tolist(), strict=True):
        print(f'{name:>20} {value:.4f}')
    print(f'{len(dataset) - broken // 2} label maps: {options.out_dir}')
    if broken:
        raise ValueError(f'{broken} images could not be read: mend them and run this again')


if __name__ == '__main__':
    run_tool(main)
