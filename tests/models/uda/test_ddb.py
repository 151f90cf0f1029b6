"""DDB's distillation against its equations written out, and the frozen teachers around it."""

import argparse

import pytest
import torch
import torch.nn.functional as F

from mmseg.engine.class_prototype_files import ClassPrototypes, write_class_prototypes
from mmseg.engine.optimizer_groups import build_optim_wrapper
from mmseg.models.uda import build_method
from mmseg.models.uda.components.frozen_teachers import weights_hash
from mmseg.registry import MODELS
from tests.models.uda.toy import random_batch
from tests.tools.tiny_run import model_config

CLASSES, CHANNELS, SIZE = 5, 4, (32, 48)


def config(teachers=('cu', 'ca'), **uda):
    model = model_config(CLASSES)
    del model['pretrained']
    model['decode_head']['dropout_ratio'] = 0
    given = [one if isinstance(one, dict) else {'name': one} for one in teachers]
    return {'model': model, 'uda': {'type': 'CrossPathDistillation', 'teachers': given, **uda}}


def build(seed=0, **settings):
    """The method in float64 with teachers and prototypes that were made up."""
    torch.manual_seed(seed)
    method = build_method(config(**settings)).double().train()
    generator = torch.Generator().manual_seed(seed)
    for name in method.teachers.names:
        teacher = method.teachers.by_name[name]
        state = teacher.network.state_dict()
        teacher.set_state({k: 0.5 * torch.randn(v.shape, generator=generator, dtype=v.dtype) for k, v in state.items()})
        if method.prototypes is not None:
            vectors = torch.rand(CLASSES, CHANNELS, generator=generator, dtype=torch.float64)
            method.prototypes.set(name, ClassPrototypes(vectors))
    return method


def votes(method, images):
    """Logits, probabilities and weights of each teacher at image size, the long way."""
    for name in method.teachers.names:
        out = method.teachers.network(name)(images)
        logits, feature = (F.interpolate(x, size=SIZE, mode='bilinear') for x in (out.logits['main'], out.embedding))
        weights = torch.ones_like(logits)
        if method.prototypes is not None:
            vectors = method.prototypes.get_buffer(f'{name}_vectors')
            distance = (feature[:, None] - vectors[None, :, :, None, None]).norm(dim=2)
            weights = (-distance).softmax(dim=1)
        yield logits, weights


@pytest.mark.parametrize('rectify', ['probability', 'logit', None])
@pytest.mark.parametrize('teachers', [('cu', 'ca'), ('a', 'b', 'c')])
def test_hard_targets(rectify, teachers):
    method, batch = build(rectify=rectify, teachers=teachers), random_batch()
    log = method.compute_gradients(batch)
    total = 0
    with torch.no_grad():
        for logits, weights in votes(method, batch.target.images):
            total = total + ((weights * logits).softmax(1) if rectify == 'logit' else weights * logits.softmax(1))
        labels = (total / len(teachers)).argmax(1)
        student = F.interpolate(method.student(batch.target.images).logits['main'], size=SIZE, mode='bilinear')
    assert len(labels.unique()) > 1
    torch.testing.assert_close(log['trg.decode.loss_seg'], F.cross_entropy(student, labels))


def test_rectification_changes_labels():
    batch = random_batch()
    labels = [build(rectify=rectify).prepare(batch).pseudo.labels for rectify in ('probability', None)]
    assert not torch.equal(*labels)


@pytest.mark.parametrize('rectify', ['logit', None])
def test_soft_targets(rectify):
    settings = {'mode': 'soft', 'rectify': rectify, 'temperature': 2.0, 'soft_weight': 0.3}
    method, batch = build(**settings), random_batch()
    log = method.compute_gradients(batch)
    with torch.no_grad():
        mean = sum(weights * logits for logits, weights in votes(method, batch.target.images)) / 2
        teacher = (mean / 2).softmax(1)
        student = F.interpolate(method.student(batch.target.images).logits['main'], size=SIZE, mode='bilinear')
        divergence = F.kl_div((student / 2).log_softmax(1), teacher, reduction='sum') / (2 * SIZE[0] * SIZE[1])
    torch.testing.assert_close(log['trg.loss_distill'], 0.3 * 4 * divergence)
    assert 'trg.decode.loss_seg' not in log


