"""Multi-scale context: value, gradients, running statistics."""

from mmseg.models.decode_heads.multi_scale_context import MultiScaleContext
from tests.goldens.drivers.pmdav2 import compare
from tests.goldens.drivers.pmdav2.networks import CONV, with_weights
from tests.goldens.harness import Case


def run(case: Case) -> None:
    options = dict(case.meta['options'])
    if options.get('out_project') is False:  # nothing is projected, whatever the original was told
        options['out_channels'] = options['in_channels']
    module = with_weights(case, MultiScaleContext(**options, **CONV))
    x = case.tensor('x').requires_grad_()
    output = module(x)
    (output * case.tensor('upstream')).sum().backward()
    compare.outputs(case, {'output': output, 'grad_x': x.grad})
    compare.rows(case, compare.named_gradients(module) | compare.named_buffers(module))
