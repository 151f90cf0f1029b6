"""Counts parameters, operations and file sizes of networks, one column per config; needs no data and no weights.

python tools/get_param_count.py configs/demo/daformer.py
python tools/get_param_count.py CONFIG CONFIG ... --shape 512 1024 --method
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402

if TYPE_CHECKING:
    from mmseg.engine.model_size import ModelSize

WIDE = 400  # columns: written to a file, names stay in one piece
UNITS = {'M parameters': 1e6, 'M numbers': 1e6, 'GMACs': 1e9, 'GFLOPs': 1e9, 'MiB': 2**20}


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('configs', nargs='+', metavar='CONFIG', help='config files, or folders of runs')
    parser.add_argument('--shape', nargs=2, type=int, default=(512, 1024), metavar=('H', 'W'),
                        help='image size in pixels for the operations (default: 512 1024)')  # fmt: skip
    parser.add_argument('--method', action='store_true', help='also teacher, discriminators, optimizer, checkpoint')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE')
    options = parser.parse_args(arguments)
    if min(options.shape) < 1:
        parser.error('--shape needs positive numbers')
    return options


def main(arguments: list[str] | None = None) -> dict[str, ModelSize]:
    """Run the command; returns the counts by config."""
    options = parse_arguments(arguments)
    from mmseg.engine.config import load_config
    from mmseg.engine.model_size import measure
    from mmseg.evaluation.run_folder import find_config

    sizes, modes = {}, {}
    for config in options.configs:
        cfg = load_config(find_config(config) if Path(config).is_dir() else config, options.cfg_options)
        try:
            sizes[config] = measure(cfg, tuple(options.shape), options.method)
        except ValueError as error:
            raise ValueError(f'{config}: {error}') from None
        modes[config] = _mode(cfg.model.get('test_cfg') or {})
    _print_table(sizes, modes, options)
    return sizes


def _mode(test_cfg: dict[str, Any]) -> str:
    mode = test_cfg.get('mode', 'whole')
    return mode if mode == 'whole' else f'{mode} {"x".join(map(str, test_cfg["crop_size"]))}'


def _print_table(sizes: dict[str, ModelSize], modes: dict[str, str], options: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table('', '', *(Path(config).stem for config in sizes))
    for column in table.columns[:2]:
        column.no_wrap = True
    for column in table.columns[2:]:
        column.justify, column.overflow = 'right', 'fold'
    counts = list(sizes.values())

    def row(label: str, unit: str, values: list[float | None], bold: bool = False) -> None:
        cells = ['-' if value is None else f'{value / UNITS[unit]:.2f}' for value in values]
        table.add_row(label, unit, *cells, style='bold' if bold else '')

    def rows(attribute: str, unit: str) -> None:
        """A row for each entry that one of the networks has."""
        entries = [getattr(size, attribute) for size in counts]
        for name in dict.fromkeys(name for entry in entries for name in entry):
            values = [entry.get(name) for entry in entries]
            row(name, unit, [getattr(value, 'parameters', value) for value in values])

    rows('parts', 'M parameters')
    row('network', 'M parameters', [size.student.parameters for size in counts], bold=True)
    row('  trainable', 'M parameters', [size.student.trainable for size in counts])
    row('  statistics', 'M numbers', [size.student.buffers for size in counts])
    row('  weights', 'MiB', [size.student.bytes for size in counts])
    table.add_section()
    rows('macs', 'GMACs')
    row('network', 'GMACs', [sum(size.macs.values()) for size in counts], bold=True)
    row('  2 per MAC', 'GFLOPs', [2 * sum(size.macs.values()) for size in counts])
    table.add_row('  predicts', '', *modes.values())
    if options.method:
        table.add_section()
        rows('extras', 'M parameters')
        row('optimizer', 'MiB', [size.optimizer_bytes for size in counts])
        row('checkpoint', 'MiB', [size.checkpoint_bytes for size in counts], bold=True)
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    console.print(table)
    height, width = options.shape
    print(f'Operations: convolutions, linear layers and attention for one image of {height}x{width} pixels.')
    if options.method:
        print('Below the networks: what training adds to them, by its name in checkpoints (imnet_model is in none).')


if __name__ == '__main__':
    run_tool(main)
