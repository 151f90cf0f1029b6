import math
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData
from PIL import Image

from mmseg.evaluation import SYNTHIA_SUBSETS, IoUMetric, confusion_sums, iou_metric
from mmseg.evaluation.classes import CITYSCAPES_LABEL_IDS
from mmseg.evaluation.id_checks import IdChecks
from mmseg.registry import METRICS
from mmseg.structures import SegDataSample

CLASSES = list(CITYSCAPES_LABEL_IDS)
PALETTE = [[3 * i, 255 - i, i] for i in range(19)]


def sample(prediction, label=None, name='images/city/a_leftImg8bit.png'):
    data_sample = SegDataSample(metainfo={'img_path': name, 'seg_map_path': 'labels/a.png'})
    data_sample.pred_sem_seg = PixelData(data=torch.as_tensor(prediction)[None])
    if label is not None:
        data_sample.gt_sem_seg = PixelData(data=torch.as_tensor(label)[None])
    return data_sample


def random_samples(count, classes=19, seed=0):
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for _ in range(count):
        label = torch.randint(0, classes, (12, 16), generator=generator, dtype=torch.uint8)
        wrong = torch.rand(12, 16, generator=generator) < 0.4
        prediction = torch.where(wrong, torch.randint(0, classes, (12, 16), generator=generator), label.long())
        label[0] = 255
        samples.append(sample(prediction, label))
    return samples


def metric_of(classes=CLASSES, **options):
    metric = METRICS.build({'type': 'IoUMetric', **options})
    metric.dataset_meta = {'classes': classes, 'palette': PALETTE}
    return metric


def test_label_maps_without_labels_are_named(monkeypatch):
    said = []
    monkeypatch.setattr(iou_metric, 'print_log', lambda text, *_, **__: said.append(text))
    metric = metric_of()
    for label, warned in ((255, True), (3, False)):
        said.clear()
        metric.process({}, [sample(np.zeros((4, 4), int), np.full((4, 4), label))])
        metric.evaluate(1)
        assert (iou_metric.NOTHING_LABELLED in said) is warned


def test_absent_classes_and_subsets():
    label = np.repeat(np.arange(19), 4).reshape(4, 19)
    label[label == CLASSES.index('train')] = 255
    prediction = np.where(label == 255, 0, label)
    prediction[label == CLASSES.index('wall')] = 0
    results = {}
    for nan_to_num in (None, 0):
        metric = metric_of(subsets=SYNTHIA_SUBSETS, nan_to_num=nan_to_num)
        metric.process({}, [sample(prediction, label)])
        results[nan_to_num] = metric.evaluate(1)
    ious = {name: results[None][f'IoU.{name}'] for name in CLASSES}
    assert math.isnan(ious['train'])
    assert (ious['wall'], ious['road'], ious['sky']) == (0, 50, 100)
    assert results[None]['mIoU'] == pytest.approx((16 * 100 + 50) / 18)
    assert results[0]['mIoU'] == pytest.approx((16 * 100 + 50) / 19)
    assert results[None]['mIoU16'] == pytest.approx((14 * 100 + 50) / 16)
    assert results[None]['mIoU13'] == pytest.approx((12 * 100 + 50) / 13)


def test_batches_of_different_sizes_add_up_and_a_second_evaluation_starts_anew():
    samples = random_samples(5)
    metric = metric_of()
    metric.process({}, samples)
    together = metric.evaluate(5)
    for one in samples:
        metric.process({}, [one])
    assert metric.evaluate(5) == together
    metric.process({}, samples[:1])
    assert metric.evaluate(1) != together


def test_runs_in_mmengines_evaluator_without_a_warning(caplog):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        evaluator = Evaluator(metric_of(prefix='val', iou_metrics=['mIoU', 'mFscore']))
        evaluator.dataset_meta = {'classes': CLASSES, 'palette': PALETTE}
        evaluator.process(random_samples(2))
        result = evaluator.evaluate(2)
    assert {'val/aAcc', 'val/mIoU', 'val/mFscore', 'val/Recall.road', 'val/IoU.bicycle'} <= set(result)
    assert 'prefix' not in caplog.text


@pytest.mark.parametrize('processes', [2, 3, 7])
@pytest.mark.parametrize('padded', [True, False])
def test_processes_count_every_image_once(monkeypatch, processes, padded):
    """Images dealt out in turns, with and without the last round filled up by repetitions."""
    samples = random_samples(5)
    metric = metric_of()
    metric.process({}, samples)
    alone = metric.evaluate(5)

    matrices = []
    monkeypatch.setattr(confusion_sums, 'world_size', lambda: processes)
    monkeypatch.setattr(confusion_sums, 'reduce_sum', lambda matrix: matrices.append(matrix) or matrix)
    total = math.ceil(5 / processes) * processes if padded else 5
    for number in range(processes):
        monkeypatch.setattr(confusion_sums, 'rank', lambda number=number: number)
        metric.process({}, [samples[i % 5] for i in range(number, total, processes)])
        metric.evaluate(5)
    monkeypatch.undo()
    assert metric.compute_metrics([sum(matrices)[0]]) == alone


