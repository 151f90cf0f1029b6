"""Block masks of given uniform numbers."""

import numpy as np
import torch

from mmseg.models.uda.components.block_mask import BlockMask, blank_out


def run(case):
    for i, item in enumerate(case.meta['items']):
        images, uniform = case.tensor(f'img{i}', torch.float32), case.tensor(f'uniform{i}')
        masks = BlockMask(item['ratio'], item['block'])
        drawn = masks.draw(item['B'], images.shape[2:], torch.Generator())
        assert list(drawn.shape) == item['grid'] == list(uniform.shape)
        kept = blank_out(torch.ones_like(images), masks.kept(uniform))
        stored = case.arrays[f'kept{i}']
        np.testing.assert_array_equal(kept[:, : stored.shape[1]] if stored.ndim == 4 else kept[:, 0], stored)
        assert torch.equal(blank_out(images, masks.kept(uniform)), images * kept)
        np.testing.assert_allclose(float(kept.mean()), item['kept_fraction'], atol=5e-4)
