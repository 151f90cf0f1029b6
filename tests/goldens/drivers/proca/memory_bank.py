"""Updates of the queues with given picks, and the loss with given anchors."""

import numpy as np
import torch

from mmseg.models.resize import resize_labels
from mmseg.models.uda.components.memory_bank import MemoryBankContrast
from tests.goldens.drivers.proca import networks


def run(case):
    meta, options = case.meta, case.meta['options']
    memory = memory_of(case, channels=4)
    for i in range(meta['inputs']['updates']['n']):
        features, labels = case.tensor(f'feat{i}'), case.tensor(f'labels{i}')
        # Positions in a row.
        memory.update(features.t()[None, :, None], labels[None, None], picks_of(case, i, options))
    check_queues(case, memory)
    for name in ('src', 'tgt'):
        embedding = case.tensor(f'{name}_emb').requires_grad_()
        labels = resize_labels(case.tensor(f'{name}_label'), embedding.shape[2:])
        anchors = case.tensor(f'{name}_anchors')
        check_anchors(case, name, memory, labels, anchors)
        loss = memory(embedding, labels, anchors)
        loss.backward()
        np.testing.assert_allclose(float(loss.detach()), case.arrays[f'{name}_loss'][0], rtol=meta['rtol'])
        stored = case.arrays[f'{name}_grad']
        networks.close(f'{name} gradient', embedding.grad, stored, meta['rtol'], meta['atol_rel_to_absmax'])


def memory_of(case, channels):
    """The case's memory bank in float64."""
    options = case.meta['options']
    memory = MemoryBankContrast(
        options['temperature'],
        options['proj_dim'],
        options['memory_size'],
        options['pixel_update_freq'],
        options['min_samples'],
        options['max_samples'],
    )
    memory.attach(options['num_classes'], channels).double()
    for name in ('proto', 'pixel'):
        getattr(memory, f'{name}_queue').copy_(case.tensor(f'{name}_queue0'))
    return memory


def picks_of(case, update, options):
    """Picked positions of an update, (C, K), from the case's rows [update, class, positions ...]."""
    table = torch.full((options['num_classes'], options['pixel_update_freq']), -1)
    for row in case.inputs['picks']:
        if row[0] == update:
            table[row[1]] = torch.as_tensor(row[2:])
    return table


def check_queues(case, memory):
    for name in ('proto', 'pixel'):
        stored = case.arrays[f'{name}_queue_after']
        networks.close(name, getattr(memory, f'{name}_queue'), stored, case.meta.get('rtol', 1e-3), 1e-5)
        np.testing.assert_array_equal(getattr(memory, f'{name}_pointer'), case.arrays[f'{name}_ptr'])


def check_anchors(case, name, memory, labels, anchors):
    """Ours are drawn otherwise: as many of each class, hard and easy ones."""
    prediction = case.tensor(f'{name}_pred')
    drawn = memory.draw_anchors(labels, prediction, torch.Generator().manual_seed(0))
    assert drawn.shape == anchors.shape
    wrong, labels = (prediction != labels).flatten(), labels.flatten()
    ours = [[int(labels[row[0]]), int(wrong[row].sum()), int((~wrong[row]).sum())] for row in drawn]
    assert ours == case.arrays[f'{name}_anchor_classes'].tolist()
    for row in drawn:
        assert len(set(row.tolist())) == len(row) and len(set(labels[row].tolist())) == 1
        assert wrong[row].tolist() == sorted(wrong[row].tolist(), reverse=True), 'hard ones come first'
