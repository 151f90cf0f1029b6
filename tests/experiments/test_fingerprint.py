import os

from mmseg.experiments import fingerprint
from mmseg.experiments.fingerprint import Fingerprint


def test_what_has_not_changed_is_not_read_again(tmp_path, monkeypatch):
    (tmp_path / 'bank').mkdir()
    (tmp_path / 'bank' / '0.png').write_bytes(b'crop')
    first = Fingerprint.of(tmp_path / 'bank')
    monkeypatch.setattr(fingerprint, '_content', lambda path: 'read')
    assert first.renewed(tmp_path / 'bank') is first
    os.utime(tmp_path / 'bank' / '0.png', (1, 1))
    assert first.renewed(tmp_path / 'bank').content == 'read'


def test_a_copy_matches_and_another_content_does_not(tmp_path):
    (tmp_path / 'a').write_bytes(b'one')
    first = Fingerprint.of(tmp_path / 'a')
    (tmp_path / 'a').write_bytes(b'one')
    os.utime(tmp_path / 'a', (1, 1))
    assert first.matches(tmp_path / 'a')
    (tmp_path / 'a').write_bytes(b'two')
    assert not first.matches(tmp_path / 'a')
