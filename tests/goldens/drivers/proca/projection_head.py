"""The memory bank's projection."""

from mmseg.models.uda.components.memory_bank import ProjectionHead
from tests.goldens.drivers.proca import networks
from tests.goldens.harness import state_tensors


def run(case):
    options = case.meta['options']
    head = ProjectionHead(options['dim_in'], options['proj_dim']).double().train(options['mode'] == 'train')
    head.load_state_dict(state_tensors(case.inputs['projection']))
    x = case.tensor('x').requires_grad_()
    out = head(x)
    (out * case.tensor('grad_output')).sum().backward()
    for name, ours in {'out': out, 'dx': x.grad}.items():
        networks.close(name, ours, case.arrays[name], case.meta['rtol'], case.meta['atol_rel_to_absmax'])
    buffers = dict(head.named_buffers())
    for name in case.arrays.keys() - {'out', 'dx'}:
        stored, ours = case.arrays[name], buffers[name.removeprefix('buf:')]
        networks.close(name, ours, stored, case.meta['rtol'], case.meta['atol_rel_to_absmax'])
