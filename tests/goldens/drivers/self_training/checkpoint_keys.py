"""Key by key: student and bare keys map as recorded, every other one to no segmentor key."""

from mmseg.engine.legacy_checkpoint import SEGMENTOR_PARTS, select_segmentor_state


def run(case):
    for stored, expected in zip(case.meta['before'], case.meta['after'], strict=True):
        check(stored, expected)


def check(stored, expected):
    """Compare one key with the original's renaming; keys that loaded nowhere there must be left out here."""
    selected = [key for key in select_segmentor_state({stored: None}) if key.startswith(SEGMENTOR_PARTS)]
    assert selected == ([expected] if expected.startswith(SEGMENTOR_PARTS) else []), stored
