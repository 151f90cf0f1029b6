"""Depth guidance in DACS and what DACS becomes with other students and components."""

import copy

import pytest
import torch

from mmseg.models.uda import build_method
from mmseg.models.uda.components.depth_relabel import guidance_loss
from tests.models.segmentors.small_cascade import cascade_config
from tests.models.segmentors.small_hrda import hrda_config
from tests.models.uda.components.bank_files import write_bank
from tests.models.uda.toy import NUM_CLASSES, model_config, random_batch

PREPROCESSOR = {'type': 'SegDataPreProcessor'}
SELF_TRAINING = {'type': 'DACS', 'teacher': {'alpha': 0.7}, 'pseudo_labels': {'threshold': 0.25}}
ALWAYS = {'reweight_threshold': -1, 'relabel_threshold': -1}
MASKING = {'mode': 'separatetrg', 'generator': {'type': 'block', 'mask_ratio': 0.5, 'mask_block_size': 16}}
SIZE = (64, 64)


@pytest.fixture(scope='module')
def bank(tmp_path_factory):
    folder = tmp_path_factory.mktemp('bank')
    return folder, *write_bank(folder, num_classes=NUM_CLASSES, size=SIZE)


def method_for(guidance, model=None, **uda):
    torch.manual_seed(0)
    settings = {**SELF_TRAINING, **uda, 'depth_guidance': guidance}
    cfg = {**(model or model_config()), 'data_preprocessor': PREPROCESSOR}
    method = build_method({'model': cfg, 'uda': settings, 'train_cfg': {'max_iters': 10}}).double().train()
    return method


def batch_with_depth(seed=0, **settings):
    batch = random_batch(size=SIZE, seed=seed, **settings)
    ramp = torch.linspace(0, 200, SIZE[0])[:, None].expand(2, *SIZE)
    batch.target.depth = ramp.to(torch.uint8).contiguous()
    return batch


def gradients(method):
    return [parameter.grad for parameter in method.student.parameters()]


def test_without_anything_similar_the_step_is_the_plain_one(bank):
    plain = method_for(None)
    guided = method_for({'bank': str(bank[0]), 'reweight_threshold': 2, 'relabel_threshold': 2})
    batch = batch_with_depth(valid=True)
    plain_log, log = (method.compute_gradients(copy.deepcopy(batch)) for method in (plain, guided))
    for ours, expected in zip(gradients(guided), gradients(plain), strict=True):
        assert torch.equal(ours, expected)
    assert {name: float(log[name]) for name in plain_log} == {name: float(plain_log[name]) for name in plain_log}
    assert float(log['tgt.loss']) == 0
    assert set(guided.state_dict()) == set(plain.state_dict())


def test_the_mix_takes_the_similar_crop(bank):
    folder, _, images, labels = bank
    method = method_for({'bank': str(folder), **ALWAYS})
    batch = batch_with_depth()
    original = batch.source.labels.clone()
    every_class = torch.ones(2, 256, dtype=torch.bool)
    step = method.prepare(batch, {'mix_classes': every_class})
    shown = method.panel_images(step)['mixed_image']
    log = method.run_passes(step)
    assert torch.equal(step.mixed.images, shown), 'a preview shows the mix without running the passes'
    assert min(step.guidance.replacements) >= 0
    for slot, number in enumerate(step.guidance.replacements):
        picture = method.data_preprocessor.normalize(torch.from_numpy(images[number]).permute(2, 0, 1)[None])
        torch.testing.assert_close(step.mixed.images[slot], picture[0].double())
        assert torch.equal(step.mixed.labels[slot], torch.from_numpy(labels[number]).long())
    assert torch.equal(step.source.labels, original), 'the source pass sees the batch as it came'
    assert float(log['depth.replaced']) == 1


