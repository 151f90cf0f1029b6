"""HRDA's base models are those that the original code bases resolved."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config

from mmseg.registry import MODELS
from tests.goldens.harness import Case

ROOT = Path(__file__).parents[2]
RECORDED = {
    entry['architecture']: entry
    for entry in Case(ROOT / 'tests/goldens/architectures/experiment_models.npz').meta['entries']
    if entry['model']['type'] == 'HRDAEncoderDecoder'
}
RESNET_101 = {'model.pretrained': 'open-mmlab://resnet101_v1c', 'model.backbone.depth': 101}
SLIDE = {'mode': 'slide', 'batched_slide': True, 'stride': [512, 512], 'crop_size': [1024, 1024]}
BASES = {
    'hrda1-512-0.1_daformer_sepaspp_sl_mitb5': ('hrda_daformer_sepaspp_mitb5', {}),
    'hrda1-512-0.1_dlv2red_r101v1c': ('hrda_deeplabv2red_r50-d8', RESNET_101),
    'hrda1-512-0.1_dlv2red_sl_r101v1c': ('hrda_deeplabv2red_r50-d8', {**RESNET_101, 'model.test_cfg': SLIDE}),
}


def plain(value: Any) -> Any:
    """Tuples as lists: JSON knows no other."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def load(architecture: str) -> dict[str, Any]:
    file, changes = BASES[architecture]
    cfg = Config.fromfile(str(ROOT / 'configs/_base_/models' / f'{file}.py'))
    cfg.merge_from_dict(changes)
    return {key: value for key, value in plain(cfg.model.to_dict()).items() if key != 'data_preprocessor'}


def test_every_recorded_architecture_has_a_base() -> None:
    assert set(RECORDED) == set(BASES)


@pytest.mark.parametrize('architecture', BASES)
def test_base_model_is_the_recorded_one(architecture: str) -> None:
    model, recorded = load(architecture), RECORDED[architecture]
    assert model == recorded['model']
    with torch.device('meta'):
        network = MODELS.build({**model, 'pretrained': None})
    parts = {'total': network, 'backbone': network.backbone, 'decode_head': network.decode_head}
    counts = {name: sum(parameter.numel() for parameter in part.parameters()) for name, part in parts.items()}
    assert {**counts, 'state_keys': len(network.state_dict())} == recorded['parameters']
