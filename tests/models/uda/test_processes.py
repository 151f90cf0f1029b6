"""Two processes of batch 2 give the gradients and log values of one process of batch 4."""

from dataclasses import replace

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.optim import OptimWrapper, OptimWrapperDict

from mmseg.models.uda import build_method
from mmseg.structures import DomainBatch, TrainBatch
from tests.models.uda.toy import config, random_batch

SHARED = {
    'teacher': {'alpha': 0.9, 'eval_mode': True},
    'pseudo_labels': {'threshold': 0.3},
    'strong_augment': {'jitter_probability': 1.0},
}
MASKS = {'generator': {'type': 'block', 'mask_ratio': 0.5, 'mask_block_size': 8}}
METHODS = {
    'DACS': {
        'type': 'DACS',
        **SHARED,
        'feature_distance': {'weight': 0.1, 'classes': [1]},
        'masking': {'mode': 'separateaug', **MASKS},
    },
    'AdvSeg': {
        'type': 'AdvSeg',
        **SHARED,
        'adversarial_weight': {'main': 0.5},
        'masking': {'mode': 'separatetrg', 'alpha': 0.5, 'threshold': 0.25, **MASKS},
    },
    'MinEnt': {
        'type': 'MinEnt',
        **SHARED,
        'entropy_weight': {'main': 0.5},
        'contrast': {'level': 'output', 'threshold': 0.25, 'rule': {'type': 'image_mean', 'min_pixels': 2}},
    },
    'ProCA': {'type': 'ProCA', 'feature_weight': 0, 'temperature': 0.5, 'confidence': 'probability', 'threshold': 0.25},
}


def build(name):
    torch.manual_seed(0)
    method = build_method(config(METHODS[name], pretrained_loaded=True)).double()
    method.student.eval()
    with torch.no_grad():
        for parameter in method.imnet_model.parameters() if name == 'DACS' else []:
            parameter.add_(0.1)
    return method


def rows(batch, part):
    def cut(domain):
        parts = {name: getattr(domain, name) for name in ('images', 'labels', 'valid')}
        return DomainBatch(**{name: None if value is None else value[part] for name, value in parts.items()})

    return TrainBatch(cut(batch.source), cut(batch.target))


def uneven_batch():
    """One process sees class 1 rarely, the other often; two classes and surer pseudo-labels in one only."""
    batch = random_batch(batch=4, seed=5)
    batch.source.labels[:2][batch.source.labels[:2] == 1] = 0
    batch.source.labels[0, :8, 8:16] = 1
    for lost in (3, 4):
        batch.source.labels[2:][batch.source.labels[2:] == lost] = 1
    batch.target.images[:2] *= 4
    return batch


def rows_of_decision(decision, part):
    if isinstance(decision, torch.Tensor):
        return decision[part]
    parts = {name: getattr(decision, name) for name in ('factors', 'order', 'sigma')}
    return replace(decision, **{name: None if value is None else value[part] for name, value in parts.items()})


def step(method, batch, decisions):
    prepared = method.prepare(batch, decisions)
    method.compute_gradients = None  # train_step must not need it
    method.prepare = lambda _: prepared
    still = {
        name: OptimWrapper(torch.optim.SGD([p for m in modules.values() for p in m.parameters()], lr=0.0))
        for name, modules in method.optimizer_modules().items()
    }
    return method.train_step({'batch': batch}, OptimWrapperDict(**still) if len(still) > 1 else still['main'])


def gradients(method):
    return [p.grad.numpy() for module in method.trainable_modules() for p in module.parameters()]


def one_of_two(rank, port, decisions, results):
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    part = slice(2 * rank, 2 * rank + 2)
    for name in METHODS:
        own = {key: rows_of_decision(value, part) for key, value in decisions[name].items()}
        method = build(name)
        log = step(method, rows(uneven_batch(), part), own)
        results[name, rank] = gradients(method), {key: float(value) for key, value in log.items()}
    drawn = build('DACS').prepare(rows(uneven_batch(), part)).decisions
    chosen = [row.nonzero().flatten().tolist() for row in drawn['mix_classes']]
    results['drawn', rank] = chosen, drawn['mask_grid'].tolist()
    dist.destroy_process_group()


@pytest.fixture(scope='module')
def runs():
    alone, decisions = {}, {}
    for name in METHODS:
        decisions[name] = build(name).prepare(uneven_batch()).decisions
        method = build(name)
        log = step(method, uneven_batch(), decisions[name])
        alone[name] = gradients(method), {key: float(value) for key, value in log.items()}
    context = mp.get_context('spawn')
    with context.Manager() as manager:
        results = manager.dict()
        mp.spawn(one_of_two, args=(free_port(), decisions, results), nprocs=2)
        return alone, dict(results)


def free_port():
    import socket

    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


@pytest.mark.parametrize('name', METHODS)
def test_gradients(runs, name):
    alone, results = runs
    for rank in range(2):
        for ours, expected in zip(results[name, rank][0], alone[name][0], strict=True):
            torch.testing.assert_close(torch.from_numpy(ours), torch.from_numpy(expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize('name', METHODS)
def test_log_values(runs, name):
    alone, results = runs
    expected = alone[name][1]
    assert results[name, 0][1] == pytest.approx(expected) and results[name, 1][1] == pytest.approx(expected)


def test_the_compared_losses_are_not_idle(runs):
    alone, _ = runs
    for name, loss in (
        ('DACS', 'src.loss_imnet_feat_dist'),
        ('DACS', 'masked.decode.loss_seg'),
        ('AdvSeg', 'D_trg.loss.main'),
        ('AdvSeg', 'masked.decode.loss_seg'),
        ('MinEnt', 'ent.loss.main'),
        ('MinEnt', 'trg.loss_contrast'),
        ('ProCA', 'src.loss_out'),
        ('ProCA', 'trg.loss_out'),
    ):
        assert alone[name][1][loss] > 0


def test_processes_draw_each_for_itself_classes_from_all(runs):
    _, results = runs
    present = set(uneven_batch().source.labels.unique().tolist())
    chosen = [set(image) for rank in range(2) for image in results['drawn', rank][0]]
    assert all(len(classes) == (len(present) + len(present) % 2) // 2 and classes <= present for classes in chosen)
    assert results['drawn', 0][0] != results['drawn', 1][0]
    assert results['drawn', 0][1] != results['drawn', 1][1]
