"""Commands of rows that are only acted out: they leave the files that trainings, tests and tools would leave."""

from __future__ import annotations

import json
from pathlib import Path

from mmseg.experiments import process

CLASSES = ('road', 'car', 'train')


class Commands:
    """Notes commands down.

    Attributes:
        run: names of rows and stages in the order in which they ran, ``source_only_s0/train``.
        scores: mIoU of tests by such a name, 40 for others.
        ends: how a command ends, by such a name: an exit status, or ``signal``.
    """

    def __init__(self) -> None:
        self.run: list[str] = []
        self.scores: dict[str, float] = {}
        self.ends: dict[str, int | str] = {}

    def __call__(self, command: list[str], lock: int) -> int:
        kind = Path(command[1]).stem
        if kind in ('train', 'test'):
            name = Path(command[2]).relative_to('configs/generated').with_suffix('')
        else:
            name = Path(command[-1]).relative_to('work_dirs').parent
        stage = name.relative_to(name.parts[0]).as_posix()
        self.run.append(stage)
        if ending := self.ends.get(stage):
            if ending == 'signal':
                raise process.Stopped
            return int(ending)
        folder = Path('work_dirs') / name
        folder.mkdir(parents=True, exist_ok=True)
        if kind == 'train':
            (folder / 'latest.pth').write_text(stage)
            write_log(folder)
        elif kind == 'test':
            write_scores(Path(command[command.index('--out') + 1]), self.scores.get(stage, 40.0), command)
        else:
            Path(command[-1]).touch()
        return 0


def write_log(folder: Path, **meta: object) -> None:
    """Windows of 0.5, 0.25 and 4 s per iteration, 900 to 1100 MiB."""
    facts = {'device': 'CPU, 2 threads', 'torch': '9.9', 'python': '3.99', 'git': 'abc', 'processes': 1, **meta}
    rows = [{'mode': 'meta', 'iter': 0, **facts}]
    for number, (seconds, memory) in enumerate([(0.5, 900), (0.25, 1100), (4.0, 1000)], start=1):
        rows.append({'mode': 'train', 'iter': number, 'time': seconds, 'memory': memory, 'decode.loss_seg': 1 / 3})
    rows.append({'mode': 'val', 'iter': 3, 'mIoU': 1.0})
    (folder / 'log.jsonl').write_text(''.join(json.dumps(row) + '\n' for row in rows))


def write_scores(path: Path, miou: float, command: list[str], config: str = '', iteration: int = 3) -> None:
    """As ``tools/test.py``; of the classes, train is absent."""
    options = [word[2:].replace('-', '_') for word in command if word in ('--ema', '--adapt-bn', '--tta')]
    iou = {'IoU.road': miou + 10, 'IoU.car': miou - 10, 'IoU.train': None}
    content = {'config': config, 'options': options, 'iteration': iteration, 'images': 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**content, 'scores': {'mIoU': miou, **iou}, 'classes': CLASSES}))