def test_pixel_weights():
    settings = {'rectify': None, 'pseudo_labels': {'weighting': 'batch', 'threshold': 0.3}}
    step = build(**settings).prepare(random_batch())
    share = step.pseudo.weight.unique()
    assert len(share) == 1 and 0 < share.item() < 1
    assert build().prepare(random_batch()).pseudo.weight.unique().tolist() == [1]


def test_teachers_see_clean_images_and_the_student_augmented_ones():
    augment = {'jitter_probability': 1.0, 'scope': 'image', 'blur_axes': 'x'}
    batch = random_batch()
    plain, augmented = build().prepare(batch), build(strong_augment=augment).prepare(batch)
    assert torch.equal(plain.pseudo.labels, augmented.pseudo.labels)
    assert torch.equal(augmented.target.images, batch.target.images)
    assert not torch.equal(augmented.target_images, batch.target.images)


def test_teachers_are_in_no_parameters_state_or_optimizer():
    method = build()
    method.compute_gradients(random_batch())
    frozen = [value for name in ('cu', 'ca') for value in method.teachers.network(name).parameters()]
    assert all(value.grad is None and not value.requires_grad for value in frozen)
    assert not {id(value) for value in frozen} & {id(value) for value in method.parameters()}
    assert all(key.startswith('model.') for key in method.state_dict())
    optimizer = build_optim_wrapper(method, {'optimizer': {'type': 'SGD', 'lr': 0.1}}).optimizer
    owned = sum(len(group['params']) for group in optimizer.param_groups)
    assert owned == len(list(method.student.parameters()))


def test_teachers_stay_in_eval_mode_and_move_with_the_method():
    method = build().train()
    assert not method.teachers.network('cu').training
    assert next(method.teachers.network('cu').parameters()).dtype == torch.float64
    assert next(method.float().teachers.network('cu').parameters()).dtype == torch.float32


def test_masked_pass_uses_the_teachers_labels():
    masking = {'mode': 'separatetrg', 'alpha': 'same', 'threshold': 'same', 'weight': 1, 'generator': {
        'type': 'block', 'mask_ratio': 0.5, 'mask_block_size': 8}}  # fmt: skip
    method = build(masking=masking)
    step = method.prepare(random_batch())
    assert torch.equal(step.masked.labels, step.pseudo.labels)
    assert 'masked.decode.loss_seg' in method.run_passes(step)


def test_a_teacher_with_another_normalisation():
    other = model_config(CLASSES)
    other['data_preprocessor'] |= {'mean': [1.0, 2.0, 3.0], 'std': [4.0, 5.0, 6.0], 'bgr_to_rgb': False}
    method = build(teachers=({'name': 'cu', 'model': other},), rectify=None)
    images = torch.randn(1, 3, *SIZE, dtype=torch.float64)
    seen = []
    method.teachers.network('cu').backbone.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    method.teachers('cu', images, method.data_preprocessor)
    ours = method.data_preprocessor
    levels = (images * ours.std + ours.mean).flip(1)  # to BGR
    expected = (levels - torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1)) / torch.tensor([4.0, 5.0, 6.0]).view(3, 1, 1)
    torch.testing.assert_close(seen[0], expected)


def write_teacher(folder, name, seed):
    torch.manual_seed(seed)
    model = config()['model']
    del model['data_preprocessor']
    network = MODELS.build(model)
    state = network.state_dict()
    torch.save({'state_dict': {f'model.{key}': value for key, value in state.items()}}, folder / f'{name}.pth')
    vectors = torch.rand(CLASSES, CHANNELS)
    found = ClassPrototypes(vectors, torch.ones(CLASSES, dtype=torch.int64), weights_hash(state.values()))
    write_class_prototypes(folder / f'{name}_proto.pth', found, 4, f'{name}.pth')
    torch.save(vectors, folder / f'{name}_bare.pth')
    return {'name': name, 'checkpoint': str(folder / f'{name}.pth'), 'prototypes': str(folder / f'{name}_proto.pth')}


@pytest.fixture
def teachers(tmp_path):
    return [write_teacher(tmp_path, name, seed) for seed, name in enumerate(('cu', 'ca'))]


def initialised(teachers, **settings):
    method = build_method(config(teachers=teachers, **settings))
    method.init_weights()
    return method


