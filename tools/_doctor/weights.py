"""Pretrained weights of the configs' encoders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tools._doctor.configs import Needs
from tools._doctor.findings import MISSING, OK, WARN, Finding, first_line

GROUP = 'pretrained weights'
LIST = 'python tools/get_pretrained.py --list'


def check_weights(needs: Needs) -> Iterator[Finding]:
    """Each pretrained file that a config names: there, readable, and the encoder takes it."""
    from mmseg.engine.pretrained.check import backbone_config

    seen = set()
    for name, model in needs.models.items():
        backbone, source = backbone_config(model)
        key = repr((backbone, source))
        if key not in seen:
            seen.add(key)
            yield _check(name, backbone, source)


def _check(name: str, backbone: dict, source: str | None) -> Finding:
    from mmseg.engine.pretrained import find_pretrained
    from mmseg.engine.pretrained.check import load_into, read_contents

    if source is None:
        return Finding(GROUP, OK, f'{backbone.get("type")} of {name}', 'none: trains from scratch')
    try:
        contents = read_contents(find_pretrained(source))
        load_into(backbone, contents.path)
    except FileNotFoundError as error:
        return Finding(GROUP, MISSING, source, 'is not there', _command(str(error)))
    except (ValueError, TypeError) as error:
        return Finding(GROUP, MISSING, source, first_line(error), LIST)
    if contents.segmentation:
        return Finding(GROUP, WARN, source, f'not ImageNet weights but {contents.segmentation}', LIST)
    network = contents.network or backbone.get('model_name') or backbone['type']
    file = '' if str(contents.path) == source else f', {contents.path}'
    text = f'{network}, {contents.tensors} tensors, layout: {_short(contents.layout)}{file}'
    return Finding(GROUP, OK, source, text)


def list_weights(root: Path) -> Iterator[Finding]:
    """What lies in ``pretrained/``, where no config says what is needed."""
    from mmseg.engine.pretrained.check import read_contents
    from mmseg.engine.pretrained.find import weights_file

    folder = root / 'pretrained'
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    files = [
        found
        for entry in entries
        if (found := weights_file(entry)) and found.suffix in ('.pth', '.pt', '.bin', '.safetensors')
    ]
    for file in files:
        what = str(file.relative_to(root))
        try:
            contents = read_contents(file)
        except ValueError as error:
            yield Finding(GROUP, WARN, what, first_line(error).removeprefix(f'{file}: '), f'rm {what}; {LIST}')
            continue
        if contents.segmentation:
            yield Finding(GROUP, WARN, what, f'not ImageNet weights but {contents.segmentation}', f'rm {what}; {LIST}')
            continue
        network = contents.network or 'an encoder'
        yield Finding(GROUP, OK, what, f'{network}, {contents.tensors} tensors, layout: {_short(contents.layout)}')
    if not files:
        yield Finding(GROUP, WARN, 'pretrained/', 'is empty', LIST)


def _command(message: str) -> str:
    found = re.search(r'run: (python \S+ \S+?)(;|$)', message)
    return found[1] if found else LIST


def _short(layout: str) -> str:
    return "the network's own" if layout.startswith('none') else layout
