"""ProDA and the distillations: two processes of batch 2 are one of batch 4, with masks and prototypes of both."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from mmseg.structures import DomainBatch, TrainBatch
from tests.models.uda import test_ddb, test_proda, test_prototype_distillation
from tests.models.uda.test_processes import free_port, gradients, step
from tests.models.uda.toy import random_batch

CLASSES = 5
METHODS = {
    'ProDA': (lambda: test_proda.build(prototype_momentum=0.5), 'strong.loss_consistency'),
    'kl': (lambda: test_prototype_distillation.build(distil_padding=False), 'trg.loss_distil'),
    'published': (
        lambda: test_prototype_distillation.build(distil_padding=False, distillation='published'),
        'trg.loss_distil',
    ),
    'soft targets': (lambda: test_ddb.build(mode='soft', rectify='logit'), 'trg.loss_distill'),
}


def build(name):
    method = METHODS[name][0]()
    method.student.eval()
    method.data_preprocessor.forward = lambda data, training=False: data['batch']
    return method


def whole_batch():
    """Four images; most of the first two lies outside of ``valid``."""
    batch, generator = random_batch(batch=4, seed=5), torch.Generator().manual_seed(6)
    target = batch.target
    target.labels = batch.source.labels.roll(1, 0)
    target.valid = torch.rand(4, 32, 48, generator=generator) > torch.tensor([0.9, 0.8, 0.1, 0.0])[:, None, None]
    target.soft_labels = torch.rand(4, CLASSES, 8, 12, generator=generator, dtype=torch.float64).softmax(dim=1)
    target.meta = [{'crop_from': (64, 96), 'crop_box': (0, 32, 0, 48), 'flip': bool(n % 2)} for n in range(4)]
    return batch


def rows(batch, part):
    def cut(domain):
        return DomainBatch(**{name: None if value is None else value[part] for name, value in vars(domain).items()})

    return TrainBatch(cut(batch.source), cut(batch.target))


def run(name, batch, decisions):
    """Gradients, log values and prototypes after one step."""
    method = build(name)
    log = step(method, batch, decisions)
    prototypes = [method.prototypes.vectors.numpy()] if name == 'ProDA' else []
    return gradients(method) + prototypes, {key: float(value) for key, value in log.items()}


def one_of_two(rank, port, decisions, results):
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    part = slice(2 * rank, 2 * rank + 2)
    for name in METHODS:
        results[name, rank] = run(name, rows(whole_batch(), part), {k: v[part] for k, v in decisions[name].items()})
    dist.destroy_process_group()


@pytest.fixture(scope='module')
def runs():
    decisions = {name: build(name).prepare(whole_batch()).decisions for name in METHODS}
    alone = {name: run(name, whole_batch(), decisions[name]) for name in METHODS}
    context = mp.get_context('spawn')
    with context.Manager() as manager:
        results = manager.dict()
        mp.spawn(one_of_two, args=(free_port(), decisions, results), nprocs=2)
        return alone, dict(results)


@pytest.mark.parametrize('name', METHODS)
def test_gradients_and_prototypes(runs, name):
    alone, results = runs
    for rank in range(2):
        for ours, expected in zip(results[name, rank][0], alone[name][0], strict=True):
            torch.testing.assert_close(torch.from_numpy(ours), torch.from_numpy(expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize('name', METHODS)
def test_log_values(runs, name):
    alone, results = runs
    loss, expected = METHODS[name][1], alone[name][1]
    assert abs(expected[loss]) > 1e-4
    for rank in range(2):
        assert results[name, rank][1] == pytest.approx(expected)
