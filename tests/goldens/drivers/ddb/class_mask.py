"""Masks of given classes of each label map, and how many classes are chosen."""

import numpy as np
import torch

from mmseg.models.uda.components.mixing import ClassMix, class_mask, class_table


def run(case):
    for number, item in enumerate(case.meta['cases']):
        labels = case.tensor(f'gt{number}')
        present = labels.unique()
        assert present.tolist() == item['unique']
        chosen = class_table(present[case.tensor(f'chosen{number}')][None])
        assert sorted(chosen.nonzero()[:, 1].tolist()) == sorted(item['chosen_classes'])
        np.testing.assert_array_equal(class_mask(labels, chosen), case.arrays[f'mask{number}'])
        drawn = ClassMix('image').draw(labels, torch.Generator().manual_seed(number))
        assert int(drawn.sum()) == item['count_chosen']
        assert set(drawn.nonzero()[:, 1].tolist()) <= set(item['unique'])
