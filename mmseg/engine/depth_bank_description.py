"""``bank.json``: what a bank of source crops holds, and which settings decided on its crops."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from mmseg.engine.depth_bank_crops import FOLDERS
from mmseg.engine.depth_bank_source import Bank
from mmseg.models.uda.components.depth_bank import BINS, DESCRIPTION


def check_folder(bank: Bank) -> None:
    """Crops that were begun with other settings, or by others, must not be mixed with these."""
    description = bank.folder / DESCRIPTION
    if bank.pairs is None:
        return
    if not description.is_file():
        if any((bank.folder / name / '0.png').is_file() for name in FOLDERS):
            raise ValueError(
                f'{bank.folder} holds crops, but no {DESCRIPTION} says how they were made: add --not_get_images to '
                'count them, or name another folder'
            )
        return
    found = json.loads(description.read_text()).get('settings') or {}
    changed = _differences(found, bank.settings)
    if changed:
        raise ValueError(
            f'{bank.folder} holds crops of other settings ({"; ".join(changed[:3])}): name another folder, or remove it'
        )


def _differences(found: Any, wanted: Any, key: str = '') -> list[str]:
    """What two settings differ in, by dotted key."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        keys = [*found, *(name for name in wanted if name not in found)]
        return [
            line
            for name in keys
            for line in _differences(found.get(name), wanted.get(name), f'{key}.{name}' if key else name)
        ]
    return [] if found == wanted else [f'{key}: {_short(found)} there, {_short(wanted)} now']


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f'{text[:57]}...'


def write_description(bank: Bank, crop_size: tuple[int, int]) -> None:
    path = bank.folder / DESCRIPTION
    # Counting anew leaves what is known of how the crops were drawn.
    settings = bank.settings or (json.loads(path.read_text()).get('settings', {}) if path.is_file() else {})
    content = {
        'dataset': bank.name,
        'num': bank.num,
        'crop_size': list(crop_size),
        'num_classes': len(bank.classes),
        'classes': list(bank.classes),
        'bins': BINS,
        'curve': 'exp6',
        'counts': bank.counts_file.name,
        'settings': settings,
    }
    unfinished = path.with_suffix('.tmp')
    unfinished.write_text(json.dumps(content, indent=1))
    os.replace(unfinished, path)
