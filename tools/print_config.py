"""Print a config with all its bases merged: ``python tools/print_config.py CONFIG``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402


def main() -> None:
    from mmengine.config import DictAction

    from mmseg.engine.config import load_config

    parser = argparse.ArgumentParser(description='Print a config with all its bases merged.')
    parser.add_argument('config', help='config file, with or without .py')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE')
    arguments = parser.parse_args()
    print(load_config(arguments.config, arguments.cfg_options).pretty_text)


if __name__ == '__main__':
    run_tool(main)
