"""One evaluation of several data sets: each scored on its own, their mean, files and confusion matrices by name."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmseg.evaluation import confusion_sums, iou_metric
from mmseg.evaluation.evaluate import Evaluation
from mmseg.evaluation.result_file import read_result, write_result
from tests.evaluation.test_iou_metric import CLASSES, PALETTE, metric_of, random_samples

SETS = ('cityscapes', 'mapillary')


def metric_of_sets(names=SETS, **options):
    metric = metric_of(**options)
    metric.dataset_meta = {'classes': CLASSES, 'palette': PALETTE, 'datasets': names}
    return metric


def samples_of(name, count, seed):
    samples = random_samples(count, seed=seed)
    for sample in samples:
        sample.set_metainfo({'dataset': name})
    return samples


def alone(samples, **options):
    metric = metric_of(**options)
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_each_set_and_their_mean():
    first, second = samples_of('cityscapes', 1, 0), samples_of('mapillary', 3, 1)
    metric = metric_of_sets(subsets={'mIoU2': ['road', 'car']})
    metric.process({}, first + second)
    result = metric.evaluate(4)
    own = [alone(samples, subsets={'mIoU2': ['road', 'car']}) for samples in (first, second)]
    for name, scores in zip(SETS, own, strict=True):
        assert {key: result[f'{name}/{key}'] for key in scores} == scores
    for key in ('mIoU', 'aAcc', 'mIoU2', 'IoU.road'):
        assert result[key] == pytest.approx((own[0][key] + own[1][key]) / 2)
    # The checkpoint hook takes the first key that fits: the mean.
    assert next(key for key in result if key.split('/')[-1] == 'mIoU') == 'mIoU'
    assert metric.confusion.sum() == 4 * 11 * 16 and metric.confusions['cityscapes'].sum() == 11 * 16


def test_prefix_goes_before_the_names():
    metric = metric_of_sets(prefix='val')
    metric.process({}, samples_of('cityscapes', 1, 0) + samples_of('mapillary', 1, 1))
    assert {'val/mIoU', 'val/cityscapes/mIoU', 'val/mapillary/IoU.car'} <= set(metric.evaluate(2))


def test_a_set_without_images_does_not_count():
    """A dry run validates on the first images alone."""
    metric = metric_of_sets()
    samples = samples_of('cityscapes', 1, 0)
    metric.process({}, samples)
    result = metric.evaluate(1)
    assert result['mIoU'] == result['cityscapes/mIoU'] == alone(samples)['mIoU']
    assert math.isnan(result['mapillary/mIoU'])


@pytest.mark.parametrize('processes', [2, 3, 7])
@pytest.mark.parametrize('padded', [True, False])
def test_processes_count_every_image_once(monkeypatch, processes, padded):
    samples = samples_of('cityscapes', 2, 0) + samples_of('mapillary', 3, 1)
    metric = metric_of_sets()
    metric.process({}, samples)
    metric.evaluate(5)
    expected = torch.stack([metric.confusions[name] for name in SETS])
    sent = []
    monkeypatch.setattr(confusion_sums, 'world_size', lambda: processes)
    monkeypatch.setattr(confusion_sums, 'reduce_sum', lambda matrix: sent.append(matrix) or matrix)
    total = math.ceil(5 / processes) * processes if padded else 5
    for number in range(processes):
        monkeypatch.setattr(confusion_sums, 'rank', lambda number=number: number)
        metric.process({}, [samples[i % 5] for i in range(number, total, processes)])
        metric.evaluate(5)
    assert all(each.shape == expected.shape for each in sent)
    torch.testing.assert_close(sum(sent), expected)


def test_tables_name_the_sets(monkeypatch):
    texts = []
    monkeypatch.setattr(iou_metric, 'print_log', lambda text, logger: texts.append(text))
    metric = metric_of_sets()
    metric.process({}, samples_of('cityscapes', 1, 0) + samples_of('mapillary', 1, 1))
    result = metric.evaluate(2)
    assert [text.split(':')[0] for text in texts] == ['Classes of cityscapes', 'Classes of mapillary', 'Summary']
    summary = {line.split()[1]: line for line in texts[-1].splitlines() if line.startswith('│')}
    assert f'{result["mapillary/mIoU"]:.2f}' in summary['mapillary'] and f'{result["mIoU"]:.2f}' in summary['mean']


def test_files_lie_below_the_name_of_their_set(tmp_path):
    roots = {name: str(tmp_path / name / 'img') for name in SETS}
    metric = metric_of_sets(
        show_dir=str(tmp_path / 'shown'), output_dir=str(tmp_path / 'ids'), image_root=roots, format_only=True
    )
    for name in SETS:
        (sample,) = samples_of(name, 1, 0)
        # The same file name in both sets.
        sample.set_metainfo({'img_path': f'{roots[name]}/sub/a.jpg'})
        metric.process({}, [sample])
    metric.close()
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob('*.png')}
    assert files == {f'{folder}/a.png' for name in SETS for folder in (f'shown/{name}/sub', f'ids/{name}')}
    assert np.asarray(Image.open(tmp_path / 'shown/mapillary/sub/a.png')).shape == (12, 16)


def test_result_file_keeps_every_matrix(tmp_path):
    metric = metric_of_sets()
    metric.process({}, samples_of('cityscapes', 1, 0) + samples_of('mapillary', 1, 1))
    scores = metric.evaluate(2)
    path = Path(tmp_path / 'eval_latest.json')
    write_result(path, Evaluation(scores, 2, 1.0, {}, tuple(CLASSES), metric.confusion, metric.confusions), {})
    result = read_result(path)
    np.testing.assert_array_equal(result.confusion, metric.confusion.numpy())
    stored = json.loads(path.read_text())['confusion_matrix_of']
    assert stored == {name: metric.confusions[name].tolist() for name in SETS}
    assert set(result.per_class()) == set(CLASSES)
