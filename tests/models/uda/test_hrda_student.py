"""HRDA as the student of every method: crop boxes drawn per pass, features of both scales compared."""

import pytest
import torch
import torch.nn.functional as F
from torch.optim import SGD

from mmseg.models.uda import build_method
from tests.models.segmentors.small_hrda import CLASSES, hrda_config
from tests.models.uda.toy import random_batch

METHODS = {
    'Supervised': ['supervised'],
    'DACS': ['supervised', 'mixed', 'masked'],
    'AdvSeg': ['supervised', 'adversarial', 'masked'],
    'MinEnt': ['supervised', 'entropy', 'masked'],
    'ProCA': ['adapt_source', 'adapt_target', 'masked'],
}
MASKING = {'mode': 'separatetrg', 'generator': {'type': 'block', 'mask_ratio': 0.5, 'mask_block_size': 16}}
SIZE = (64, 64)  # at half the size AdvSeg's discriminator needs 32 pixels


def method_for(name, norm=True, **uda):
    torch.manual_seed(0)
    uda = {'type': name, **uda}
    if name != 'Supervised':
        uda['masking'] = MASKING
    model = {**hrda_config(norm=norm, feature_scale='all'), 'data_preprocessor': {'type': 'ToyPreprocessor'}}
    return build_method({'model': model, 'uda': uda, 'train_cfg': {'max_iters': 10}}).double().train()


@pytest.mark.parametrize('name', METHODS)
def test_each_pass_draws_its_own_box(name):
    method = method_for(name)
    seen = {}

    def remember(network, arguments):
        seen.setdefault(tuple(arguments[1].tolist()), None)

    method.student.register_forward_pre_hook(remember)
    step = method.prepare(random_batch(size=SIZE))
    log = method.run_passes(step)
    boxes = {f'crop_box_{one_pass}' for one_pass in METHODS[name]}
    assert {decision for decision in step.decisions if decision.startswith('crop_box')} == boxes
    assert set(seen) == {tuple(step.decisions[name].tolist()) for name in boxes}
    assert 'decode.hr.loss_seg' in log
    assert all(value.isfinite() for value in log.values())

    handed_in = {decision: torch.tensor([8, 40, 16, 48]) for decision in boxes}
    seen.clear()
    method.run_passes(method.prepare(random_batch(size=SIZE), handed_in))
    assert set(seen) == {(8, 40, 16, 48)}


def test_boxes_differ_between_passes_and_iterations_but_not_between_runs():
    def boxes(method):
        step = method.prepare(random_batch(size=SIZE))
        method.run_passes(step)
        return [step.decisions[f'crop_box_{name}'].tolist() for name in METHODS['DACS']]

    method = method_for('DACS')
    drawn = [boxes(method)]
    for _ in range(4):
        method.iteration += 1
        drawn.append(boxes(method))
    flat = [tuple(box) for row in drawn for box in row]
    assert len(set(flat)) > 3
    assert boxes(method_for('DACS')) == drawn[0]


def test_feature_distance_sees_what_the_student_sees():
    method = method_for('DACS', feature_distance={'weight': 0.1, 'classes': [1, 3]})
    with torch.no_grad():
        for parameter in method.imnet_model.parameters():
            parameter.add_(0.1)
    batch = random_batch(size=SIZE)
    coarse = torch.randint(0, CLASSES, (2, 4, 4), generator=torch.Generator().manual_seed(0))
    batch.source.labels = labels = coarse.repeat_interleave(16, 1).repeat_interleave(16, 2)
    box = torch.tensor([8, 40, 16, 48])
    step = method.prepare(batch, {'crop_box_supervised': box})
    out = method.student(batch.source.images, box)
    total = 0.0
    # The last level has stride 8: a cell of the context is 16 pixels of the image, one of the detail 8.
    for features, images, cells in (
        (out.features, F.avg_pool2d(batch.source.images, 2), labels[:, ::16, ::16]),
        (out.detail_features, batch.source.images[:, :, 8:40, 16:48], labels[:, 8:40:8, 16:48:8]),
    ):
        wanted = torch.isin(cells, torch.tensor([1, 3]))
        assert wanted.any() and not wanted.all()
        distance = (features[-1] - method.imnet_model.backbone(images)[-1]).norm(dim=1)
        total = total + 0.1 * distance[wanted].mean()
    log = method.run_passes(step)
    torch.testing.assert_close(log['src.loss_imnet_feat_dist'], total.detach())
    assert log['src.fd_valid'] == 1


def test_a_scale_without_things_leaves_the_other():
    method = method_for('Supervised', feature_distance={'weight': 0.1, 'classes': [1], 'min_ratio': 0.75})
    with torch.no_grad():
        for parameter in method.imnet_model.parameters():
            parameter.add_(0.1)
    batch = random_batch(size=SIZE, target=False)
    batch.source.labels.fill_(0)
    batch.source.labels[:, 16:24, 16:24] = 1  # fills a cell of the detail, a quarter of one of the context
    log = method.compute_gradients(batch, {'crop_box_supervised': torch.tensor([8, 40, 16, 48])})
    assert log['src.loss_imnet_feat_dist'] > 0 and log['src.fd_valid'] == 1
    again = method.compute_gradients(batch, {'crop_box_supervised': torch.tensor([0, 32, 32, 64])})
    assert again['src.loss_imnet_feat_dist'] == 0 and again['src.fd_valid'] == 0


def test_panel_shows_both_scales():
    method = method_for('DACS')
    method.panel_interval = 1
    step = method.prepare(random_batch(size=SIZE))
    method.run_passes(step)
    method.update(type('Wrapper', (), {'step': SGD(method.student.parameters(), lr=0.0).step})())
    method.finish(step)
    shown = [name for name in method.panel if name.startswith('mixed_') and 'predict' in name or 'attention' in name]
    assert shown == [
        'mixed_prediction', 'mixed_context_prediction', 'mixed_detail_prediction', 'mixed_detail_attention',
    ]  # fmt: skip
    assert all(method.panel[name].shape == (2, *SIZE) for name in shown)
