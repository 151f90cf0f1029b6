"""A whole step of the memory-bank variant."""

import numpy as np

from mmseg.models.uda import ProCA
from mmseg.structures import DomainBatch, TrainBatch
from tests.goldens.drivers.proca import networks
from tests.goldens.drivers.proca.memory_bank import check_queues, picks_of
from tests.goldens.harness import state_tensors


def run(case):
    meta, options = case.meta, case.meta['options']
    assert options['model'].endswith('in eval mode'), options['model']
    bank = {name: options[name] for name in ('temperature', 'memory_size', 'pixel_update_freq')}
    bank |= {'width': options['proj_dim'], **{name: options[name] for name in ('min_samples', 'max_samples')}}
    student = networks.build(case, options['LAMBDA_LOV'])
    method = ProCA(student, threshold=options['DELTA'], memory_bank=bank).double().train()
    method.memory.projection.load_state_dict(state_tensors(case.inputs['projection']))
    # The original computes gradients for the projection too; nobody uses them.
    method.memory.projection.eval().requires_grad_()
    for name in ('proto', 'pixel'):
        getattr(method.memory, f'{name}_queue').copy_(case.tensor(f'{name}_queue0'))
    decisions = {f'{ours}_picks': picks_of(case, number, options) for number, ours in enumerate(('src', 'trg'))}
    decisions |= {'src_anchors': case.tensor('src_anchors'), 'trg_anchors': case.tensor('tgt_anchors')}
    batch = TrainBatch(DomainBatch(case.tensor('src'), case.tensor('label')), DomainBatch(case.tensor('tgt')))
    labels = seen_labels(method.memory)
    log = method.compute_gradients(batch, decisions)
    ours = {
        'loss_sup': log['decode.loss_seg'] + log.get('decode.loss_lovasz', 0),
        'loss_contrast_src': log['src.loss_contrast'],
        'loss_contrast_tgt': log['trg.loss_contrast'],
    }
    if options['LAMBDA_LOV']:
        ours['loss_lov'] = log['decode.loss_lovasz'] / options['LAMBDA_LOV']
    for name, values in meta['losses'].items():
        np.testing.assert_allclose(float(ours[name]), values[0], rtol=meta['rtol_losses'], err_msg=name)
    check_queues(case, method.memory)
    for name, small in zip(('src', 'tgt'), labels, strict=True):
        disagree = np.mean(small.numpy() != case.arrays[f'{name}_mask'])
        assert disagree <= (0.02 if name == 'tgt' else 0), f'{disagree:.2%} of the {name} labels differ'
        classes = small[case.tensor(f'{name}_anchors')[:, 0]]
        np.testing.assert_array_equal(classes, case.arrays[f'{name}_anchor_classes'])
    tolerance = meta['rtol_grads_relative_to_each_norm']
    networks.check_rows('gradient', networks.gradients(student), meta['grads'], tolerance)
    projection = networks.gradients(method.memory.projection)
    table = {f'fe.{key}': values for key, values in meta['projection_grads'].items()}
    networks.check_rows('projection gradient', projection, table, tolerance)


def seen_labels(memory):
    """A list that gets the labels, in a row, of each update of the queues: source, then target."""
    seen, update = [], memory.update

    def watched(embedding, labels, picks):
        seen.append(labels.flatten())
        update(embedding, labels, picks)

    memory.update = watched
    return seen
