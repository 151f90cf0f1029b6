"""A cascade as the student of every method: all stages learn, the last one counts."""

import pytest
import torch

from mmseg.models.uda import build_method
from tests.models.segmentors.small_cascade import COARSE, FINE, cascade_config
from tests.models.uda.toy import random_batch

MASKING = {'mode': 'separatetrg', 'generator': {'type': 'block', 'mask_ratio': 0.5, 'mask_block_size': 16}}
DISTANCE = {'weight': 0.1, 'classes': None}
SELF_TRAINING = {'pseudo_labels': {'threshold': 0.2}, 'feature_distance': DISTANCE}
METHODS = {
    'Supervised': {'type': 'Supervised', 'feature_distance': DISTANCE},
    'DACS': {'type': 'DACS', **SELF_TRAINING},
    'MIC': {'type': 'DACS', 'masking': MASKING, **SELF_TRAINING},
    'AdvSeg': {'type': 'AdvSeg'},
    'MinEnt': {'type': 'MinEnt'},
}
SUPERVISED = {f'decode_{index}.{key}_seg' for index in (0, 1) for key in ('loss', 'acc')}
LOGGED = {
    'Supervised': {'src.loss_imnet_feat_dist'},
    'DACS': {'mix.decode_0.loss_seg', 'mix.decode_1.loss_seg'},
    'MIC': {'masked.decode_0.loss_seg', 'masked.decode_1.loss_seg'},
    'AdvSeg': {'G_trg.loss.main', 'G_trg.loss.aux', 'D_src.loss.aux', 'D_trg.loss.main'},
    'MinEnt': {'ent.loss.main', 'ent.loss.aux'},
}


def method_for(uda, **changes):
    torch.manual_seed(0)
    model = {**cascade_config(**changes), 'data_preprocessor': {'type': 'ToyPreprocessor'}}
    return build_method({'model': model, 'uda': uda, 'train_cfg': {'max_iters': 10}}).double().train()


@pytest.mark.parametrize('name', METHODS)
def test_one_step(name):
    method = method_for(METHODS[name])
    method.panel_interval = 1
    step = method.prepare(random_batch(size=(64, 64)))
    log = method.run_passes(step)
    method.finish(step)
    assert log.keys() >= SUPERVISED | LOGGED[name]
    assert all(value.isfinite() for value in log.values())
    assert all(parameter.grad.isfinite().all() for parameter in method.student.parameters())
    assert all(float(head.conv_seg.weight.grad.norm()) > 0 for head in method.student.decode_head)
    assert any(key.endswith('_prediction') for key in method.panel)
    assert not any(key.startswith('crop_box') for key in step.decisions)


def test_the_teacher_labels_with_the_last_stage():
    method = method_for(METHODS['DACS'])
    batch = random_batch(size=(64, 64))
    step = method.prepare(batch)
    method.ema_model.eval()
    for module in method.ema_model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.train()
    expected = method.ema_model(batch.target.images).logits['main']
    expected = torch.nn.functional.interpolate(expected, (64, 64), mode='bilinear')
    torch.testing.assert_close(step.pseudo.labels, expected.argmax(dim=1))


def test_three_stages_need_a_weight_each():
    heads = (COARSE, FINE, FINE)
    with pytest.raises(ValueError, match='has no weight for aux_0, aux_1; the model predicts main, aux_0, aux_1'):
        method_for({'type': 'MinEnt'}, heads=heads)
    weights = {'main': 0.1, 'aux_0': 0.02, 'aux_1': 0.05}
    method = method_for({'type': 'MinEnt', 'entropy_weight': weights}, heads=heads)
    log = method.compute_gradients(random_batch(size=(32, 32)))
    assert {'ent.loss.main', 'ent.loss.aux_0', 'ent.loss.aux_1', 'decode_2.loss_seg'} <= log.keys()
