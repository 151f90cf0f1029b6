"""Start dated runs: of a config, or of all trainings of an experiment.

    python run_experiments.py --config FILE[.py]
    python run_experiments.py --exp ID [--startup-test] [--resume] [--list]

A run's config is ``configs/generated/<machine>-<exp>/<name>.py``, its folder ``work_dirs/<machine>-<exp>/<name>``; the
name is date, time, the training's name and five random characters. The experiments are in experiments.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tools._entry import run_tool  # noqa: E402

if TYPE_CHECKING:
    from mmseg.experiments import Training


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description='Start dated runs of a config, or of an experiment.')
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('--config', help='config file, with or without .py')
    what.add_argument('--exp', help='id of an experiment: all its trainings, one after the other')
    parser.add_argument('--grid', metavar='FILE', help='a file with experiments of your own')
    parser.add_argument('--list', action='store_true', help="--exp: only print the trainings' names")
    parser.add_argument('--machine', default='local', help="first part of the folders' name")
    parser.add_argument(
        '--resume', nargs='?', const=True, default=None, metavar='RUN',
        help='continue a run: its work dir, or without RUN the newest one of this config; --exp: finish what is not',
    )  # fmt: skip
    parser.add_argument('--dry-run', action='store_true', help='two iterations, a validation step and a checkpoint')
    parser.add_argument('--startup-test', action='store_true', help='two iterations in a folder of their own')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
        help='config values by dotted key, e.g. train_cfg.max_iters=100',
    )  # fmt: skip
    options = parser.parse_args(arguments)
    if options.config and (options.grid or options.list):
        parser.error('--grid and --list belong to --exp')
    if options.exp and options.resume not in (None, True):
        parser.error('--resume RUN belongs to --config; with --exp all that is not finished goes on')
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    if options.startup_test:
        options.cfg_options['train_cfg.max_iters'] = 2
    finished = run_experiment(options) if options.exp else run_config(options)
    if not finished:
        sys.exit(130)


def run_config(options: argparse.Namespace) -> bool:
    """One run of a config; False if a signal stopped it."""
    from mmseg.engine.config import load_config
    from mmseg.engine.training import train
    from mmseg.experiments import dated_runs

    if options.dry_run:
        return train(load_config(options.config, options.cfg_options), dry_run=True)
    if options.resume is not None:
        return train(dated_runs.find_run(options.config, options.machine, options.resume, options.cfg_options))
    suffix = '-startup' if options.startup_test else ''
    return train(load_config(dated_runs.generate(options.config, options.machine, options.cfg_options, suffix)))


def run_experiment(options: argparse.Namespace) -> bool:
    """All trainings of an experiment, one after the other; False if a signal stopped one."""
    from mmseg.engine.config import load_config
    from mmseg.engine.training import train
    from mmseg.experiments import dated_runs, training_name

    trainings = find_trainings(options.exp, options.grid)
    if options.startup_test:
        trainings = [training for training in trainings if training.seed == trainings[0].seed]
    for number, training in enumerate(trainings, start=1):
        name = training_name(training)
        print(name if options.list else f'[{number}/{len(trainings)}] {name}', flush=True)
        if options.list:
            continue
        cfg = dated_runs.find_training(name, options.exp, options.machine) if options.resume else None
        if cfg is not None and dated_runs.is_finished(cfg):
            print(f'finished: {cfg.work_dir}', flush=True)
            continue
        if cfg is None:
            suffix = '-startup' if options.startup_test else ''
            file = dated_runs.generate_training(training, options.exp, options.machine, suffix)
            cfg = load_config(file, options.cfg_options)
        if not train(cfg, options.dry_run):
            return False
    return True


def find_trainings(number: str, file: str | None) -> list[Training]:
    """The trainings of an experiment.

    Args:
        number: its id.
        file: Python file that registers further experiments.

    Raises:
        ValueError: there is none of this id.
    """
    import runpy

    import experiments

    if file:
        runpy.run_path(file)
    known = {str(key): grid for key, grid in experiments.EXPERIMENTS.items()}
    if number not in known:
        raise ValueError(f'there is no experiment {number}; known: {", ".join(known)}')
    return list(known[number]())


if __name__ == '__main__':
    run_tool(main)
