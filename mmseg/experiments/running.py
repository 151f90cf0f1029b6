"""Running an experiment of several stages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmseg.engine.config import load_config
from mmseg.engine.git_state import git_state
from mmseg.experiments import dated_runs, process
from mmseg.experiments.fingerprint import Fingerprint
from mmseg.experiments.plan import Places, Plan
from mmseg.experiments.plan_text import NOT_NEEDED, shown
from mmseg.experiments.record import Record
from mmseg.experiments.results import print_table
from mmseg.experiments.stages import Experiment, Stage

STOPPED = 130


def places(experiment: Experiment, machine: str, suffix: str = '') -> Places:
    """Where an experiment's files go, below the working directory."""
    group = f'{machine}-{experiment.exp}{suffix}'
    return Places(dated_runs.WORK_DIRS / group / experiment.name, dated_runs.GENERATED / group / experiment.name)


def run_stages(plan: Plan, again: str, processes: int = 1) -> bool:
    """Run what is not finished, then print the scores.

    Args:
        plan: the stages and their state.
        again: the command that continues, for messages.
        processes: of training stages.

    Returns:
        False if a signal stopped it.

    Raises:
        ValueError: a finished stage does not fit any more, or a stage failed.
    """
    check(plan, again)
    with process.locked(plan.places.folder) as lock:
        for name in plan.anew:
            _put_aside(plan.folder(name))
        for name, record in plan.records.items():
            if record is not None and record.state == 'provided':
                record.write(plan.folder(name))
        wanted = plan.wanted
        for number, stage in enumerate(plan.experiment.stages.values(), start=1):
            head = f'[{number}/{len(plan.experiment.stages)}] {stage.name}'
            if plan.is_done(stage.name):
                output = plan.output(stage.name)
                print(f'{head}: finished{f": {output}" if output else ""}', flush=True)
            elif stage.name not in wanted:
                print(f'{head}: {NOT_NEEDED}', flush=True)
            elif not _run_stage(plan, stage, head, again, processes, lock):
                print(f'Stopped in stage {stage.name}. To continue: {again}', flush=True)
                return False
    _print_results(plan)
    return True


def check(plan: Plan, again: str, names: Sequence[str] | None = None) -> None:
    """Make sure that nothing is reused which does not fit any more.

    Raises:
        ValueError: the first stage that does not, and what can be done.
    """
    wanted = plan.wanted
    for name in names or [name for name in plan.experiment.stages if name in wanted]:
        if complaint := plan.complaint(name):
            keep = f'; to use it as it is: --provide {name}={plan.output(name)}' if plan.output(name) else ''
            raise ValueError(
                f'{complaint}. Undo that, or do {", ".join(plan.experiment.dependents([name]))} anew: '
                f'{again} --from {name}{keep}'
            )


def _run_stage(plan: Plan, stage: Stage, head: str, again: str, processes: int, lock: int) -> bool:
    """Run one stage; False if a signal stopped it."""
    # Earlier stages may have been done again meanwhile.
    check(plan, again, [stage.name])
    folder, output = plan.folder(stage.name), plan.output(stage.name)
    if not plan.continues(stage.name):
        _put_aside(folder)
    for name in [stage.name, *(one.stage for one in stage.references if one.part == 'config')]:
        _write_config(plan, plan.experiment.stages[name])
    record = plan.records[stage.name]
    if record is None or not plan.continues(stage.name):
        inputs = {label: _fingerprint(plan, path) for label, path in plan.inputs(stage).items()}
        record = Record('begun', plan.settings[stage.name], inputs, str(output or ''))
    record.command = command = plan.command(stage, processes)
    plan.records[stage.name] = record
    record.write(folder)
    print(f'{head}: {shown(command)}', flush=True)
    try:
        status = process.run_command(command, lock)
    except process.Stopped:
        return False
    if status == STOPPED:
        return False
    if status != 0:
        how = f'killed by signal {-status}' if status < 0 else f'exit status {status}, the reason is above'
        raise ValueError(f'stage {stage.name} failed ({how}). Put it right and continue: {again}')
    if output is not None and not output.exists():
        raise ValueError(
            f'stage {stage.name} ended well, but did not write {output}; is its output={stage.output!r} right?'
        )
    record.end()
    record.write(folder)
    return True


def _fingerprint(plan: Plan, path: Path) -> Fingerprint:
    known = {one.output: one.output_print for one in plan.records.values() if one is not None}
    left = known.get(str(path))
    return Fingerprint.of(path) if left is None else left.renewed(path)


def _write_config(plan: Plan, stage: Stage) -> None:
    if not stage.config:
        return
    cfg = load_config(stage.config, plan.fill(stage.all_options, stage.name))
    cfg.merge_from_dict(
        {
            'name': f'{plan.experiment.name}_{stage.name}',
            'exp': plan.experiment.exp,
            'work_dir': plan.folder(stage.name).as_posix(),
            'git_rev': git_state() or '',
        }
    )
    path = plan.config(stage.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(cfg.pretty_text, encoding='utf-8')


def _put_aside(folder: Path) -> None:
    """Keep the files of an earlier try under another name."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    number = 1
    while (old := folder.with_name(f'{folder.name}.old{number}')).exists():
        number += 1
    folder.rename(old)
    print(f'(files of an earlier try: {old})', flush=True)


def _print_results(plan: Plan) -> None:
    tests = [stage for stage in plan.experiment.stages.values() if stage.kind == 'test']
    if not tests:
        print('All stages are finished; none of them is a test, so there are no scores.')
        return
    results = {stage.name: path for stage in tests if plan.is_done(stage.name) and (path := plan.output(stage.name))}
    print_table(results, {stage.name: stage.subject.strip('{}') for stage in tests})
