import shutil
import subprocess

import pytest

from mmseg.engine.git_state import git_state

pytestmark = pytest.mark.skipif(shutil.which('git') is None, reason='no git')


def git(folder, *arguments):
    identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false']
    done = subprocess.run(['git', '-C', folder, *identity, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_commit_and_changes(tmp_path):
    assert git_state(tmp_path) is None
    git(tmp_path, 'init', '-q')
    assert git_state(tmp_path) is None
    (tmp_path / 'file').write_text('1')
    git(tmp_path, 'add', 'file')
    git(tmp_path, 'commit', '-q', '-m', 'first')
    git(tmp_path, 'tag', '-a', 'v1', '-m', 'a tag must not replace the commit')
    commit = git(tmp_path, 'rev-parse', 'HEAD')[:12]
    assert git_state(tmp_path) == commit
    (tmp_path / 'file').write_text('2')
    assert git_state(tmp_path) == f'{commit}-dirty'


def test_a_folder_below_someone_elses_checkout(tmp_path):
    git(tmp_path, 'init', '-q')
    (tmp_path / 'site-packages').mkdir()
    assert git_state(tmp_path / 'site-packages') is None
