"""Every training of every experiment has a config that builds, without data and weights."""

from dataclasses import replace

import pytest
import torch

from experiments import EXPERIMENTS, GTA
from mmseg.experiments import Masking, Unknown, child_config, seeds, training_name
from mmseg.models.uda import build_method
from tests.experiments.resolved import resolved_config

COUNTS = {1: 45, 2: 12, 3: 18, 4: 4, 5: 21, 6: 42, 7: 3, 8: 6, 40: 6, 41: 24, 42: 21, 43: 21, 44: 54, 49: 6,
          80: 12, 81: 18, 82: 12, 83: 12, 84: 45, 85: 3}  # fmt: skip


def test_published_numbers_of_trainings():
    assert {number: len(list(EXPERIMENTS[number]())) for number in COUNTS} == COUNTS


def test_names_are_unique_within_an_experiment():
    for number, grid in EXPERIMENTS.items():
        names = [training_name(training) for training in grid()]
        assert len(set(names)) == len(names), number


def test_every_config_loads_and_every_network_and_method_builds():
    built = set()
    for number, grid in EXPERIMENTS.items():
        for training in grid():
            if training.seed:
                continue
            cfg = resolved_config(training)
            assert cfg.seed == 0 and cfg.name == training_name(training), number
            parts = str((cfg.model, cfg.get('uda')))
            if parts in built:
                continue
            built.add(parts)
            with torch.device('meta'):
                method = build_method(cfg)
            assert method.student.num_classes == 19
            assert (method.inference_model().inference_options.mode == 'slide') is training.slide


@pytest.mark.parametrize('decoder', ['segformer', 'upernet', 'daformer_sepaspp', 'hrda1-256-0.1_daformer_conv1'])
@pytest.mark.parametrize('encoder', ['mitb0', 'mitb3', 'r50v1c', 'r101v1c', 's50', 'x50-32'])
def test_heads_of_four_levels_go_with_any_encoder(decoder, encoder):
    training = replace(GTA, architecture=decoder, backbone=encoder, uda='dacs')
    with torch.device('meta'):
        network = build_method(resolved_config(training)).student
    head = network.decode_head.head if 'hrda' in decoder else network.decode_head
    assert list(head.in_channels) == list(network.backbone.out_channels)
    assert encoder in training_name(training)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'architecture': 'daformer_magic'}, "no base config for decoder 'daformer_magic'; known: segformer, upernet"),
        ({'architecture': 'unet'}, "no base config for decoder 'unet'"),
        ({'backbone': 'vgg16'}, "no encoder 'vgg16'"),
        ({'architecture': 'dlv2', 'backbone': 'vgg16'}, "no encoder 'vgg16'; known: mitb0 to mitb5, r50v1c"),
        ({'architecture': 'hrda-512_daformer_sepaspp'}, 'HRDA is written hrda1-'),
        ({'architecture': 'hrda1-512-0.1-big_daformer_sepaspp'}, "HRDA option 'big'"),
        ({'architecture': 'hrda1-512-0.1_upernet'}, "HRDA over decoder 'upernet'"),
        ({'masking': Masking('everywhere')}, "masking mode 'everywhere'"),
        ({'uda': 'advseg'}, 'sgd with schedule poly10warm only'),
    ],
)
def test_messages(changes, message):
    from mmseg.experiments.dated_runs import generate_training

    with pytest.raises((Unknown, ValueError), match=message):
        generate_training(replace(GTA, **changes), 7, 'test')


def test_detail_crop_as_large_as_the_crop_trains_both_scales():
    hrda = replace(GTA, architecture='hrda1-512-0.3_daformer_sepaspp', uda='dacs_fd')
    model = child_config(hrda)['model']
    assert (model['feature_scale'], model['decode_head']['lr_loss_weight']) == ('all', 0.3)
    assert 'lr_loss_weight' not in child_config(replace(hrda, crop=1024))['model']['decode_head']


def test_seeds_are_innermost():
    trainings = list(seeds([GTA, replace(GTA, source='synthia')], (0, 3)))
    assert [(training.source, training.seed) for training in trainings] == [
        ('gta', 0),
        ('gta', 3),
        ('synthia', 0),
        ('synthia', 3),
    ]
