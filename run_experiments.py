"""Start a dated run of a config: ``python run_experiments.py --config FILE[.py]``.

Writes ``configs/generated/<machine>-<exp>/<name>.py`` and trains it in ``work_dirs/<machine>-<exp>/<name>``, where name
is date, time, the config's name and five random characters.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tools._entry import run_tool  # noqa: E402


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description='Start a dated run of a config.')
    parser.add_argument('--config', required=True, help='config file, with or without .py')
    parser.add_argument('--machine', default='local', help="first part of the folders' name")
    parser.add_argument(
        '--resume', nargs='?', const=True, default=None, metavar='RUN',
        help='continue a run: its work dir, or without RUN the newest one of this config',
    )  # fmt: skip
    parser.add_argument('--dry-run', action='store_true', help='two iterations, a validation step and a checkpoint')
    parser.add_argument('--startup-test', action='store_true', help='two iterations in a folder of their own')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
        help='config values by dotted key, e.g. train_cfg.max_iters=100',
    )  # fmt: skip
    return parser.parse_args(arguments)


def main() -> None:
    arguments = parse_arguments()
    from mmseg.engine import experiments
    from mmseg.engine.config import load_config
    from mmseg.engine.training import train

    options = dict(arguments.cfg_options)
    if arguments.startup_test:
        options['train_cfg.max_iters'] = 2
    if arguments.dry_run:
        train(load_config(arguments.config, options), dry_run=True)
        return
    if arguments.resume is not None:
        cfg = experiments.find_run(arguments.config, arguments.machine, arguments.resume, options)
    else:
        suffix = '-startup' if arguments.startup_test else ''
        cfg = load_config(experiments.generate(arguments.config, arguments.machine, options, suffix))
    if not train(cfg):
        sys.exit(130)


if __name__ == '__main__':
    run_tool(main)
