import json

import pytest

from mmseg.evaluation.run_folder import find_checkpoint, find_config


def touch(folder, *names):
    for name in names:
        (folder / name).write_text('{}')
    return folder


def test_python_config_wins_over_json(tmp_path):
    touch(tmp_path, 'daformer.py', 'eval_latest.json', 'latest.pth')
    (tmp_path / 'published.json').write_text(json.dumps({'model': {}}))
    assert find_config(f'{tmp_path}/') == tmp_path / 'daformer.py'


def test_published_runs_bring_json(tmp_path):
    touch(tmp_path, 'eval_latest.json', '20211108_164105.log.json', 'latest.pth')
    (tmp_path / 'log.json').write_text('{"iter": 1}\n{"iter": 2}\n')
    (tmp_path / '211108_1622_gta2cs_s0.json').write_text(json.dumps({'model': {}}))
    assert find_config(tmp_path).name == '211108_1622_gta2cs_s0.json'


def test_folder_name_decides_between_several(tmp_path):
    run = tmp_path / 'b'
    run.mkdir()
    touch(run, 'a.py', 'b.py')
    assert find_config(run) == run / 'b.py'
    touch(tmp_path, 'a.py', 'c.py')
    with pytest.raises(ValueError, match='several configs .a.py, c.py.; name one: python -m tools.test'):
        find_config(tmp_path)


@pytest.mark.parametrize(('name', 'message'), [('', 'no config'), ('nowhere', 'no such run folder')])
def test_no_config(tmp_path, name, message):
    with pytest.raises(FileNotFoundError, match=message):
        find_config(tmp_path / name)


def test_checkpoints(tmp_path):
    touch(tmp_path, 'latest.pth', 'iter_10.pth', 'best_mIoU_iter_5.pth')
    assert find_checkpoint(tmp_path) == tmp_path / 'latest.pth'
    assert find_checkpoint(tmp_path / 'iter_10.pth') == tmp_path / 'iter_10.pth'
    for start in (tmp_path, tmp_path / 'latest.pth'):
        assert find_checkpoint(start, best=True) == tmp_path / 'best_mIoU_iter_5.pth'
    (tmp_path / 'best_mIoU_iter_5.pth').unlink()
    with pytest.raises(FileNotFoundError, match='without --best the last iterate'):
        find_checkpoint(tmp_path, best=True)
    (tmp_path / 'latest.pth').unlink()
    with pytest.raises(FileNotFoundError, match='latest.pth: no such checkpoint; the run has not saved one yet'):
        find_checkpoint(tmp_path)