def test_files_of_both_kinds_are_read(teachers, tmp_path):
    ours = initialised(teachers)
    bare = initialised([{**one, 'prototypes': one['prototypes'].replace('_proto', '_bare')} for one in teachers])
    batch = random_batch(dtype=torch.float32)
    assert torch.equal(ours.prepare(batch).pseudo.labels, bare.prepare(batch).pseudo.labels)


def test_a_resumed_run_needs_the_same_teachers(teachers, tmp_path):
    state = initialised(teachers).training_state()
    initialised(teachers).load_training_state(state)
    moved = tmp_path / 'moved.pth'
    moved.write_bytes((tmp_path / 'cu.pth').read_bytes())
    initialised([{**teachers[0], 'checkpoint': str(moved)}, teachers[1]]).load_training_state(state)
    other = write_teacher(tmp_path, 'cu', 7)
    with pytest.raises(ValueError, match='cu .* has other weights than the teacher that the run was started with'):
        initialised([other, teachers[1]]).load_training_state(state)


def test_a_teacher_that_needs_pickle_is_read_when_it_is_trusted(teachers, tmp_path):
    content = torch.load(tmp_path / 'cu.pth', weights_only=True)
    torch.save({**content, 'options': argparse.Namespace(lr=1)}, tmp_path / 'cu.pth')
    with pytest.raises(ValueError, match='cu: .* can run code when read; .* add trust=True to the settings of cu'):
        initialised(teachers)
    assert initialised([{**teachers[0], 'trust': True}, teachers[1]])


def test_what_is_wrong_is_said_in_one_line(teachers, tmp_path):
    cases = [
        ([{**teachers[0], 'checkpoint': ''}], ValueError, 'cu has no checkpoint; train it first'),
        (
            [{**teachers[0], 'checkpoint': str(tmp_path / 'x.pth')}],
            FileNotFoundError,
            'x.pth: no such checkpoint',
        ),
        ([{**teachers[0], 'prototypes': ''}], ValueError, 'cu has no prototypes; make them: python tools/cal_proto'),
        ([{**teachers[0], 'prototypes': 'x.pth'}], FileNotFoundError, 'x.pth: no such prototypes; make them: python'),
        ([{**teachers[0], 'prototypes': teachers[1]['prototypes']}], ValueError, 'prototypes of another network than'),
        ([{**teachers[0], 'prototypes': teachers[0]['checkpoint']}], ValueError, 'no prototypes .classes x channels.'),
        ([], ValueError, 'at least one teacher'),
        ([teachers[0], teachers[0]], ValueError, 'each of another name'),
        ([{**teachers[0], 'chekpoint': 'x'}], ValueError, "has no setting 'chekpoint'.*did you mean checkpoint\\?"),
    ]
    for given, kind, message in cases:
        with pytest.raises(kind, match=message):
            initialised(given)
    torch.save(torch.ones(3, CHANNELS), tmp_path / 'three.pth')
    with pytest.raises(ValueError, match='three.pth: prototypes of 3x4 .classes x channels., the network has 5x4'):
        initialised([{**teachers[0], 'prototypes': str(tmp_path / 'three.pth')}])
    for settings, message in (
        ({'mode': 'mean'}, "uda.mode 'mean' does not exist"),
        ({'rectify': 'both'}, "uda.rectify 'both' does not exist"),
        ({'mode': 'soft'}, 'is for hard targets'),
        ({'temperature': 0}, 'uda.temperature is above 0'),
        ({'tau': 0}, 'uda.tau is above 0'),
    ):
        with pytest.raises(ValueError, match=message):
            build_method(config(**settings))
    with pytest.raises(ValueError, match='cu has no weights yet'):
        build_method(config()).prepare(random_batch(dtype=torch.float32))


def test_a_class_without_prototype_may_be_left_out(teachers, tmp_path):
    vectors = torch.rand(CLASSES, CHANNELS)
    vectors[3] = 0
    torch.save(vectors, tmp_path / 'absent.pth')
    one = [{**teachers[0], 'prototypes': str(tmp_path / 'absent.pth')}]
    batch = random_batch(dtype=torch.float32)
    for exclude in (False, True):
        method = initialised(one, exclude_absent=exclude)
        feature = method.teachers('cu', batch.target.images).embedding
        weights = method.prototypes.weights('cu', feature, SIZE)
        torch.testing.assert_close(weights.sum(1), torch.ones(2, *SIZE))
        assert bool((weights[:, 3] == 0).all()) == exclude
