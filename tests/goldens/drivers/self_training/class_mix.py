"""Mixing with given classes."""

import numpy as np
import torch

from mmseg.models.uda.components.mixing import ClassMix, class_mask, class_table, present_classes
from mmseg.models.uda.components.pseudo_labels import PseudoLabels
from mmseg.structures import DomainBatch
from tests.goldens.harness import strided


def run(case):
    source = DomainBatch(case.tensor('img', torch.float32), case.tensor('gt')[:, 0])
    target = DomainBatch(case.tensor('target_img', torch.float32))
    pseudo = PseudoLabels(case.tensor('pseudo_label'), case.tensor('pseudo_weight', torch.float32))
    chosen = class_table(case.tensor('chosen_classes'))
    mixed = ClassMix().apply(source, target, pseudo, chosen)

    present = present_classes(source.labels).any(0)
    assert present.nonzero().flatten().tolist() == case.meta['classes_in_batch']
    drawn = ClassMix().draw(source.labels, torch.Generator())
    assert drawn.sum(1).tolist() == chosen.sum(1).tolist()

    ours = {
        'mixed_img': mixed.images,
        'mixed_label': mixed.labels[:, None],
        'mixed_weight': mixed.weight[:, None],
        'mask': class_mask(source.labels, chosen)[:, None].long(),
    }
    for name, shape in case.meta.get('shapes', {}).items():
        assert list(ours[name].shape) == shape, name
    for key, expected in case.arrays.items():
        if key.endswith('_sum'):
            sums = ours[key.removesuffix('_sum')].double().sum(dim=(2, 3))
            np.testing.assert_allclose(sums, expected, rtol=1e-5, atol=1e-3, err_msg=key)
        else:
            name, stride = strided(key)
            np.testing.assert_array_equal(ours[name][..., ::stride, ::stride], expected, err_msg=key)
