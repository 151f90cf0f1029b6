"""Nothing counts on Cityscapes' 19 classes: every part with 3 and with 11."""

import inspect

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from mmseg.datasets import RareClassSampling, collate_domains
from mmseg.datasets.conversion import class_counts, write_statistics
from mmseg.datasets.image_io import read_label
from mmseg.engine.optimizer_groups import build_optim_wrapper
from mmseg.evaluation.iou_metric import IoUMetric
from mmseg.evaluation.prediction_files import write_ids, write_picture
from mmseg.models import losses as losses_package
from mmseg.models.uda import UDADecorator, build_method
from mmseg.registry import DATASETS, MODELS
from mmseg.visualization import colorize, qualitative_sheet, training_panel
from tests.datasets.tiny_data import picture, save, train_ids
from tests.models.decode_heads.small_heads import BN, HEADS, levels

COUNTS = (3, 11)
SIZE = (32, 48)
each_count = pytest.mark.parametrize('classes', COUNTS)

# Every registered method is tried with its defaults; entries add settings, or variants under names of their own.
FEATURE_DISTANCE = {'weight': 0.1, 'classes': [1, 2]}
AUGMENT = {'jitter_probability': 1.0, 'blur': True}
METHODS = {
    'DACS': {'strong_augment': AUGMENT},
    'DAFormer': {'type': 'DACS', 'strong_augment': AUGMENT, 'feature_distance': FEATURE_DISTANCE},
    'MIC': {'type': 'DACS', 'strong_augment': AUGMENT, 'masking': {}},
    'CrossPathDistillation': {'teachers': [{'name': 'one'}, {'name': 'other'}], 'rectify': None},
    'PrototypeDistillation': {'teachers': [{'name': 'one'}]},
    'ProDA': {'teacher_view': 'crop'},
}
PSEUDO_LABELLED = ('PBALSelfTraining', 'PrototypeDistillation')


class PretrainedBackbone(nn.Module):
    """Two levels at strides 2 and 4; says that it has ImageNet weights, as the feature distance wants it."""

    pretrained_loaded = True

    def __init__(self, pretrained=None):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(6, 8, 3, 2, 1), nn.ReLU())

    def forward(self, images):
        first = self.first(images)
        return [first, self.second(first)]


def own_classes(parent, module):
    """Registered classes of this package below a class, by name."""
    return {
        name: entry
        for name, entry in MODELS.module_dict.items()
        if inspect.isclass(entry) and issubclass(entry, parent) and entry.__module__.startswith(module)
    }


def all_methods():
    MODELS.get('DACS')
    registered = {name: {'type': name} for name in own_classes(UDADecorator, 'mmseg.')}
    return {**registered, **{name: {'type': name, **settings} for name, settings in METHODS.items()}}


def all_losses():
    MODELS.get('CrossEntropyLoss')
    return own_classes(nn.Module, losses_package.__name__)


def model(classes, segmentor='EncoderDecoder'):
    head = {
        'type': 'DAFormerHead',
        'in_channels': [6, 8],
        'in_index': [0, 1],
        'channels': 6,
        'num_classes': classes,
        'norm_cfg': BN,
        'decoder_params': {
            'embed_dims': 5,
            'embed_cfg': {'type': 'mlp', 'act_cfg': None, 'norm_cfg': None},
            'embed_neck_cfg': {'type': 'mlp', 'act_cfg': None, 'norm_cfg': None},
            'fusion_cfg': {'type': 'conv', 'kernel_size': 1, 'norm_cfg': BN},
        },
    }
    network = {'type': segmentor, 'backbone': {'type': PretrainedBackbone}, 'decode_head': head}
    if segmentor == 'HRDAEncoderDecoder':
        network['decode_head'] = {
            **head, 'type': 'HRDAHead', 'single_scale_head': head['type'], 'attention_embed_dim': 4
        }  # fmt: skip
        network |= {'scales': [1, 0.5], 'hr_crop_size': [16, 16], 'crop_coord_divisible': 8, 'feature_scale': 0.5}
    return {**network, 'data_preprocessor': {'type': 'SegDataPreProcessor'}}


@pytest.fixture(scope='module', params=COUNTS)
def pair(request, tmp_path_factory):
    """Two domains of two plain folders, with rare class sampling."""
    root, domains = tmp_path_factory.mktemp(f'classes{request.param}'), {}
    steps = [
        {'type': 'RandomCrop', 'crop_size': (32, 32)},
        {'type': 'RandomFlip', 'prob': 0.5},
        {'type': 'PackTrainInputs'},
    ]
    for domain, load in (('source', ['LoadImageFromFile', 'LoadAnnotations']), ('target', ['LoadImageFromFile'])):
        stats = []
        for n in range(4):
            label = train_ids(*SIZE, seed=n, num_classes=request.param)
            save(root / domain / f'images/{n}.png', picture(*SIZE, seed=n))
            stats.append((save(root / domain / f'labels/{n}.png', label), class_counts(label)))
        write_statistics(str(root / domain), stats)
        domains[domain] = {
            'type': 'BaseSegDataset',
            'data_root': str(root / domain),
            'data_prefix': {'img_path': 'images', 'seg_map_path': 'labels'},
            'metainfo': {'classes': [f'class {i}' for i in range(request.param)]},
            'pipeline': [*({'type': step} for step in load), *steps],
        }
    return DATASETS.build({'type': 'UDADataset', **domains, 'rare_class_sampling': {'min_pixels': 4}})


