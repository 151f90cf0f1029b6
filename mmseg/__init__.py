"""Unsupervised domain adaptation for semantic segmentation.

The package has mmsegmentation's import name and config schema, but is not mmsegmentation: the two cannot be installed
together.
"""

from importlib.metadata import PackageNotFoundError, distribution

__version__ = '0.1.0'


def _refuse_namesake() -> None:
    """Raise where another distribution owns the import name ``mmseg`` too."""
    for name in ('mmsegmentation', 'onedl-mmsegmentation'):
        try:
            distribution(name)
        except PackageNotFoundError:
            continue
        raise ImportError(f'{name} is installed and has the same import name, mmseg: run "pip uninstall {name}"')


_refuse_namesake()
