"""Matching of pixels with prototypes: value, gradients, running statistics."""

from mmseg.models.decode_heads.prototype_matching import PrototypeMatching
from tests.goldens.drivers.pmdav2 import compare
from tests.goldens.drivers.pmdav2.networks import CONV, with_weights
from tests.goldens.harness import Case


def run(case: Case) -> None:
    module = with_weights(case, PrototypeMatching(case.meta['in_channels'], case.meta['channels'], **CONV))
    query, prototypes = case.tensor('query').requires_grad_(), case.tensor('prototypes').requires_grad_()
    output = module(query, prototypes)
    (output * case.tensor('upstream')).sum().backward()
    compare.outputs(case, {'output': output, 'grad_query': query.grad, 'grad_proto': prototypes.grad})
    compare.rows(case, compare.named_gradients(module) | compare.named_buffers(module))
