"""Window positions, and drop-path rates of the Mix Transformers."""

from __future__ import annotations

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
    hrda = [key for key in ('scale_box', 'crop_offsets') if key in case.meta]
    assert not hrda, f'{case.id}: {hrda} need HRDA, which is not built yet'


def _drop_path(backbone, expected: list[list[float]]) -> None:
    for stage, rates in enumerate(expected, start=1):
        blocks = getattr(backbone, f'block{stage}')
        ours = [getattr(block.drop_path, 'drop_prob', 0.0) for block in blocks]
        assert len(ours) == len(rates), f'stage {stage}: {len(ours)} blocks, expected {len(rates)}'
        assert all(abs(a - b) < 1e-7 for a, b in zip(ours, rates, strict=True)), f'stage {stage}: {ours}'
