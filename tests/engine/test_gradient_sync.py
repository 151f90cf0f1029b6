"""Two gloo processes of batch 2 against one process of batch 4."""

import os
import socket

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

from mmseg.engine import gradient_sync
from mmseg.models.uda.components.memory_bank import MemoryBankContrast
from mmseg.models.uda.components.prototypes import PrototypeBank


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def in_processes(function, *args, count=2):
    """Runs ``function(rank, *args)`` in processes of one gloo group; returns what each returns."""
    with mp.Manager() as manager:
        results = manager.dict()
        mp.start_processes(_worker, (function, free_port(), count, results, args), nprocs=count, start_method='spawn')
        return [results[number] for number in range(count)]


def _worker(number, function, port, count, results, args):
    torch.set_num_threads(1)
    os.environ |= {'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(port)}
    dist.init_process_group('gloo', rank=number, world_size=count)
    results[number] = function(number, *args)
    dist.destroy_process_group()


def network():
    torch.manual_seed(0)
    net = nn.ModuleDict(
        {'a': nn.Linear(3, 4), 'b': nn.Linear(4, 1), 'sometimes': nn.Linear(3, 1), 'never': nn.Linear(1, 1)}
    )
    net['b'].double()
    net['frozen'] = nn.Linear(1, 1).requires_grad_(False)
    return net


DATA = torch.arange(12.0).view(4, 3) / 10


def gradients(net, batch, extra):
    loss = net['b'](net['a'](batch).relu().double()).pow(2).mean()
    if extra:
        loss = loss + net['sometimes'](DATA[:2]).mean()
    loss.backward()
    return loss


def averaged(rank):
    net = network()
    gradients(net, DATA[2 * rank : 2 * rank + 2], extra=rank == 1)
    gradient_sync.average_gradients([net, net['a']])
    return {name: None if p.grad is None else p.grad.numpy() for name, p in net.named_parameters()}


def test_two_processes_equal_one_of_the_double_batch():
    net = network()
    (net['b'](net['a'](DATA).relu().double()).pow(2).mean() + net['sometimes'](DATA[:2]).mean() / 2).backward()
    for found in in_processes(averaged):
        for name, parameter in net.named_parameters():
            if parameter.grad is None:
                assert found[name] is None, name
            else:
                assert found[name].dtype == parameter.grad.numpy().dtype
                assert found[name] == pytest.approx(parameter.grad.numpy(), rel=1e-6, abs=1e-8), name


def quantities(rank):
    value = torch.tensor([1.0, -2.0]) * (rank + 1)
    module = nn.BatchNorm1d(2)
    module.running_mean += rank + 1
    module.num_batches_tracked += 10 * rank
    gradient_sync.broadcast_buffers(module)
    other = nn.Linear(1, 1)
    gradient_sync.broadcast_parameters(other)
    return {
        'sum': gradient_sync.reduce_sum(value).tolist(),
        'mean': gradient_sync.reduce_mean(value).tolist(),
        'max': gradient_sync.reduce_max(value).tolist(),
        'untouched': value.tolist(),
        'mean_of_values': gradient_sync.mean_of_values({'a': float(rank), **({'b': 3.0} if rank else {})}),
        'buffers': (module.running_mean.tolist(), int(module.num_batches_tracked)),
        'weights': other.weight.item(),
        'world': (gradient_sync.world_size(), gradient_sync.rank()),
    }


def test_sums_means_maxima_and_buffers():
    first, second = in_processes(quantities)
    for result in (first, second):
        assert result['sum'] == [3.0, -6.0]
        assert result['mean'] == [1.5, -3.0]
        assert result['max'] == [2.0, -2.0]
        assert result['mean_of_values'] == {'a': 0.5, 'b': 3.0}
        assert result['buffers'] == ([1.0, 1.0], 0)
    assert second['untouched'] == [2.0, -4.0]
    assert first['weights'] == second['weights']
    assert second['world'] == (2, 1)


def own_and_common(rank):
    banks = nn.ModuleDict({'own': PrototypeBank(1, 1, sync=False), 'common': PrototypeBank(1, 1)})
    contrast = MemoryBankContrast(temperature=1.0, width=2, memory_size=1, pixel_update_freq=1).attach(1, 3)
    banks['contrast'] = contrast
    gradient_sync.broadcast_parameters(banks)
    started = contrast.pixel_queue.flatten().tolist()
    for bank in (banks['own'], banks['common']):
        bank.vectors += rank + 1
    contrast.pixel_queue.fill_(rank + 1)
    contrast.projection.proj[1].running_mean.fill_(rank + 1)
    gradient_sync.broadcast_buffers(banks)
    held = (banks['own'].vectors, banks['common'].vectors, contrast.pixel_queue[:, :, 0])
    return started, [tensor.item() for tensor in held], contrast.projection.proj[1].running_mean.tolist()


def test_processes_start_equal_and_keep_what_is_their_own():
    (first, of_first, mean), (second, of_second, other_mean) = in_processes(own_and_common)
    assert first == second
    assert (of_first, of_second) == ([1.0, 1.0, 1.0], [2.0, 1.0, 2.0])
    assert mean == other_mean == [1.0] * 3


def test_alone_everything_is_the_identity():
    value = torch.tensor([1.0])
    assert gradient_sync.reduce_sum(value) is value
    assert gradient_sync.reduce_mean(value) is value
    assert gradient_sync.reduce_max(value) is value
    net = network()
    gradients(net, DATA, extra=False)
    before = net['a'].weight.grad.clone()
    gradient_sync.average_gradients(net)
    assert torch.equal(net['a'].weight.grad, before)
    assert net['never'].weight.grad is None