def test_the_guidance_pass_adds_its_gradient(bank):
    folder = bank[0]
    method = method_for({'bank': str(folder), **ALWAYS, 'guidance_weight': 0.3})
    step = method.prepare(batch_with_depth(), None)
    assert step.guidance.runs
    method.guided(step)['tgt.loss'].backward()
    ours = [gradient.clone() for gradient in gradients(method) if gradient is not None]
    method.zero_grad()
    logits = method.student(step.target.images).logits['main']
    quality = float(step.guidance_weight[0, 0, 0])
    assert 0 < quality <= 0.3
    weight = torch.full(step.pseudo.labels.shape, quality, dtype=torch.float64)
    guidance_loss(logits, step.pseudo.labels, step.guidance.soft, weight).backward()
    expected = [gradient for gradient in gradients(method) if gradient is not None]
    for one, other in zip(ours, expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize('valid_only', [False, True])
def test_margins_and_the_guidance_loss(bank, valid_only):
    method = method_for({'bank': str(bank[0]), **ALWAYS, 'valid_only': valid_only})
    batch = batch_with_depth(valid=True)
    step = method.prepare(batch)
    left_out = step.guidance_weight == 0
    assert torch.equal(left_out, ~batch.target.valid if valid_only else torch.zeros_like(left_out))
    assert not step.pseudo.weight[~batch.target.valid].any()


def test_padding_is_not_counted(bank):
    method = method_for({'bank': str(bank[0]), **ALWAYS})
    batch = batch_with_depth()
    batch.target.meta = [{'img_shape': (40, 64)}, {'img_shape': SIZE}]
    batch.target.depth[0, 40:] = 255
    seen = []
    method.depth_guidance.open(NUM_CLASSES)
    match = method.depth_guidance.index.match
    method.depth_guidance.index.match = lambda target: seen.append(target) or match(target)
    step = method.prepare(batch)
    assert seen[0].sum(dim=(1, 2)).tolist() == [40 * 64, 64 * 64]
    assert not step.guidance_weight[0, 40:].any()
    assert step.guidance_weight[0, :40].all()


@pytest.mark.parametrize('student', ['hrda', 'cascade', 'toy'])
def test_every_student_is_guided(bank, student, tmp_path):
    models = {'hrda': hrda_config, 'cascade': cascade_config, 'toy': model_config}
    model = models[student]()
    num_classes = method_for(None, model).student.num_classes
    write_bank(tmp_path / 'bank', num_classes=num_classes, size=SIZE, seed=3)
    settings = {'bank': str(tmp_path / 'bank'), **ALWAYS}
    method = method_for(settings, model, masking=MASKING)
    judge = method.pseudo_labels.judge

    def without_class_0(predicted):
        judged = judge(predicted)
        return judged._replace(labels=judged.labels.clamp(min=1))

    method.pseudo_labels.judge = without_class_0
    batch = batch_with_depth()
    batch.source.labels[batch.source.labels >= num_classes] = 255
    step = method.prepare(batch)
    log = method.run_passes(step)
    assert all(value.isfinite() for value in log.values())
    assert all(
        parameter.grad.isfinite().all() for parameter in method.student.parameters() if parameter.grad is not None
    )
    assert ('crop_box_guided' in step.decisions) == (student == 'hrda')
    assert float(log['tgt.loss']) > 0


def test_with_the_contrast_of_prototypes(bank):
    contrast = {'level': 'output', 'threshold': 0.25, 'rule': {'type': 'image_mean', 'min_pixels': 2}}
    log = method_for({'bank': str(bank[0]), **ALWAYS}, contrast=contrast).compute_gradients(batch_with_depth())
    assert {'src.loss_contrast', 'mix.loss_contrast', 'tgt.loss'} <= set(log)


def test_the_same_step_again(bank):
    augmented = {'strong_augment': {'jitter_probability': 1.0}, 'masking': {**MASKING, 'mode': 'separatetrgaug'}}
    first, second = (method_for({'bank': str(bank[0]), **ALWAYS}, **augmented) for _ in range(2))
    for method in (first, second):
        method.compute_gradients(batch_with_depth())
    for ours, theirs in zip(gradients(first), gradients(second), strict=True):
        assert torch.equal(ours, theirs)


def test_what_is_missing_is_said(bank, tmp_path):
    method = method_for({'bank': str(bank[0]), **ALWAYS})
    with pytest.raises(ValueError, match='needs the depth of target images: add LoadDepth'):
        method.prepare(random_batch(size=SIZE))
    with pytest.raises(FileNotFoundError, match='no folder .*nowhere; make it with'):
        method_for({'bank': str(tmp_path / 'nowhere')}).init_weights()
    write_bank(tmp_path / 'small', num_classes=NUM_CLASSES, size=(32, 32))
    method = method_for({'bank': str(tmp_path / 'small'), **ALWAYS})
    with pytest.raises(ValueError, match=r'source crops of \(32, 32\) for training images of \(64, 64\)'):
        method.compute_gradients(batch_with_depth())


def test_settings_are_checked():
    with pytest.raises(ValueError, match=r'ignore_classes has \[9\], but the network has classes 0 to 4'):
        method_for({'bank': 'x', 'ignore_classes': [3, 9]})
    with pytest.raises(ValueError, match="depth_guidance: DepthGuidance has no setting 'bonk'"):
        method_for({'bonk': 'x'})
    cfg = {'model': model_config(), 'uda': {**SELF_TRAINING, 'depth_guidance': {'bank': 'x'}}}
    with pytest.raises(ValueError, match='uda.depth_guidance needs model.data_preprocessor with mean and std'):
        build_method(cfg)