def batch_of(pair):
    return collate_domains([pair[n] for n in range(2)])


def optimizers(method):
    sgd = {'optimizer': {'type': 'SGD', 'lr': 0.01}}
    names = list(method.optimizer_modules())
    return build_optim_wrapper(method, sgd if names == ['main'] else dict.fromkeys(names, sgd))


def train_step(pair, uda, segmentor='EncoderDecoder'):
    data = batch_of(pair)
    if uda['type'] in PSEUDO_LABELLED:
        data['target']['label'] = data['source']['label']
    classes = len(pair.metainfo['classes'])
    torch.manual_seed(0)
    method = build_method({'model': model(classes, segmentor), 'uda': uda, 'train_cfg': {'max_iters': 10}})
    method.panel_interval = 1
    for teacher in method.teachers.by_name.values() if hasattr(method, 'teachers') else ():
        teacher.set_state(method.student.state_dict())
    if uda['type'] == 'ProDA':
        method._soft_labels = lambda target: torch.rand(len(target.images), classes, 8, 8).softmax(dim=1)
    before = [parameter.clone() for parameter in method.student.parameters()]
    log = method.train_step(data, optimizers(method))
    assert any('loss' in name for name in log) and all(torch.isfinite(torch.as_tensor(v)).all() for v in log.values())
    changed = [not torch.equal(a, b) for a, b in zip(before, method.student.parameters(), strict=True)]
    assert any(changed)
    assert method.student.num_classes == classes
    assert method.eval()(torch.zeros(1, 3, *SIZE)).shape == (1, classes, *SIZE)
    return method


@each_count
@pytest.mark.parametrize('name', HEADS)
def test_heads(name, classes):
    head = MODELS.build({**HEADS[name], 'num_classes': classes})
    out = head(levels())
    assert {logits.shape[1] for logits in out.logits.values()} == {classes}
    assert 19 not in {size for parameter in head.parameters() for size in parameter.shape}
    labels = torch.from_numpy(np.stack([train_ids(52, 72, seed, classes) for seed in range(2)])).long()
    losses = head.losses(out.logits, labels)
    sum(value for key, value in losses.items() if 'loss' in key).backward()


@each_count
@pytest.mark.parametrize('name', all_losses())
def test_losses(name, classes):
    logits = torch.randn(2, classes, 8, 8, requires_grad=True)
    labels = torch.from_numpy(np.stack([train_ids(8, 8, seed, classes) for seed in range(2)])).long()
    loss = MODELS.build({'type': name})(logits, labels)
    loss.backward()
    assert loss > 0 and logits.grad.isfinite().all()


@pytest.mark.parametrize('name', all_methods())
def test_methods(pair, name):
    method = train_step(pair, all_methods()[name])
    classes = pair.metainfo['classes']
    panel = training_panel(method.panel, [120] * 3, [58] * 3, pair.metainfo['palette'], classes)
    assert panel.shape[2] == 3


def test_hrda(pair):
    train_step(pair, all_methods()['DAFormer'], 'HRDAEncoderDecoder')


def test_rare_class_sampling(pair):
    classes = len(pair.metainfo['classes'])
    assert sorted(RareClassSampling(pair.source, min_pixels=4).classes) == list(range(classes))
    labels = batch_of(pair)['source']['label']
    assert set(labels.unique().tolist()) <= {*range(classes), 255}


@pytest.mark.parametrize('metric', ['mIoU', 'mDice', 'mFscore'])
def test_metric(pair, metric):
    """A perfect prediction of every class scores 100 in each."""
    classes = pair.metainfo['classes']
    label = torch.from_numpy(train_ids(*SIZE, seed=1, num_classes=len(classes)))
    prediction = label.clone()
    prediction[label == 255] = 0
    scorer = IoUMetric(iou_metrics=[metric], subsets={'first two': classes[:2]})
    scorer.dataset_meta = pair.metainfo
    scorer.process({}, [{'pred_sem_seg': {'data': prediction[None]}, 'gt_sem_seg': {'data': label[None]}}])
    scores = scorer.evaluate(1)
    name = metric.removeprefix('m')
    assert {key for key in scores if key.startswith(f'{name}.')} == {f'{name}.{label}' for label in classes}
    assert scores[metric] == scores['first two'] == 100


def test_pictures_and_files(pair, tmp_path):
    classes, palette = pair.metainfo['classes'], pair.metainfo['palette']
    assert len({tuple(colour) for colour in palette}) == len(classes)
    label = np.arange(32 * 48).reshape(32, 48).astype(np.uint8) % len(classes)
    assert (colorize(label, palette) == np.asarray(palette)[label]).all()
    image = save(tmp_path / 'image.png', picture(32, 48))
    sheet = qualitative_sheet([[picture(32, 48), label, label]], ['image', 'truth', 'ours'], palette, classes)
    assert sheet.dtype == np.uint8
    for path in (
        write_picture(label, image, tmp_path / 'palette', palette),
        write_ids(label, image, tmp_path / 'ids', classes, to_label_id=False),
    ):
        assert (read_label(str(path)) == label).all()
    blended = np.asarray(Image.open(write_picture(label, image, tmp_path / 'blended', palette, opacity=0.5)))
    assert blended.shape == (32, 48, 3)
    with pytest.raises(ValueError, match='has no Cityscapes label id: write train ids instead'):
        write_ids(label, image, tmp_path / 'server', classes)