def test_table_shows_every_class_and_the_means(monkeypatch):
    texts = []
    monkeypatch.setattr(iou_metric, 'print_log', lambda text, logger: texts.append(text))
    metric = metric_of(subsets=SYNTHIA_SUBSETS)
    metric.process({}, random_samples(1))
    result = metric.evaluate(1)
    printed = '\n'.join(texts)
    for name in CLASSES:
        line = next(line for line in printed.splitlines() if f' {name} ' in line)
        assert f'{result[f"IoU.{name}"]:.2f}' in line
        assert f'{result[f"Acc.{name}"]:.2f}' in line
    assert all(name in printed for name in ('aAcc', 'mIoU', 'mIoU16', 'mIoU13'))
    assert f'{result["mIoU13"]:.2f}' in printed


def test_label_map_of_another_size():
    metric = metric_of()
    message = r'^labels/a.png: label map and prediction differ in size: 6x4 and 8x4 \(width x height\)$'
    with pytest.raises(ValueError, match=message):
        metric.process({}, [sample(np.zeros((4, 8), int), np.zeros((4, 6), int))])


def test_unknown_label_id_names_the_file():
    with pytest.raises(ValueError, match='^labels/a.png: the label map holds class id 33'):
        metric_of().process({}, [sample(np.zeros((2, 2), int), np.full((2, 2), 33))])


def test_missing_labels_and_nothing_processed():
    with pytest.raises(ValueError, match='no label map to evaluate with'):
        metric_of().process({}, [sample(np.zeros((2, 2), int))])
    with pytest.raises(ValueError, match='nothing to evaluate'):
        metric_of().evaluate(0)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'iou_metrics': ['mAP']}, "unknown metric 'mAP'; there are mIoU"),
        ({'format_only': True}, 'format_only needs output_dir'),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        IoUMetric(**options)


def test_subset_with_a_class_that_does_not_exist():
    metric = metric_of(classes=CLASSES[:5], subsets={'mIoU2': ['road', 'cat']})
    metric.process({}, [sample(np.zeros((2, 2), int), np.zeros((2, 2), int))])
    with pytest.raises(ValueError, match="no class 'cat' in this data set; it has road"):
        metric.evaluate(1)


@pytest.mark.parametrize(('to_label_id', 'expected'), [(True, [7, 8, 11, 33]), (False, [0, 1, 2, 18])])
def test_format_only_writes_ids_and_needs_no_labels(tmp_path, to_label_id, expected):
    metric = metric_of(format_only=True, output_dir=str(tmp_path), to_label_id=to_label_id)
    metric.process({}, [sample(np.array([[0, 1], [2, 18]]))])
    assert metric.evaluate(1) == {}
    with Image.open(tmp_path / 'a_leftImg8bit.png') as stored:
        assert stored.mode == 'L'
        assert np.asarray(stored).ravel().tolist() == expected
    assert len(list(tmp_path.iterdir())) == 1


def test_label_ids_of_other_classes(tmp_path):
    metric = metric_of(classes=['Sky', 'Building'], format_only=True, output_dir=str(tmp_path))
    with pytest.raises(ValueError, match="class 'Sky' has no Cityscapes label id: write train ids instead"):
        metric.process({}, [sample(np.array([[0, 1]]))])
        metric.close()


def test_ids_are_read_together_and_the_error_names_the_first_image(monkeypatch):
    checks = IdChecks(3)
    fine, wrong = torch.tensor([0, 2, 0, 1]), torch.tensor([0, 9, 0, 1])
    with pytest.raises(ValueError, match='^b.png: the label map holds class id 9, the data set has 3 classes'):
        checks.add('b.png', wrong)
    monkeypatch.setattr(torch.Tensor, 'device', torch.device('cuda'))
    checks.add('a.png', fine)
    checks.add('b.png', wrong)
    checks.add('c.png', wrong)
    with pytest.raises(ValueError, match=r'^b\.png'):
        checks.finish()
    checks.finish()


def test_labels_are_pinned_with_their_sample(monkeypatch):
    """The loader's thread calls ``pin_memory`` of objects that have it; pinning itself needs a GPU."""
    pinned = []
    monkeypatch.setattr(torch.Tensor, 'pin_memory', lambda tensor: pinned.append(tensor.shape) or tensor.clone())
    one = sample(np.zeros((2, 3), int), np.ones((2, 3), int))
    assert one.pin_memory() is one
    assert pinned == [(1, 2, 3)] and one.gt_sem_seg.data.sum() == 6
    SegDataSample().pin_memory()


def test_pictures_keep_sub_folders(tmp_path):
    root = tmp_path / 'images'
    (root / 'city').mkdir(parents=True)
    image = root / 'city' / 'a.png'
    pixels = np.full((2, 3, 3), 100, np.uint8)
    Image.fromarray(pixels).save(image)
    prediction = np.array([[0, 1, 2], [3, 4, 18]])
    for opacity, folder in ((1.0, tmp_path / 'full'), (0.5, tmp_path / 'half')):
        metric = metric_of(format_only=True, show_dir=str(folder), opacity=opacity, image_root=str(root))
        metric.process({}, [sample(prediction, name=str(image))])
        metric.close()
        assert (folder / 'city' / 'a.png').is_file()
    with Image.open(tmp_path / 'full' / 'city' / 'a.png') as stored:
        assert stored.mode == 'P'
        np.testing.assert_array_equal(np.asarray(stored), prediction)
        np.testing.assert_array_equal(np.asarray(stored.convert('RGB'))[1, 2], PALETTE[18])
    with Image.open(tmp_path / 'half' / 'city' / 'a.png') as stored:
        expected = np.rint((100 + np.array(PALETTE)[prediction]) / 2)
        np.testing.assert_array_equal(np.asarray(stored), expected)
    assert Path(image).is_file()
