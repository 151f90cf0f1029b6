"""Configs of trainings with their base files merged in, for tests."""

import tempfile
from pathlib import Path

from mmengine.config import Config

from mmseg.engine.config import load_config
from mmseg.engine.errors import ROOT
from mmseg.experiments import Training, child_config


def resolved_config(training: Training) -> Config:
    settings = child_config(training)
    bases = [str(ROOT / 'configs' / file) for file in settings.pop('_base_')]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / 'child.py'
        file.write_text(f'_base_ = {bases!r}\n{Config(settings).pretty_text}')
        return load_config(file)
