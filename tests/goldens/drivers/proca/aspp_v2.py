"""The classifier: sum of dilated convolutions, with gradients."""

import torch

from mmseg.engine.legacy_networks import convert_original
from mmseg.models.decode_heads import DLV2Head
from mmseg.models.resize import resize
from tests.goldens.drivers.proca import networks
from tests.goldens.harness import state_tensors


def run(case):
    options, meta = case.meta['options'], case.meta
    head = DLV2Head(
        options['in_channels'], options['num_classes'], tuple(options['dilations']), align_corners=True
    ).double()
    state = convert_original({'feature_extractor': {}, 'classifier': state_tensors(case.inputs['classifier'])})
    head.load_state_dict({key.removeprefix('decode_head.'): value for key, value in state.items()})
    x = case.tensor('x').requires_grad_()
    logits = head([x]).logits['main']
    size = options.get('size')
    up = logits if size is None else resize(logits, size, head.align_corners)
    (up * case.tensor('grad_output')).sum().backward()
    networks.close('out', up, case.arrays['out'], meta['rtol'], meta['atol_rel_to_absmax'])
    networks.close('dx', x.grad, case.arrays['dx'], meta['rtol'], meta['atol_rel_to_absmax'])
    ours = {f'decode_head.{name}': value for name, value in networks.gradients(head).items()}
    networks.check_rows('gradient', ours, {f'cl.{key}': values for key, values in meta['grads'].items()}, meta['rtol'])
    assert torch.isfinite(up).all()
