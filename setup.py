"""Package definition; the dependencies are those of the ``requirements*.txt``."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def requirements(name: str) -> list[str]:
    """The lines of a requirements file."""
    return (HERE / name).read_text(encoding='utf-8').split()


setup(
    name='uda-seg',
    version='0.1.0',
    description='Unsupervised domain adaptation for semantic segmentation',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['mmseg', 'mmseg.*']),
    package_data={'mmseg.visualization.report': ['templates/*']},
    install_requires=requirements('requirements.txt'),
    extras_require={
        'demo': requirements('requirements-demo.txt'),
        'depth': requirements('requirements-depth.txt'),
        'export': requirements('requirements-export.txt'),
        'tensorboard': ['tensorboard>=2.16'],
        'test': requirements('requirements-test.txt'),
    },
)
