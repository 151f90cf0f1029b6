"""Start dated runs of a config or of all trainings of an experiment; run experiments of several stages.

    python run_experiments.py --config FILE[.py]
    python run_experiments.py --exp ID [--startup-test] [--resume] [--list]
    python run_experiments.py --config STAGES[.py] [--dry-run] [--from STAGE] [--provide STAGE=FILE] [--gpus N]
    python run_experiments.py --exp demo|camvid [--rows ROW ...] [--seeds N ...] [--preset cpu|gpu] [--list] [--dry-run]

A run's config is ``configs/generated/<machine>-<exp>/<name>.py``, its folder ``work_dirs/<machine>-<exp>/<name>``; the
name is date, time, the training's name and five random characters. The experiments are in experiments.py.
A file that lists stages has one folder, ``work_dirs/<machine>-<exp>/<name>``; the same command continues what is not
finished. docs/experiments.md describes both. The rows of a benchmark are such lists too: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tools._entry import run_tool  # noqa: E402

if TYPE_CHECKING:
    from mmseg.experiments import Training
    from mmseg.experiments.benchmark import Benchmark

BENCHMARK_OPTIONS = ('rows', 'seeds', 'preset', 'budget', 'results')


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        description='Start dated runs of a config, or of an experiment.', allow_abbrev=False
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('--config', help='config file, or file that lists stages; with or without .py')
    what.add_argument('--exp', help='id of an experiment: all its trainings, one after the other')
    parser.add_argument('--grid', metavar='FILE', help='a file with experiments of your own')
    parser.add_argument('--list', action='store_true', help='--exp: only print the trainings, or rows and their state')
    parser.add_argument('--machine', default='local', help="first part of the folders' name")
    parser.add_argument(
        '--resume', nargs='?', const=True, default=None, metavar='RUN',
        help='continue a run: its work dir, or without RUN the newest one of this config; --exp: finish what is not',
    )  # fmt: skip
    parser.add_argument(
        '--dry-run', action='store_true', help='two iterations, a validation step and a checkpoint; of stages: the plan'
    )
    parser.add_argument('--startup-test', action='store_true', help='two iterations in a folder of their own')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
        help='config values by dotted key, e.g. train_cfg.max_iters=100',
    )  # fmt: skip
    stages = parser.add_argument_group('files that list stages')
    stages.add_argument(
        '--from', dest='anew', nargs='+', action='extend', default=[], metavar='STAGE',
        help='do a stage, and all that is made from it, anew',
    )  # fmt: skip
    stages.add_argument(
        '--provide', nargs='+', action='extend', default=[], metavar='STAGE=FILE',
        help='use a file or folder, e.g. a downloaded checkpoint, in place of what a stage leaves',
    )  # fmt: skip
    stages.add_argument('--gpus', type=int, default=1, metavar='N', help='processes of each training stage')
    benchmarks = parser.add_argument_group('benchmarks (--exp demo, --exp camvid)')
    benchmarks.add_argument('--rows', nargs='+', metavar='ROW', help='some rows; default: all, see --list')
    benchmarks.add_argument('--seeds', nargs='+', type=int, metavar='N', help='default: 0')
    benchmarks.add_argument('--preset', help="of the rows' length: cpu or gpu; default: by the device")
    benchmarks.add_argument('--budget', type=int, metavar='N', help='iterations of a row, in place of a preset')
    benchmarks.add_argument(
        '--results', metavar='DIR', help='folder of the records of finished rows; default: docs/results'
    )
    options = parser.parse_args(arguments)
    if options.gpus < 1:
        parser.error(f'--gpus {options.gpus}: expected at least 1')
    if any('=' not in one for one in options.provide):
        parser.error('--provide: expected STAGE=FILE')
    if options.config and (options.grid or options.list):
        parser.error('--grid and --list belong to --exp')
    if options.exp and (options.anew or options.provide or options.gpus > 1):
        parser.error('--from, --provide and --gpus belong to --config with a file that lists stages')
    if options.exp and options.resume not in (None, True):
        parser.error('--resume RUN belongs to --config; with --exp all that is not finished goes on')
    given = [f'--{name}' for name in BENCHMARK_OPTIONS if getattr(options, name) is not None]
    if given and not is_benchmark(options):
        parser.error(f'{given[0]} belongs to --exp with a benchmark: {", ".join(known_benchmarks())}')
    if options.grid and is_benchmark(options):
        parser.error(f'--grid: {options.exp} is the id of a benchmark; give the experiment of your file another one')
    if options.preset and options.budget is not None:
        parser.error('--preset and --budget exclude each other')
    return options


def known_benchmarks() -> dict[str, Benchmark]:
    """The benchmarks by id."""
    import experiments

    return experiments.BENCHMARKS


def is_benchmark(options: argparse.Namespace) -> bool:
    """Whether ``--exp`` is a benchmark."""
    return options.exp in known_benchmarks()


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    if options.startup_test:
        options.cfg_options['train_cfg.max_iters'] = 2
    if options.config and is_experiment(options):
        finished = run_stages(options, continuing(sys.argv[1:] if arguments is None else arguments))
    elif is_benchmark(options):
        finished = run_benchmark(options)
    elif options.startup_test and options.resume is not None:
        raise ValueError(
            '--resume and --startup-test exclude each other: a start-up test is not continued, start another'
        )
    else:
        finished = run_experiment(options) if options.exp else run_config(options)
    if not finished:
        sys.exit(130)


def is_experiment(options: argparse.Namespace) -> bool:
    """Whether ``--config`` lists stages.

    Raises:
        ValueError: it does not, but an option is for those that do; or the other way round.
    """
    from mmseg.experiments.stages import is_experiment

    stages = is_experiment(options.config)
    if not stages and (options.anew or options.provide or options.gpus > 1):
        raise ValueError(
            f'--from, --provide and --gpus are for files that list stages; {options.config} is the config of one '
            'training (in several processes: bash tools/dist_train.sh CONFIG GPUS)'
        )
    if stages and options.resume not in (None, True):
        raise ValueError(f'{options.config} lists stages: what is not finished goes on by itself, without --resume RUN')
    return stages


def continuing(arguments: list[str]) -> str:
    """The command that continues an experiment of stages: the same without ``--from`` and ``--dry-run``."""
    kept, left_out = [], False
    for word in arguments:
        if word.startswith('--'):
            left_out = word.partition('=')[0] in ('--from', '--dry-run')
        if not left_out:
            kept.append(word)
    return shlex.join(['python', 'run_experiments.py', *kept])


def run_stages(options: argparse.Namespace, again: str) -> bool:
    """The stages of an experiment file; False if a signal stopped one."""
    from mmseg.experiments import running
    from mmseg.experiments.plan import Plan
    from mmseg.experiments.plan_text import plan_lines
    from mmseg.experiments.stages import read_experiment

    experiment = read_experiment(options.config, options.cfg_options)
    places = running.places(experiment, options.machine, '-startup' if options.startup_test else '')
    plan = Plan(experiment, places, options.anew, dict(one.split('=', 1) for one in options.provide))
    if options.dry_run:
        print('\n'.join(plan_lines(plan, options.gpus)))
        running.check(plan, again)
        return True
    return running.run_stages(plan, again, options.gpus)


def run_benchmark(options: argparse.Namespace) -> bool:
    """The rows of a benchmark; False if a signal stopped one."""
    from mmseg.experiments.benchmark import running
    from mmseg.experiments.benchmark.request import make_request

    request = make_request(
        known_benchmarks()[options.exp],
        rows=options.rows,
        seeds=options.seeds,
        preset=options.preset,
        budget=options.budget,
        machine=options.machine,
        cfg_options=options.cfg_options,
        results=options.results,
        startup_test=options.startup_test,
    )
    if options.list or options.dry_run:
        print('\n'.join(running.listing(request) if options.list else running.dry_run(request)))
        return True
    return running.run(request)


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
        cfg = None
        if options.resume:
            cfg = dated_runs.find_training(name, options.exp, options.machine, options.cfg_options)
        if cfg is not None and dated_runs.is_finished(cfg):
            print(f'finished: {cfg.work_dir}', flush=True)
            continue
        if cfg is None:
            suffix = '-startup' if options.startup_test else ''
            file = dated_runs.generate_training(training, options.exp, options.machine, options.cfg_options, suffix)
            cfg = load_config(file)
            if options.dry_run:
                # It is no run that --resume may find.
                file.unlink()
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
        raise ValueError(f'there is no experiment {number}; known: {", ".join([*known, *known_benchmarks()])}')
    return list(known[number]())


if __name__ == '__main__':
    run_tool(main)
