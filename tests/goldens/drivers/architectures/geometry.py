"""Window positions, scaled boxes, crop offsets, and drop-path rates of the Mix Transformers."""

from __future__ import annotations

import torch

from mmseg.models.detail_crop import draw_offset, scale_box
from mmseg.models.segmentors.sliding_window import window_boxes
from mmseg.registry import MODELS
from tests.goldens.harness import Case


def run(case: Case) -> None:
    for fact in case.meta.get('windows', ()):
        boxes = window_boxes(fact['h'], fact['w'], fact['crop'], fact['stride'])
        assert [list(box) for box in boxes] == fact['boxes_y1y2x1x2'], fact
    for fact in case.meta.get('detail_windows', ()):
        crop = fact['hr_crop_size']
        stride = [side // 2 for side in crop] if fact['overlapping'] else crop
        boxes = window_boxes(fact['h'], fact['w'], crop, stride)
        assert [list(box) for box in boxes] == fact['boxes_y1y2x1x2'], fact
    for fact in case.meta.get('drop_path', ()):
        rate = {} if fact['rate'] is None else {'drop_path_rate': fact['rate']}
        _drop_path(MODELS.build({'type': fact['type'], **rate}), fact['per_block'])
    for fact in case.meta.get('scale_box', ()):
        assert scale_box(torch.tensor(fact['box']), fact['scale']).tolist() == fact['result'], fact
    for fact in case.meta.get('crop_offsets', ()):
        if 'error' not in fact['offsets']:  # an axis that the crop fills: the originals fail, here it starts at 0
            _offsets(fact['h'], fact['crop'][0], fact['divisible'], fact['offsets']['y'])
            _offsets(fact['w'], fact['crop'][1], fact['divisible'], fact['offsets']['x'])


def _offsets(length: int, crop: int, divisible: int, expected: dict[str, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = {draw_offset(length, crop, divisible, generator) for _ in range(20 * expected['count'])}
    count, first, last, step = (expected[key] for key in ('count', 'min', 'max', 'step'))
    assert drawn == set(range(first, last + 1, step or 1)), (length, crop, divisible)
    assert len(drawn) == count


def _drop_path(backbone, expected: list[list[float]]) -> None:
    for stage, rates in enumerate(expected, start=1):
        blocks = getattr(backbone, f'block{stage}')
        ours = [getattr(block.drop_path, 'drop_prob', 0.0) for block in blocks]
        assert len(ours) == len(rates), f'stage {stage}: {len(ours)} blocks, expected {len(rates)}'
        assert all(abs(a - b) < 1e-7 for a, b in zip(ours, rates, strict=True)), f'stage {stage}: {ours}'
