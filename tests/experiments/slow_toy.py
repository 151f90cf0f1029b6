"""The toy training, which waits in the middle while there is a file ``wait``."""

import time
from pathlib import Path

from mmseg.registry import MODELS
from tests.engine.toy import ToyFromConfig


@MODELS.register_module()
class SlowToy(ToyFromConfig):
    def train_step(self, data, optim_wrapper):
        while self.iteration >= 5 and Path('wait').exists():
            time.sleep(0.02)
        return super().train_step(data, optim_wrapper)
