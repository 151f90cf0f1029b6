"""Makes the bank of source crops for CDDA's depth guidance from the training data of a config.

    python run_seg.py --config configs/cdda/gta2cs_cdda_daformer.py --dataset_name gta --source_preprocessed_path \\
        preprocessed/gta_daformer

Leaves images/, labels/ and depth/ of the crops, how many of their pixels of each class lie at each depth
(gta_24966_distribution.pth), and bank.json. A run that was interrupted goes on where it was; until it ends, bank.json
says what it said before. The same seed gives the same bank for any number of workers. Page: docs/cdda.md.
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

from tools._entry import run_tool

# Source data sets by the names that users know: class, and the number of crops of the published banks.
PUBLISHED = {'gta': ('GTADataset', 24966), 'synthia': ('SynthiaDataset', 9400)}


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', required=True, help='config of the training that the bank is for')
    parser.add_argument(
        '--dataset_name',
        required=True,
        metavar='NAME',
        help='gta, synthia, or a name of your own for other source data',
    )
    parser.add_argument('--source_preprocessed_path', required=True, metavar='DIR', help='folder of the bank')
    parser.add_argument('--not_get_images', action='store_true', help='only count the crops that are in the folder')
    parser.add_argument('--not_get_distributions', action='store_true', help='only make crops')
    parser.add_argument(
        '--num_crops', type=int, metavar='N',
        help='default: 24966 for gta, 9400 for synthia, for others the number of source images; with --not_get_images '
        'as many as bank.json says, else those that are there, for gta and synthia up to these numbers',
    )  # fmt: skip
    parser.add_argument(
        '--sampling', choices=('training', 'each_image'), default='training',
        help='draw source images as the training does (published), or take every image once',
    )  # fmt: skip
    parser.add_argument('--seed', type=int, help="default: the config's, else 0")
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1, help='default: one per core (%(default)s)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE')
    options = parser.parse_args(arguments)
    if options.not_get_images and options.not_get_distributions:
        parser.error('--not_get_images and --not_get_distributions together leave nothing to do: give one of them')
    if options.num_crops is not None and options.num_crops < 1:
        parser.error(f'--num_crops {options.num_crops}: expected at least 1')
    if options.workers < 0:
        parser.error(f'--workers {options.workers}: expected 0 or more')
    if not re.fullmatch(r'[\w-]+', options.dataset_name):
        parser.error(f'--dataset_name {options.dataset_name!r}: letters, digits, _ and - become part of a file name')
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    from mmengine.logging import MMLogger

    from mmseg.engine.config import load_config
    from mmseg.engine.depth_bank_build import build, crops_to_count
    from mmseg.engine.depth_bank_source import existing_bank, training_bank

    if not MMLogger.check_instance_created('run_seg'):
        MMLogger.get_instance('run_seg', logger_name='mmseg')
    cfg = load_config(options.config, options.cfg_options)
    folder, name = Path(options.source_preprocessed_path), options.dataset_name
    kind, published = PUBLISHED.get(name, (None, None))
    if options.not_get_images:
        bank = existing_bank(cfg, folder, name, options.num_crops or crops_to_count(folder, published))
    else:
        seed = cfg.get('seed') or 0 if options.seed is None else options.seed
        bank = training_bank(cfg, folder, name, options.num_crops or published, seed, options.sampling, kind)
    counted = not options.not_get_distributions
    made = build(bank, options.workers, counted)
    what = f'{bank.num:,} crops' + (f', counts in {bank.counts_file}' if counted else '')
    print(f'{folder}: {what}{"" if made else " (all there already)"}')


if __name__ == '__main__':
    run_tool(main)
