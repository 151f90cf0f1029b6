"""Where a run begins: at a checkpoint, with the weights of a file, or from nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mmseg.engine.hooks.checkpoint import LATEST
from mmseg.engine.legacy_checkpoint import load_student
from mmseg.engine.training_state import restore

if TYPE_CHECKING:
    from mmseg.engine.runner import Runner


def resume_or_load(runner: Runner, resume: bool | str | Path | None, load_from: str | Path | None) -> None:
    """Continue from a checkpoint, or give the student the weights of a file.

    Args:
        runner: built, and nothing run yet.
        resume: True = the work dir's latest checkpoint, if there is one; a path = that file, or that folder's latest.
        load_from: file of weights, read unless a checkpoint was resumed.

    Raises:
        FileNotFoundError: if ``resume`` names a file or folder without a checkpoint.
    """
    trust = runner.cfg.get('trust_checkpoint', False)
    if resume and _resumed(runner, resume, trust):
        return
    if load_from:
        load_student(runner.model.get_submodule('model'), load_from, trust=trust)
        runner.logger.info(f'Loaded the network from {load_from}')


def _resumed(runner: Runner, resume: Literal[True] | str | Path, trust: bool) -> bool:
    path = Path(runner.work_dir if resume is True else resume)
    path = path / LATEST if path.is_dir() else path
    if path.is_file():
        restore(runner, path, trust)
        runner.logger.info(f'Resumed from {path} at iteration {runner.iter} of {runner.max_iters}')
        return True
    if resume is not True:
        raise FileNotFoundError(f'nothing to resume: {path} does not exist')
    runner.logger.info(f'No checkpoint in {runner.work_dir} yet: starting from the beginning')
    return False
