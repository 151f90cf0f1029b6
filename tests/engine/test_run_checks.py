"""Mistakes that are found before the first iteration."""

import pytest

from mmseg.engine.run_checks import check_class_order

CLASSES = ('soil', 'crop', 'weed')


def test_classes_in_another_order(monkeypatch):
    told = []
    monkeypatch.setattr('mmseg.engine.run_checks.print_log', lambda text, *_: told.append(text))
    for others in (CLASSES, list(CLASSES), (), CLASSES[:2]):
        check_class_order(CLASSES, others, 'the test data', 'the checkpoint')
    assert not told
    with pytest.raises(ValueError, match="class 1 is 'crop' in the test data, 'weed' in .*: the same classes"):
        check_class_order(CLASSES, ('soil', 'weed', 'crop'), 'the test data', 'the checkpoint')
    check_class_order(CLASSES, ('soil', 'plant', 'weed'), 'the test data', 'the checkpoint')
    assert told == ["class 1 is 'crop' in the test data, 'plant' in the checkpoint (1 names differ)"]
