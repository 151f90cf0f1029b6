"""Class prototypes of a self-trained teacher: means of its features where it predicts a class, on target images.

    python tools/cal_prototypes/cal_prototype.py CONFIG --checkpoint CHECKPOINT
    python tools/cal_prototypes/cal_prototype.py work_dirs/RUN --checkpoint work_dirs/RUN --epochs 4 --out FILE

The target's training images are seen with its training pipeline (other crops in each epoch), in the order of the files.
CrossPathDistillation reads the file as uda.teachers.N.prototypes. Several GPUs: torchrun.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools._entry import run_tool  # noqa: E402


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file of the self-training, or the folder of its run')
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file, or a run folder: its latest.pth')
    parser.add_argument('--checkpoint', dest='named_checkpoint', metavar='CHECKPOINT', help='the same')
    parser.add_argument('--out', help='file to write (default: prototypes/TASK_roundR/TASK_METHOD-PATH_NET.pth for a '
                        'config rR_METHOD_PATH_NET_..._TASK, else prototypes.pth beside the checkpoint)')  # fmt: skip
    parser.add_argument('--epochs', type=int, default=4, help='passes over the images (default: %(default)s)')
    parser.add_argument('--cap', type=_cap, default=3000, metavar='N|none',
                        help='images of a class beyond which its mean becomes a moving average; none: a mean of all '
                        '(default: %(default)s, as published)')  # fmt: skip
    parser.add_argument('--postfix', default='', help="added to the default file's name")
    parser.add_argument('--round', type=int, help="of the default file's folder, in place of the config's")
    parser.add_argument('--seed', type=int, help="of the crops (default: the config's, else 0)")
    parser.add_argument('--ema', action='store_true', help='take the averaged teacher of the checkpoint')
    parser.add_argument('--workers', type=int, default=2, help='processes that read images (default: %(default)s)')
    parser.add_argument('--precision', choices=('fp32', 'tf32', 'bf16'), default='fp32')
    parser.add_argument('--device', help='default: the GPU if there is one')
    parser.add_argument('--gpu-id', type=int, help='the same as --device cuda:ID')
    parser.add_argument('--trust-checkpoint', action='store_true', help='read checkpoints that can run code')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE')
    options = parser.parse_args(arguments)
    if (options.checkpoint is None) == (options.named_checkpoint is None):
        parser.error('one checkpoint is needed: CONFIG --checkpoint CHECKPOINT')
    if options.epochs < 1:
        parser.error(f'--epochs {options.epochs}: at least one pass over the images is needed')
    if options.gpu_id is not None and options.device is None:
        options.device = f'cuda:{options.gpu_id}'
    return options


def _cap(text: str) -> int | None:
    if text == 'none':
        return None
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text}: expected a number of images from 1, or none')
    return int(text)


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    from mmseg.engine.class_prototype_files import write_class_prototypes
    from mmseg.engine.config import load_config
    from mmseg.engine.dataset_pass import domain_dataset, load_networks, prepare_process
    from mmseg.engine.gradient_sync import rank
    from mmseg.engine.target_prototype_pass import Epochs, target_prototypes, training_pipeline
    from mmseg.evaluation.run_folder import find_checkpoint, find_config

    config = find_config(options.config) if Path(options.config).is_dir() else Path(options.config)
    cfg = load_config(config, options.cfg_options)
    checkpoint = find_checkpoint(options.checkpoint or options.named_checkpoint)
    path = Path(options.out) if options.out else default_file(config, checkpoint, options.round, options.postfix)
    device, number_format = prepare_process(options.device, options.precision)
    preprocessor, student = load_networks(cfg, str(checkpoint), device, options.ema, options.trust_checkpoint)
    dataset = domain_dataset(cfg, 'target', training_pipeline)
    seed = options.seed if options.seed is not None else cfg.get('seed') or 0
    with number_format:
        samples = Epochs(dataset, options.epochs, seed)
        found = target_prototypes(preprocessor, student, samples, device, options.workers, {'cap': options.cap})
    if rank() > 0:
        return
    write_class_prototypes(path, found, options.epochs, str(checkpoint))
    classes, channels = found.vectors.shape
    print(f'{path}: {classes} classes x {channels} channels, from {len(dataset)} images, {options.epochs} times')
    absent = [name for name, missing in zip(found.classes, found.absent.tolist(), strict=True) if missing]
    if absent:
        print(f'never predicted, so without a prototype: {", ".join(absent)}')


def default_file(config: Path, checkpoint: Path, number: int | None = None, postfix: str = '') -> Path:
    """Where the original puts the prototypes of a config of its names; else beside the checkpoint.

    Args:
        config: e.g. ``r1_st_cu_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes.py``.
        checkpoint: whose prototypes they are.
        number: of the round; None = that in the config's name.
        postfix: added to the file's name.
    """
    postfix = f'_{postfix}' if postfix else ''
    name = re.fullmatch(r'r(\d+)_(st|ckd)_([^_]+)_([^_]+)_(?:.+_)?([^_]+)', config.stem)
    if name is None:
        return checkpoint.parent / f'prototypes{postfix}.pth'
    own_number, method, image_path, network, task = name.groups()
    folder = f'{task}_round{own_number if number is None else number}'
    return Path('prototypes') / folder / f'{task}_{method}-{image_path}_{network}{postfix}.pth'


if __name__ == '__main__':
    run_tool(main)
