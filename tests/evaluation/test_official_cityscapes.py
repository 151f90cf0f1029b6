"""Our scores against the benchmark's own evaluation, which reads label-id PNGs: of predictions as we write them and of
ground truth as the data set ships it.
"""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from PIL import Image

from mmseg.datasets.label_tables import CITYSCAPES_TO_TRAIN
from mmseg.evaluation.classes import CITYSCAPES_LABEL_IDS
from mmseg.evaluation.evaluate import build_networks
from mmseg.registry import DATASETS, METRICS
from mmseg.structures import SegDataSample
from tests.tools import tiny_run
from tools.convert_datasets import cityscapes
from tools.make_demo_data import make_demo_data
from tools.test import main

official = pytest.importorskip('cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling')

CLASSES = list(CITYSCAPES_LABEL_IDS)
PIPELINE = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}, {'type': 'PackSegInputs'}]
IGNORED = [label for label in range(34) if label not in CITYSCAPES_LABEL_IDS.values()]


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Demo scenes whose label ids hold patches of all 34 ids, the ignored ones among them, and one absent class."""
    root = tmp_path_factory.mktemp('demo')
    make_demo_data([str(root), '--domains', 'cityscapes', '--num-target', '1', '--num-val', '3', '--size', '96x48',
                    '--nproc', '1'])  # fmt: skip
    root = root / 'cityscapes'
    generator = np.random.default_rng(0)
    for path in sorted(root.glob('gtFine/val/*/*_labelIds.png')):
        with Image.open(path) as stored:
            ids = np.array(stored)
        patches = generator.integers(0, 34, (6, 12)).repeat(8, 0).repeat(8, 1)
        ids = np.where(generator.random(ids.shape) < 0.3, patches, ids).astype(np.uint8)
        ids[ids == CITYSCAPES_LABEL_IDS['train']] = 0
        assert set(IGNORED) & set(np.unique(ids)), 'pixels that the benchmark leaves out'
        Image.fromarray(ids).save(path)
        path.with_name(path.name.replace('labelIds', 'polygons').replace('.png', '.json')).unlink(missing_ok=True)
    assert cityscapes.convert([str(root)]) == 0
    return root


def dataset_config(root):
    folders = {'img_path': 'leftImg8bit/val', 'seg_map_path': 'gtFine/val'}
    kind = {'type': 'CityscapesDataset', 'test_mode': True}
    return {**kind, 'data_root': str(root), 'data_prefix': folders, 'pipeline': PIPELINE}


def official_scores(predictions, root):
    """IoU by class name and their mean, in percent, as the benchmark computes them from files."""
    truths = sorted(root.glob('gtFine/val/*/*_labelIds.png'))
    guesses = [predictions / truth.name.replace('gtFine_labelIds', 'leftImg8bit') for truth in truths]
    settings = official.CArgs()
    settings.__dict__.update(official.args.__dict__)
    settings.evalInstLevelScore, settings.JSONOutput, settings.quiet = False, False, True
    result = official.evaluateImgLists([str(path) for path in guesses], [str(path) for path in truths], settings)
    return {name: 100 * result['classScores'][name] for name in CLASSES}, 100 * result['averageScoreClasses']


def assert_equal_scores(ours, theirs):
    ious, mean = theirs
    for name in CLASSES:
        assert ours[f'IoU.{name}'] == pytest.approx(ious[name], rel=1e-12, nan_ok=True), name
    assert ours['mIoU'] == pytest.approx(mean, rel=1e-12)


def test_metric_and_the_files_it_writes(data, tmp_path):
    """Predictions that are right in two thirds of the pixels, of all classes."""
    dataset = DATASETS.build(dataset_config(data))
    metric = METRICS.build({'type': 'IoUMetric', 'output_dir': str(tmp_path)})
    metric.dataset_meta = dataset.metainfo
    generator = torch.Generator().manual_seed(0)
    for sample in (dataset[i]['data_samples'] for i in range(len(dataset))):
        label = sample.gt_sem_seg.data
        noise = torch.randint(0, 18, label.shape, generator=generator, dtype=torch.uint8)
        noise[noise == CLASSES.index('train')] = CLASSES.index('bicycle')
        wrong = (torch.rand(label.shape, generator=generator) < 1 / 3) | (label == 255)
        guess = SegDataSample(metainfo=sample.metainfo)
        guess.gt_sem_seg = sample.gt_sem_seg
        guess.pred_sem_seg = PixelData(data=torch.where(wrong, noise, label))
        metric.process({}, [guess])
    ours = metric.evaluate(len(dataset))
    theirs = official_scores(tmp_path, data)
    assert_equal_scores(ours, theirs)
    assert np.isnan(ours['IoU.train']) and np.isfinite([ours[f'IoU.{n}'] for n in CLASSES if n != 'train']).all()
    assert 20 < ours['mIoU'] < 80


def test_command_line(data, tmp_path):
    """One network, scored by ``--eval``, its ``--format-only`` files by the benchmark."""
    cfg = tiny_run.config(data, classes=19)
    cfg.test_dataloader = {'batch_size': 1, 'num_workers': 0, 'dataset': dataset_config(data)}
    cfg.test_evaluator = {'type': 'IoUMetric'}
    cfg.model.test_cfg = {'mode': 'slide', 'crop_size': (32, 48), 'stride': (16, 24), 'batched_slide': True}
    run = tmp_path / 'run'
    run.mkdir()
    Config(cfg.to_dict()).dump(run / 'run.py')
    torch.manual_seed(0)
    network = build_networks(cfg)[1]
    with torch.no_grad():
        network.decode_head.conv_seg.weight.mul_(100)  # as drawn, one class would win everywhere
    torch.save({'state_dict': network.state_dict(), 'meta': {'iter': 1}}, run / 'latest.pth')
    scores = main([str(run), '--eval', 'mIoU', '--device', 'cpu'])
    main([str(run), '--format-only', '--out-dir', str(tmp_path / 'server'), '--device', 'cpu'])
    assert_equal_scores(scores, official_scores(tmp_path / 'server', data))
    assert sum(value > 0 for key, value in scores.items() if key.startswith('IoU.')) >= 3
    matrix = np.array(json.loads((run / 'eval_latest.json').read_text())['confusion_matrix'])
    labels = [np.array(Image.open(path)) for path in data.glob('gtFine/val/*/*_labelTrainIds.png')]
    np.testing.assert_array_equal(matrix.sum(1), sum(np.bincount(x.ravel(), minlength=256)[:19] for x in labels))


def test_label_tables_are_the_benchmarks():
    from cityscapesscripts.helpers.labels import labels

    evaluated = {label.id: label.trainId for label in labels if not label.ignoreInEval and label.id >= 0}
    assert evaluated == {CITYSCAPES_LABEL_IDS[name]: i for i, name in enumerate(CLASSES)}
    assert {key: value for key, value in CITYSCAPES_TO_TRAIN.items() if value != 255} == evaluated
