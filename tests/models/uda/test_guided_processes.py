"""Two processes decide together whether the guidance pass runs, and learn what one process learns."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from mmseg.engine.gradient_sync import average_gradients
from mmseg.models.uda import build_method
from mmseg.structures import DomainBatch, TrainBatch
from tests.models.uda.components.bank_files import write_bank
from tests.models.uda.test_processes import free_port
from tests.models.uda.toy import NUM_CLASSES, model_config, random_batch

FLAGS = ('any', 'last')
SIZE = (32, 32)


def build(bank, flag):
    torch.manual_seed(0)
    guidance = {'bank': str(bank), 'guidance_flag': flag, 'reweight_threshold': 0.05, 'relabel_threshold': 0.05}
    uda = {
        'type': 'DACS',
        'teacher': {'alpha': 0.9, 'eval_mode': True},
        'pseudo_labels': {'threshold': 0.3},
        'depth_guidance': guidance,
    }
    model = {**model_config(), 'data_preprocessor': {'type': 'SegDataPreProcessor'}}
    method = build_method({'model': model, 'uda': uda}).double()
    method.student.eval()
    return method


def rows(part):
    """Of the first two images depth is like the bank's, of the others it is where the bank has nothing."""
    batch = random_batch(batch=4, size=SIZE, seed=5)
    ramp = torch.linspace(0, 200, SIZE[0])[:, None].expand(4, *SIZE).clone()
    ramp[2:] = 255
    source, target = batch.source, batch.target
    return TrainBatch(
        DomainBatch(source.images[part], source.labels[part]),
        DomainBatch(target.images[part], depth=ramp.to(torch.uint8)[part]),
    )


def one_step(bank, flag, part, decisions=None):
    method = build(bank, flag)
    step = method.prepare(rows(part), decisions)
    log = method.run_passes(step)
    average_gradients(method.trainable_modules())
    gradients = [parameter.grad.numpy() for parameter in method.student.parameters()]
    own = bool(step.guidance.soft.images)
    return gradients, float(log['tgt.loss']), step.guidance.runs, own, step.decisions


def one_of_two(rank, port, bank, decisions, results):
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    part = slice(2 * rank, 2 * rank + 2)
    for flag in FLAGS:
        results[flag, rank] = one_step(bank, flag, part, {'mix_classes': decisions[flag][part]})[:4]
    dist.destroy_process_group()


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
    bank = tmp_path_factory.mktemp('bank')
    write_bank(bank, num_classes=NUM_CLASSES, size=SIZE)
    alone = {flag: one_step(bank, flag, slice(0, 4)) for flag in FLAGS}
    decisions = {flag: alone[flag][4]['mix_classes'] for flag in FLAGS}
    context = mp.get_context('spawn')
    with context.Manager() as manager:
        results = manager.dict()
        mp.spawn(one_of_two, args=(free_port(), bank, decisions, results), nprocs=2)
        return alone, dict(results)


@pytest.mark.parametrize('flag', FLAGS)
def test_the_pass_runs_on_all_processes_or_on_none(runs, flag):
    alone, results = runs
    assert results[flag, 0][2] == results[flag, 1][2] == alone[flag][2]
    assert results[flag, 0][3], 'the first process has images to guide'
    assert not results[flag, 1][3], 'the second process has none'


def test_any_soft_label_is_enough(runs):
    assert runs[0]['any'][2]


@pytest.mark.parametrize('flag', FLAGS)
def test_gradients_and_losses_are_those_of_one_process(runs, flag):
    alone, results = runs
    for rank in range(2):
        for ours, expected in zip(results[flag, rank][0], alone[flag][0], strict=True):
            torch.testing.assert_close(torch.from_numpy(ours), torch.from_numpy(expected), rtol=1e-9, atol=1e-12)
    mean = (results[flag, 0][1] + results[flag, 1][1]) / 2
    assert mean == pytest.approx(alone[flag][1], rel=1e-9)
