"""Two processes of batch 2 give the gradients and log values of one process of batch 4."""

from dataclasses import replace

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.optim import OptimWrapper

from mmseg.models.uda import build_method
from mmseg.structures import DomainBatch, TrainBatch
from tests.models.uda.toy import config, random_batch

UDA = {
    'type': 'DACS',
    'teacher': {'alpha': 0.9, 'eval_mode': True},
    'pseudo_labels': {'threshold': 0.3},
    'strong_augment': {'jitter_probability': 1.0},
    'feature_distance': {'weight': 0.1, 'classes': [1]},
}


def build():
    torch.manual_seed(0)
    method = build_method(config(UDA, pretrained_loaded=True)).double()
    method.student.eval()
    with torch.no_grad():
        for parameter in method.imnet_model.parameters():
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


def step(method, batch, decisions):
    prepared = method.prepare(batch, decisions)
    method.compute_gradients = None  # train_step must not need it
    method.prepare = lambda _: prepared
    return method.train_step({'batch': batch}, OptimWrapper(torch.optim.SGD(method.student.parameters(), lr=0.0)))


def one_of_two(rank, port, decisions, results):
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    part = slice(2 * rank, 2 * rank + 2)
    augmentation = decisions['strong_augment']
    own = {
        'mix_classes': decisions['mix_classes'][part],
        'strong_augment': replace(
            augmentation,
            factors=augmentation.factors[part],
            order=augmentation.order[part],
            sigma=None if augmentation.sigma is None else augmentation.sigma[part],
        ),
    }
    method = build()
    log = step(method, rows(uneven_batch(), part), own)
    drawn = build().prepare(rows(uneven_batch(), part)).decisions['mix_classes']
    results[rank] = (
        [parameter.grad.numpy() for parameter in method.student.parameters()],
        {key: float(value) for key, value in log.items()},
        [row.nonzero().flatten().tolist() for row in drawn],
    )
    dist.destroy_process_group()


@pytest.fixture(scope='module')
def runs():
    method = build()
    prepared = method.prepare(uneven_batch())
    log = step(build(), uneven_batch(), prepared.decisions)
    alone = build()
    step(alone, uneven_batch(), prepared.decisions)
    context = mp.get_context('spawn')
    with context.Manager() as manager:
        results = manager.dict()
        mp.spawn(one_of_two, args=(free_port(), prepared.decisions, results), nprocs=2)
        return alone, log, dict(results)


def free_port():
    import socket

    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def test_gradients(runs):
    alone, _, results = runs
    for rank in range(2):
        for ours, expected in zip(results[rank][0], alone.student.parameters(), strict=True):
            torch.testing.assert_close(torch.from_numpy(ours), expected.grad, rtol=1e-9, atol=1e-12)


def test_log_values(runs):
    _, log, results = runs
    expected = {key: float(value) for key, value in log.items()}
    assert results[0][1] == pytest.approx(expected) and results[1][1] == pytest.approx(expected)
    assert expected['src.loss_imnet_feat_dist'] > 0


def test_processes_draw_from_all_classes_each_for_itself(runs):
    _, _, results = runs
    present = set(uneven_batch().source.labels.unique().tolist())
    chosen = [set(image) for rank in range(2) for image in results[rank][2]]
    assert all(len(classes) == (len(present) + len(present) % 2) // 2 and classes <= present for classes in chosen)
    assert results[0][2] != results[1][2]
