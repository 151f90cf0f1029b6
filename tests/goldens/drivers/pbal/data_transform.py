"""Label ids, and the training geometry of PBAL with given decisions, up to the normalised picture."""

import tempfile
from pathlib import Path

import cv2
import numpy as np

from mmseg.datasets import label_tables
from mmseg.datasets.randomness import Draws
from mmseg.datasets.transforms import (
    Compose,
    LoadAnnotations,
    LoadImageFromFile,
    LoadPseudoLabels,
    PackTrainInputs,
    RandomCrop,
    RandomFlip,
    Resize,
)
from mmseg.models.data_preprocessor import SegDataPreProcessor

IGNORE = 255
TABLES = {
    'gta5': label_tables.GTA_TO_TRAIN,
    'cityscapes': label_tables.CITYSCAPES_TO_TRAIN,
    'synthia': label_tables.SYNTHIA_TO_TRAIN,
}


def run(case):
    options, image, ids = case.meta['options'], case.inputs['image'], case.inputs['label'].astype(np.uint8)
    theirs = {name: case.arrays[f'out/{name}'] for name in ('label', 'train_ids_before_resize')}
    theirs = {name: np.where(labels == options['ignore'], IGNORE, labels) for name, labels in theirs.items()}
    pseudo = options['dataset'] not in TABLES
    labels = ids if pseudo else label_tables.lookup_table(TABLES[options['dataset']])[ids]
    loaders = [LoadImageFromFile(), LoadPseudoLabels() if pseudo else LoadAnnotations()]
    with tempfile.TemporaryDirectory() as folder:
        paths = {'img_path': str(Path(folder) / 'image.png'), 'seg_map_path': str(Path(folder) / 'label.png')}
        cv2.imwrite(paths['img_path'], image[..., ::-1])
        cv2.imwrite(paths['seg_map_path'], labels)
        loaded = Compose(loaders)({**paths, 'num_classes': 19, 'draws': None})
    np.testing.assert_array_equal(loaded['gt_seg_map'], theirs['train_ids_before_resize'])

    left, top, width, height = options['crop_xywh']
    given = {
        'scale': [tuple(options['rescaled_wh'])],
        'crop_box': [(top, top + height, left, left + width)],
        'flip': [0.0 if options['flip'] else 1.0],
    }
    steps = [
        Resize(tuple(options['base_size_wh']), keep_ratio=False, backend='pillow'),
        Resize((2200, 1100), keep_ratio='width', ratio_range=(0.5, 1.5), backend='pillow'),
        RandomCrop((height, width)),
        RandomFlip(0.5),
        PackTrainInputs(),
    ]
    sample = Compose(steps)({**loaded, 'draws': Draws(np.random.default_rng(0), given)})
    np.testing.assert_array_equal(sample['label'].numpy(), theirs['label'])
    settings = {} if options['normalised'] else {'mean': (0, 0, 0), 'std': (255, 255, 255)}
    preprocessor = SegDataPreProcessor(**settings)
    batch = {'image': sample['image'][None], 'meta': [sample['meta']]}
    ours = preprocessor(batch, training=True).source.images[0].numpy()
    meta = case.meta['outputs']['image']
    assert list(ours.shape) == meta['shape']
    one_level = 1 / preprocessor.std.min().item()
    np.testing.assert_allclose(
        ours.reshape(-1)[:: meta.get('stride', 1)], case.arrays['out/image'].reshape(-1), atol=1.01 * one_level, rtol=0
    )
