"""Configs of CDDA's original code, and the keys that its users edit, in ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmseg.engine.config import load_config
from mmseg.engine.legacy_config import upgrade

CONFIGS = Path(__file__).parents[2] / 'configs'
PATHS = {
    'matrix_path': 'bank/synthia_9400_distribution.pth',
    'croped_images_path': 'bank/images',
    'croped_labels_path': 'bank/labels',
}
SIX = [f'{source}_cdda_{base}' for source in ('gtaHR2csHR', 'synthiaHR2csHR') for base in ('hrda', 'mic')]
SIX += ['gta2cs_cdda_daformer', 'synthia2cs_cdda_daformer']


@pytest.mark.parametrize('name', SIX)
def test_edited_paths_win_and_nothing_else_changes(name: str) -> None:
    ours = load_config(CONFIGS / 'cdda' / f'{name}.py').to_dict()
    edited = load_config(
        CONFIGS / 'cdda' / f'{name}.py', {f'uda.{key}': value for key, value in PATHS.items()}
    ).to_dict()
    guidance = edited['uda']['depth_guidance']
    assert [guidance.pop(key) for key in ('counts', 'images', 'labels')] == list(PATHS.values())
    assert edited['uda'] == ours['uda']
    assert edited['train_dataloader'] == ours['train_dataloader']


def old_config(**uda: object) -> dict:
    """An original file over the bases without depth."""
    base = load_config(CONFIGS / 'daformer' / 'gta2cs_uda_warm_fdthings_rcs_croppl_a999_daformer_mitb5_s0.py').to_dict()
    data = {
        'train': {
            'source': {'dep_dir': 'data/gta/depth_any'},
            'target': {'dep_dir': 'data/cityscapes/depth_any/train/'},
        },
        'val': {'dep_dir': 'data/cityscapes/depth_any/val'},
    }
    return {**base, 'data': data, 'uda': {**base['uda'], **PATHS, **uda}}


def test_original_over_our_bases_is_our_configuration() -> None:
    thresholds = {'reweight_threshold': 0.56, 'relabel_threshold': 0.54, 'threshold_decay': 0.0025}
    cfg = upgrade(old_config(dataset='gta', **thresholds))
    ours = load_config(CONFIGS / 'cdda' / 'gta2cs_cdda_daformer.py')
    assert cfg.train_dataloader.to_dict() == ours.train_dataloader.to_dict()
    assert 'depth_path' not in cfg.val_dataloader.dataset.data_prefix
    guidance = cfg.uda.depth_guidance.to_dict()
    assert guidance == {
        'counts': PATHS['matrix_path'],
        'images': 'bank/images',
        'labels': 'bank/labels',
        'ignore_classes': [],
        **thresholds,
    }


def test_synthia_has_classes_that_keep_their_weights() -> None:
    assert upgrade(old_config(dataset='synthia')).uda.depth_guidance.ignore_classes == [9, 14, 16]


def test_unknown_source_is_an_error() -> None:
    with pytest.raises(ValueError, match="uda.dataset='camvid' cannot be translated"):
        upgrade(old_config(dataset='camvid'))


def test_depth_elsewhere_stays_where_it_is() -> None:
    old = old_config(dataset='gta')
    old['data']['train']['target'] = {'dep_dir': 'maps/cityscapes'}
    assert upgrade(old).train_dataloader.dataset.target.data_prefix.depth_path == '../../maps/cityscapes'


def test_dep_dir_may_be_missing() -> None:
    old = old_config(dataset='gta')
    del old['data']
    target = upgrade(old).train_dataloader.dataset.target
    assert target.data_prefix.depth_path == 'depth_any/train'
    assert [step.type for step in target.pipeline][:3] == ['LoadImageFromFile', 'LoadDepth', 'Resize']
