import pytest
import torch

from mmseg.engine.prototype_files import FILES, read_prototypes, write_prototypes
from mmseg.models.resize import resize_labels
from mmseg.models.uda import build_method
from mmseg.models.uda.components.contrast import prototype_contrast
from tests.models.uda import toy
from tests.tools.tiny_run import model_config

C = 5


def build(uda=None, **settings):
    torch.manual_seed(0)
    model = model_config(C)
    model.pop('pretrained')
    uda = {'type': 'ProCA', 'threshold': 0.3, 'confidence': 'probability', **settings} if uda is None else uda
    return build_method({'model': model, 'uda': uda, 'train_cfg': {'max_iters': 10}}).double()


def batch(seed=0):
    return toy.random_batch(size=(16, 24), seed=seed)


def test_prototypes_take_in_the_batch_before_the_contrast():
    method, data = build(temperature=0.5), batch()
    method.eval()
    log = method.compute_gradients(data)
    source, target = method.student(data.source.images), method.student(data.target.images)
    bank = method.contrasts['feat'].bank
    labels = resize_labels(data.source.labels, source.embedding.shape[2:])
    chosen = method.judge.confident(target)
    assert int(bank.counts.sum()) == int((labels != 255).sum() + (chosen != 255).sum())
    expected = prototype_contrast(source.embedding, labels, bank.vectors, 0.5)
    torch.testing.assert_close(log['src.loss_feat'], expected.detach())
    assert float(log['trg.kept']) == pytest.approx(float((chosen != 255).double().mean()))
    assert {'src.loss_out', 'trg.loss_out', 'trg.loss_feat', 'decode.loss_seg'} <= set(log)


def test_no_confident_position_costs_nothing():
    method = build(threshold=1.1)
    log = method.compute_gradients(batch())
    assert float(log['trg.loss_feat']) == float(log['trg.kept']) == 0
    assert all(p.grad.isfinite().all() for p in method.student.parameters() if p.grad is not None)


def test_control_without_contrast():
    method = build(feature_weight=0, output_weight=0)
    assert not method.contrasts and 'trg.kept' in method.compute_gradients(batch())


def test_vectors_in_the_state_dict_counts_in_the_training_state():
    method, other = build(), build()
    method.compute_gradients(batch())
    assert {'contrasts.feat.bank.vectors', 'contrasts.out.bank.vectors'} <= set(method.state_dict())
    other.load_state_dict(method.state_dict())
    other.load_training_state(method.training_state())
    a, b = (each.compute_gradients(batch(1)) for each in (method, other))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_prototypes_from_files(tmp_path):
    method = build(prototypes=str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r'prototype_feat_dist.pth.*tools.init_prototypes'):
        method.init_weights()
    for level, width in (('feature', 4), ('output', C)):
        write_prototypes(tmp_path / FILES[level], torch.full((C, width), 2.0), torch.arange(C) + 2**26 + 1)
    method.init_weights()
    bank = method.contrasts['feat'].bank
    assert (bank.vectors == 2).all() and bank.counts.tolist() == [2**26 + 1 + i for i in range(C)]
    write_prototypes(tmp_path / FILES['output'], torch.zeros(7, 7), torch.zeros(7))
    with pytest.raises(ValueError, match=r'prototype_out_dist.pth: prototypes of 7x7'):
        method.init_weights()
    torch.save({'weights': torch.zeros(1)}, tmp_path / 'other.pth')
    with pytest.raises(ValueError, match='no prototypes'):
        read_prototypes(tmp_path / 'other.pth')


def test_memory_bank_in_place_of_prototypes():
    method = build(memory_bank={'temperature': 0.3, 'width': 6, 'memory_size': 20})
    log = method.compute_gradients(batch())
    assert {'src.loss_contrast', 'trg.loss_contrast'} <= set(log) and not method.contrasts
    names = [name for name, parameter in method.named_parameters() if parameter.requires_grad]
    assert not any('projection' in name for name in names)


CONTRAST = {'temperature': 0.5, 'threshold': 0.1}


@pytest.mark.parametrize(
    ('uda', 'logged'),
    [
        ({'type': 'Supervised'}, {'src.loss_contrast'}),
        ({'type': 'DACS'}, {'src.loss_contrast', 'mix.loss_contrast'}),
        ({'type': 'AdvSeg'}, {'src.loss_contrast', 'trg.loss_contrast'}),
        ({'type': 'MinEnt'}, {'src.loss_contrast', 'trg.loss_contrast'}),
    ],
)
@pytest.mark.parametrize('prototypes', ['bank', 'classifier'])
def test_every_method_takes_a_contrast(uda, logged, prototypes):
    method = build({**uda, 'contrast': {**CONTRAST, 'prototypes': prototypes}})
    data = toy.random_batch(size=(64, 64))  # a discriminator halves it five times
    log = method.compute_gradients(data)
    assert {name for name in log if 'contrast' in name} == logged
    assert all(float(log[name]) > 0 for name in logged)
    if prototypes == 'bank':
        assert int(method.contrast.bank.counts.sum()) > 0
    else:
        assert method.contrast.bank is None


def test_unknown_setting_of_the_contrast():
    with pytest.raises(ValueError, match=r"PrototypeContrast has no setting 'temprature'; did you mean temperature"):
        build({'type': 'DACS', 'contrast': {'temprature': 1}})


def test_a_prototype_file_that_could_run_code_is_refused_with_what_to_do(tmp_path):
    torch.save({'Proto': torch.zeros(2, 3), 'Amount': torch.zeros(2), 'made': tmp_path}, tmp_path / 'made.pth')
    with pytest.raises(ValueError, match='can run code when read; prototypes are tensors: save these alone'):
        read_prototypes(tmp_path / 'made.pth')
