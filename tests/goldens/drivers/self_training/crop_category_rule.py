"""RandomCrop with ``cat_max_ratio``: which of the drawn boxes is kept."""

import re

import numpy as np

from mmseg.datasets.transforms.geometry import choose_box, cut


def run(case):
    ratio = float(re.search(r'cat_max_ratio (\d+(?:\.\d+)?)', case.meta['description']).group(1))
    for i, item in enumerate(case.meta['items']):
        label = case.inputs[f'gt{i}'].astype(np.uint8)
        drawn = []

        def draw_box(boxes=case.inputs[f'boxes{i}'], drawn=drawn):
            drawn.append(tuple(int(edge) for edge in boxes[len(drawn)]))
            return drawn[-1]

        box = choose_box(label, draw_box, ratio)
        assert box == tuple(item['kept']) and len(drawn) == item['draws']
        np.testing.assert_array_equal(cut(label, box), item['crop'])
