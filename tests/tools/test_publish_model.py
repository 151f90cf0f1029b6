"""A published file holds one network, loads everywhere, and has its hash in its name."""

from __future__ import annotations

import hashlib
import re

import pytest
import torch

from mmseg.engine.legacy_checkpoint import load_student
from tests.tools import tiny_run
from tools.publish_model import main
from tools.test import main as evaluate


@pytest.fixture
def run(tmp_path):
    return tiny_run.make_run(tmp_path / 'runs' / 'tiny', tmp_path / 'data')


def add(run, **entries):
    """Put something more into the run's checkpoint."""
    content = torch.load(run / 'latest.pth', weights_only=True)
    torch.save({**content, **entries}, run / 'latest.pth')


def test_student_alone_under_bare_keys(run):
    add(run, optimizer={'main': torch.zeros(1000)}, training_state={'iteration': 7})
    path = main([str(run)])
    assert path.parent == run
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.name == f'tiny-{digest[:8]}.pth'
    content = torch.load(path, weights_only=True)
    assert set(content) == {'state_dict', 'meta'}
    expected = tiny_run.student().state_dict()
    assert list(content['state_dict']) == list(expected)
    for key, value in content['state_dict'].items():
        assert torch.equal(value, expected[key]), key
    meta = content['meta']
    assert (meta['iter'], meta['network'], meta['dtype']) == (7, 'student', 'float32')
    assert (tuple(meta['classes']), meta['palette']) == (tiny_run.CLASSES, tiny_run.PALETTE)
    assert 'TwoLevelBackbone' in meta['config']


def test_same_bytes_again_and_from_the_published_file(run, tmp_path):
    first, second = main([str(run), str(tmp_path / 'a')]), main([str(run), str(tmp_path / 'b')])
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()
    again = main([str(first), str(tmp_path / 'c')])
    assert re.fullmatch(r'tiny-[0-9a-f]{8}\.pth', again.name)
    assert (
        torch.load(again, weights_only=True)['meta']['config'] == torch.load(first, weights_only=True)['meta']['config']
    )


def test_it_evaluates_as_the_run_does(run, tmp_path):
    config = str(run / 'tiny.py')
    for switches in ([], ['--ema']):
        path = main([str(run), str(tmp_path / 'out' / 'mine.pth'), *switches])
        assert path.name.startswith('mine-')
        whole = evaluate([str(run), '--eval', 'mIoU', '--device', 'cpu', *switches])
        alone = evaluate([config, str(path), '--eval', 'mIoU', '--device', 'cpu'])
        assert alone == pytest.approx(whole, nan_ok=True)


def test_half_is_half_the_weights_and_loads(run):
    path = main([str(run), '--ema', '--half'])
    assert path.name.startswith('tiny_ema_half-')
    content = torch.load(path, weights_only=True)
    assert {value.dtype for value in content['state_dict'].values()} == {torch.float16}
    assert (content['meta']['network'], content['meta']['dtype']) == ('teacher', 'float16')
    model, teacher = tiny_run.student(), tiny_run.student(seed=1).state_dict()
    load_student(model, path)
    for key, value in model.state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, teacher[key], rtol=1e-3, atol=1e-6)


def bare(tmp_path, **state):
    """A checkpoint without a run around it."""
    path = tmp_path / 'alone.pth'
    torch.save({'state_dict': state, 'meta': {'CLASSES': ('a', 'b'), 'PALETTE': [[0, 0, 0], [1, 1, 1]]}}, path)
    return path


def test_statistics_keep_32_bits_and_other_large_numbers_are_an_error(tmp_path):
    large = torch.tensor([1e6])
    path = main([str(bare(tmp_path, **{'backbone.bn.running_var': large})), '--half'])
    assert torch.equal(torch.load(path, weights_only=True)['state_dict']['backbone.bn.running_var'], large)
    with pytest.raises(ValueError, match=r'alone.pth: --half: backbone.weight has values up to 1e\+06'):
        main([str(bare(tmp_path, **{'backbone.weight': large})), '--half'])


def test_without_config_names_of_the_old_schema_are_kept_and_it_is_said(tmp_path, capsys):
    path = main([str(bare(tmp_path, **{'backbone.weight': torch.ones(2)}))])
    meta = torch.load(path, weights_only=True)['meta']
    assert (meta['classes'], meta['palette'], meta['config']) == (['a', 'b'], [[0, 0, 0], [1, 1, 1]], '')
    assert 'no config beside the checkpoint' in capsys.readouterr().out


def test_paths_in_the_config_are_pointed_out(run, capsys):
    add(run, meta={'iter': 7, 'config': "data_root = '/home/me/secret'\nmodel = dict(type='EncoderDecoder')\n"})
    main([str(run)])
    assert 'names paths of this machine: /home/me/secret' in capsys.readouterr().out


def test_views_are_written_without_what_they_view(tmp_path):
    path = main([str(bare(tmp_path, **{'backbone.weight': torch.zeros(100_000)[:10]}))])
    assert path.stat().st_size < 20_000


def test_what_cannot_be_published_is_told(run, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no best_\*\.pth'):
        main([str(run), '--best'])
    with pytest.raises(ValueError, match='expected a folder, or NAME.pth'):
        main([str(run), str(tmp_path / 'model.onnx')])
    with pytest.raises(ValueError, match=r'alone.pth: holds no teacher'):
        main([str(bare(tmp_path, **{'backbone.weight': torch.ones(1)})), '--ema'])
    content = torch.load(run / 'latest.pth', weights_only=True)
    del content['state_dict']['model.decode_head.conv_seg.bias']
    torch.save(content, run / 'latest.pth')
    with pytest.raises(ValueError, match=r'latest.pth: does not fit .* 1 missing \(decode_head.conv_seg.bias\)'):
        main([str(run)])
    assert not list(run.glob('*unnamed*'))
    assert not list(run.glob('tiny-*.pth'))
