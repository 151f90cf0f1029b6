"""Encoders of segmentation networks are told from ImageNet weights."""

import pytest

from mmseg.engine.pretrained.segmentation import segmentation_note

CITYSCAPES = ['road', 'sidewalk', 'building', 'wall']
CONFIG_TEXT = "dataset_type = 'CityscapesDataset'\ndata = dict(train=dict(type='RepeatDataset'))\n"


@pytest.mark.parametrize(
    ('key', 'meta', 'said'),
    [
        ('decode_head.conv_seg.weight', {}, ''),
        ('model.decode_head.conv_seg.weight', {'CLASSES': CITYSCAPES}, '; 4 classes: road, sidewalk, building, ...'),
        ('segmentation_head.0.weight', {'dataset_meta': {'classes': ('a', 'b')}}, '; 2 classes: a, b'),
        ('auxiliary_head.conv_seg.bias', {'config': CONFIG_TEXT}, '; trained with CityscapesDataset'),
        ('aux_classifier.0.weight', {'cfg': CONFIG_TEXT, 'CLASSES': 19}, '; trained with CityscapesDataset'),
    ],
)
def test_heads_and_data_are_named(key, meta, said):
    keys = ['backbone.conv1.weight', key]
    assert segmentation_note(keys, meta) == f'the encoder of a segmentation network ({key}{said})'


@pytest.mark.parametrize('key', ['head.fc.weight', 'fc.weight', 'classifier.weight', 'neck.decode_header.weight'])
def test_classifiers_are_none(key):
    assert segmentation_note(['backbone.conv1.weight', key], {'CLASSES': CITYSCAPES, 'config': CONFIG_TEXT}) is None


def test_what_was_noted_stays():
    assert segmentation_note(['conv1.weight'], {'segmentation': 'seen\nbefore'}) == 'seen before'
