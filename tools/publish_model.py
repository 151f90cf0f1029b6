"""Writes a trained network on its own, to give away: weights only, with class names and config, a hash in its name.

    python tools/publish_model.py work_dirs/RUN
    python tools/publish_model.py work_dirs/RUN/latest.pth models/my_daformer.pth --ema --half

From a training checkpoint it takes the student (--ema: the teacher) and leaves out optimizer, other networks and
counters. The file loads wherever a checkpoint is asked for: tools/test.py, tools/export.py, mmseg.apis.init_model.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402

if TYPE_CHECKING:
    from mmengine.config import Config


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        usage='python tools/publish_model.py CHECKPOINT|RUN_FOLDER [OUT] [options]',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('checkpoint', help='checkpoint file, or the folder of a run: its latest.pth')
    parser.add_argument('out', nargs='?', help='NAME.pth, which becomes NAME-<hash>.pth, or a folder '
                        '(default: beside the checkpoint)')  # fmt: skip
    parser.add_argument('--ema', action='store_true', help='the teacher instead of the student')
    parser.add_argument('--best', action='store_true', help='the best checkpoint of the folder')
    parser.add_argument('--half', action='store_true', help='16-bit weights: half the size')
    parser.add_argument('--trust-checkpoint', action='store_true', help='read checkpoints that can run code')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> Path:
    """Run the command; returns the written file."""
    options = parse_arguments(arguments)
    from mmseg.engine.export_weights import published_content, write_published
    from mmseg.engine.legacy_checkpoint import read_checkpoint
    from mmseg.evaluation.run_folder import find_checkpoint

    path = find_checkpoint(options.checkpoint, options.best)
    folder, name = target(path, options)
    checkpoint = read_checkpoint(path, options.trust_checkpoint)
    cfg = run_config(path.parent)
    try:
        content = published_content(checkpoint, cfg, ema=options.ema, half=options.half)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    if cfg is not None:
        check_loads(cfg, content, path)
    written = write_published(content, folder, name)

    facts = content['meta']
    iteration = f' of iteration {facts["iter"]}' if 'iter' in facts else ''
    print(f'{facts["network"].capitalize()}{iteration}: {len(content["state_dict"])} tensors, {facts["dtype"]}, '
          f'{len(facts["classes"])} class names')  # fmt: skip
    if cfg is None:
        print('Note: no config beside the checkpoint, so whether the file loads into its network was not tried')
    named = sorted(set(re.findall(r"""['"]((?:/|~/|[A-Za-z]:\\)[^'"\n]+)['"]""", facts['config'])))
    if named:
        print(f'Note: the config in it names paths of this machine: {", ".join(named)}')
    print(f'{path} ({megabytes(path)}) -> {written} ({megabytes(written)})')
    return written


def target(checkpoint: Path, options: argparse.Namespace) -> tuple[Path, str]:
    """Folder and name, without hash and suffix, of the file to write.

    Raises:
        ValueError: a name with another suffix than ``.pth``.
    """
    out = Path(options.out) if options.out else checkpoint.parent
    if out.suffix == '.pth' and not out.is_dir():
        return out.parent, out.stem
    if out.suffix and options.out and not out.is_dir():
        raise ValueError(f'{out}: expected a folder, or NAME.pth')
    # The files of a run are all called alike; its folder tells runs apart.
    of_a_run = re.fullmatch(r'latest|iter_\d+|best_.+', checkpoint.stem)
    name = checkpoint.resolve().parent.name if of_a_run else checkpoint.stem
    # A published file that is published again gets a new hash, not a second one.
    name = re.sub(r'-[0-9a-f]{8}$', '', name)
    switches = [switch for switch in ('best', 'ema', 'half') if getattr(options, switch)]
    return out, '_'.join([name, *switches])


def run_config(folder: Path) -> Config | None:
    """The config that a run left beside its checkpoints; None if there is none.

    The text in the checkpoint will not do: to read a config is to run it, and a checkpoint may come from anyone.
    """
    from mmseg.engine.config import load_config
    from mmseg.evaluation.run_folder import find_config

    try:
        found = find_config(folder)
    except (FileNotFoundError, ValueError):
        return None
    return load_config(found)


def check_loads(cfg: Config, content: dict, checkpoint: Path) -> None:
    """Load what is to be written into the network of the config.

    Raises:
        ValueError: it does not fit, naming what differs.
    """
    from mmseg.engine.errors import clear_config_errors
    from mmseg.engine.legacy_checkpoint import load_strictly
    from mmseg.evaluation.evaluate import build_networks

    with clear_config_errors(cfg):
        _, segmentor = build_networks(cfg)
    try:
        load_strictly(segmentor, content['state_dict'])
    except ValueError as error:
        raise ValueError(f'{checkpoint}: {error}') from None


def megabytes(path: Path) -> str:
    """Size of a file for people."""
    return f'{path.stat().st_size / 2**20:.1f} MiB'


if __name__ == '__main__':
    run_tool(main)
