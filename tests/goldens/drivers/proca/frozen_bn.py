"""Frozen batch norm: running statistics, no epsilon."""

from mmcv.cnn import build_norm_layer

from tests.goldens.drivers.proca import networks
from tests.goldens.harness import state_tensors


def run(case):
    weights, x = state_tensors(case.inputs['bn']), case.tensor('x')
    eps = case.meta['options']['eps'] or 1e-30  # some PyTorch versions refuse 0
    norm = build_norm_layer({'type': 'BN', 'eps': eps, 'requires_grad': False}, x.shape[1])[1]
    norm = norm.double().eval()
    norm.load_state_dict({**norm.state_dict(), **weights})
    networks.close('y', norm(x), case.arrays['y'], case.meta['rtol'], case.meta['atol_rel_to_absmax'])
