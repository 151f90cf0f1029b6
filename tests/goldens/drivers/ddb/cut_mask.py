"""Rectangles from given draws."""

import numpy as np

from mmseg.models.uda.components.mixing import box_mask, cut_boxes


def run(case):
    area = case.meta['area_fraction']
    for size, draws, expected in zip(case.inputs['size'], case.tensor('draws'), case.arrays['rectangles'], strict=True):
        boxes = cut_boxes(draws[None], size.tolist(), area)
        ((y1, y2, x1, x2),) = boxes.tolist()
        assert [y1, x1, y2, x2] == expected.tolist()
        mask = np.zeros((1, *size), bool)
        mask[:, y1:y2, x1:x2] = True
        np.testing.assert_array_equal(box_mask(boxes, size.tolist()), mask)
