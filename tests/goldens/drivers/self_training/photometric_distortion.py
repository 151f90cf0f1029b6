"""Photometric distortion with draws given in call order."""

import numpy as np

from mmseg.datasets.transforms.photometric import PhotoMetricDistortion, distort


class GivenDraws:
    """Stands in for a generator: hands out recorded draws and checks that the same ones are asked for."""

    def __init__(self, draws):
        self._draws = iter(draws)

    def integers(self, low, high=None):
        return self._next('randint', low, high)

    def uniform(self, low, high):
        return self._next('uniform', low, high)

    def finish(self):
        assert next(self._draws, None) is None, 'draws are left over'

    def _next(self, kind, low, high):
        recorded_kind, recorded_low, recorded_high, value = next(self._draws)
        assert (kind, low, high) == (recorded_kind, recorded_low, recorded_high)
        return value


def run(case):
    for i, item in enumerate(case.meta['items']):
        draws = GivenDraws(item['draws'])
        factors = PhotoMetricDistortion().draw(draws)
        draws.finish()
        ours = distort(case.inputs[f'picture{i}'], factors).astype(int)
        difference = np.abs(ours - case.arrays[f'out{i}'])
        assert difference.max() <= 2 and (difference <= 1).mean() >= 0.99, difference.max()
