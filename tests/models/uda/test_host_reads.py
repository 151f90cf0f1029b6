"""A training step lets the device run ahead: the host reads nothing back but at the log interval."""

import pytest
import torch

from benchmarks._step_modes import build, without_weights
from benchmarks._synthetic import loader_batch
from mmseg.engine.config import load_config
from tests.host_reads import HostReads, tensors_in
from tests.models.uda import test_ddb, test_guided_training, test_pbal, test_proda, test_prototype_distillation
from tests.models.uda.components.bank_files import write_bank
from tests.models.uda.toy import NUM_CLASSES, random_batch

CONFIGS = ('dacs', 'daformer', 'hrda', 'mic', 'mic_hrda', 'advseg', 'minent', 'pmdav2', 'proca', 'pbal_stage1_bpl',
           'ddb_st_ca', 'ddb_st_cu', 'proda_warmup', 'source_only')  # fmt: skip


def reads_of(method, batches, optim_wrapper):
    """What a third and a fourth step read; the first ones log and fill what is empty."""
    method.log_interval = 1000
    for data in batches[:2]:
        method.train_step(data, optim_wrapper)
    found = []
    for data in batches[2:]:
        with HostReads([*method.parameters(), *method.buffers(), *tensors_in(data)]) as reads:
            method.train_step(data, optim_wrapper)
        found += reads.found
    return found


@pytest.mark.parametrize('name', CONFIGS)
def test_a_step_reads_nothing_back(name):
    cfg = without_weights(load_config(f'configs/demo/{name}.py').to_dict())
    method, optim_wrapper = build(cfg, 'fp32', torch.device('cpu'))
    side = 128 if 'hrda' in name else 64
    adapts = cfg['train_dataloader']['dataset']['type'] == 'UDADataset'
    classes = method.student.num_classes
    batches = [loader_batch((side, side), 2, classes, adapts, False, seed=number) for number in range(4)]
    assert reads_of(method, batches, optim_wrapper) == []


def test_the_baseline_waits():
    cfg = without_weights(load_config('configs/demo/daformer.py').to_dict())
    method, optim_wrapper = build(cfg, 'plain', torch.device('cpu'))
    classes = method.student.num_classes
    found = reads_of(method, [loader_batch((64, 64), 2, classes, True, False)] * 3, optim_wrapper)
    assert {text.partition(' in ')[0] for text in found} >= {'_local_scalar_dense', 'cpu', '_unique2'}


LATER_STAGES = {
    'pbal_stage2': lambda: (test_pbal.build('PBALSelfTraining'), test_pbal.batch(pseudo_labels=True)),
    'ddb_ckd': lambda: (test_ddb.build(), random_batch()),
    'proda_stage1': lambda: (test_proda.build(), test_proda.soft_batch()),
    'distillation': lambda: (test_prototype_distillation.build(), test_prototype_distillation.batch()),
}


def reads_of_gradients(method, batch):
    """What the second of two steps reads, up to the update."""
    method.compute_gradients(batch)
    tensors = [value for domain in (batch.source, batch.target) for value in vars(domain).values()]
    with HostReads([*method.parameters(), *method.buffers(), *tensors_in(tensors)]) as reads:
        method.compute_gradients(batch)
    return reads.found


@pytest.mark.parametrize('name', LATER_STAGES)
def test_later_stages_read_nothing_back(name):
    assert reads_of_gradients(*LATER_STAGES[name]()) == []


def test_depth_guidance_reads_once(tmp_path, monkeypatch):
    # On a CPU fewer classes are compared, which needs their sizes.
    every = lambda sizes: [(index, slice(None)) for index in range(sizes.shape[1])]  # noqa: E731
    monkeypatch.setattr('mmseg.models.uda.components.depth_similarity._compared', every)
    write_bank(tmp_path, num_classes=NUM_CLASSES, size=test_guided_training.SIZE)
    method = test_guided_training.method_for({'bank': str(tmp_path), **test_guided_training.ALWAYS})
    found = reads_of_gradients(method, test_guided_training.batch_with_depth())
    assert len(found) == 1, found


def test_reads_are_found():
    on_device, drawn = torch.arange(4.0), torch.arange(4)
    with HostReads([on_device]) as reads:
        bool(drawn[0] > 1), drawn.nonzero(), drawn.tolist()
        on_device[drawn.to(on_device.device, non_blocking=True)], on_device.masked_fill(on_device > 1, 0)
    assert reads.found == []
    with HostReads([on_device]) as reads:
        float((on_device * drawn).sum())
        on_device[on_device > 1]
        on_device.clone().tolist()
        drawn.to(on_device.device)
        torch.tensor([1.0], device=on_device.device)
    names = [found.partition(' in ')[0] for found in reads.found]
    assert names[:3] == ['_local_scalar_dense', 'index', 'tolist'] and names[3].startswith('copy') and len(names) == 5
