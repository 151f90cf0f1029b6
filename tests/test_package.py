"""Importing the package: quiet, quick, and clear about a namesake."""

import subprocess
import sys
import textwrap


def _python(code: str, *flags: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *flags, '-c', textwrap.dedent(code)], capture_output=True, text=True)


def test_import_is_quiet_and_light():
    done = _python(
        """
        import sys, torch, mmseg.models, mmseg.datasets, mmseg.engine, mmseg.evaluation, mmseg.visualization
        assert 'timm' not in sys.modules, 'timm costs over a second; import it inside the builders'
        """,
        '-W',
        'always::UserWarning:mmseg',
    )
    assert done.returncode == 0, done.stderr
    assert not done.stdout and not done.stderr


def test_an_installed_mmsegmentation_is_named(tmp_path):
    info = tmp_path / 'mmsegmentation-1.2.2.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: mmsegmentation\nVersion: 1.2.2\n')
    done = _python(f'import sys; sys.path.append({str(tmp_path)!r}); import mmseg')
    assert done.returncode != 0
    assert 'pip uninstall mmsegmentation' in done.stderr.splitlines()[-1]
