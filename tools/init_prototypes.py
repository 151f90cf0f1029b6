"""Class prototypes of a trained network: means of its features and class scores over the images of a domain.

    python -m tools.init_prototypes CONFIG CHECKPOINT --out-dir work_dirs/RUN/prototypes

Every image is seen once, whole, without augmentation: source images as the config resizes them in training, target
images as it tests them, with the network's own predictions for labels. Writes prototype_feat_dist.pth and
prototype_out_dist.pth, which uda.prototypes=FOLDER of ProCA and ProDA reads. Several GPUs: torchrun.
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
    parser.add_argument('config', help='config file of a training; its data are read')
    parser.add_argument('checkpoint', help='checkpoint file, or a run folder: its latest.pth')
    parser.add_argument('--out-dir', required=True, help='folder for the two files')
    parser.add_argument('--domain', choices=('source', 'target'), default='source')
    parser.add_argument('--rule', choices=('pixel_mean', 'image_mean'),
                        help='mean over pixels (ProCA; default for source), or over images, of what is predicted right '
                             '(ProDA; the only one for target)')  # fmt: skip
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
    from mmseg.engine.prototype_files import FILES, write_prototypes
    from mmseg.engine.prototype_pass import image_mean_features, mean_features, plain_pipeline
    from mmseg.engine.pseudo_label_pass import test_pipeline
    from mmseg.evaluation.run_folder import find_checkpoint

    rule = options.rule or ('pixel_mean' if options.domain == 'source' else 'image_mean')
    if (options.domain, rule) == ('target', 'pixel_mean'):
        raise ValueError('--rule pixel_mean needs labels, which target images do not have: --rule image_mean')
    cfg = load_config(options.config, options.cfg_options)
    checkpoint = find_checkpoint(options.checkpoint)
    device, number_format = prepare_process(options.device, options.precision)
    preprocessor, student = load_networks(cfg, str(checkpoint), device, options.ema, options.trust_checkpoint)
    if options.domain == 'source':
        dataset = domain_dataset(cfg, 'source', plain_pipeline)
    else:
        steps = test_pipeline(cfg)
        dataset = domain_dataset(cfg, 'target', lambda _: steps)
    means = mean_features if rule == 'pixel_mean' else image_mean_features
    with number_format:
        found = means(preprocessor, student, dataset, device, options.workers)
    if rank() > 0:
        return
    unit = 'positions' if rule == 'pixel_mean' else 'classes in images'
    for level, (vectors, counts) in found.items():
        path = Path(options.out_dir) / FILES[level]
        write_prototypes(path, vectors, counts)
        print(f'{path}: {vectors.shape[0]} classes x {vectors.shape[1]} channels, of {int(counts.sum()):,} {unit}')
    absent = [name for name, count in zip(dataset.metainfo['classes'], found['feature'][1], strict=True) if count == 0]
    if absent:
        print(f'without a prototype, as no image has them: {", ".join(absent)}')


if __name__ == '__main__':
    run_tool(main)
