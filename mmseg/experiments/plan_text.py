"""A plan to read."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable

from mmseg.experiments.plan import Plan
from mmseg.experiments.stages import Stage

NOT_NEEDED = 'not needed: what is made from it is provided'


def plan_lines(plan: Plan, processes: int = 1) -> list[str]:
    """A line per stage, and the command of those that run."""
    stages, wanted = plan.experiment.stages, plan.wanted
    width = max(map(len, stages))
    lines = [f'{plan.experiment.file} -> {plan.places.folder}']
    for number, stage in enumerate(stages.values(), start=1):
        state = _state(plan, stage) if stage.name in wanted else NOT_NEEDED
        lines.append(f'{number:3} {stage.name:<{width}}  {stage.kind:<5}  {state}')
        if stage.name in wanted and not plan.is_done(stage.name):
            lines.append(f'      {shown(plan.command(stage, processes))}')
    return lines


def shown(command: Iterable[str]) -> str:
    """A command to read and to paste."""
    return shlex.join('python' if word == sys.executable else word for word in command)


def _state(plan: Plan, stage: Stage) -> str:
    record, name = plan.records[stage.name], stage.name
    if complaint := plan.complaint(name):
        return complaint.removeprefix(f'stage {name} is ')
    if record is None or record.state == 'begun':
        if plan.continues(name) and (done := plan.iteration(name)):
            return f'goes on from iteration {done}'
        return 'to do anew' if name in plan.anew else 'to do'
    return f'provided: {record.output}' if record.state == 'provided' else f'finished {record.ended}'
