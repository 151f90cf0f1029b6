"""Prototypes of each image: value and gradients."""

from mmseg.models.decode_heads.prototype_matching import image_prototypes
from tests.goldens.drivers.pmdav2 import compare
from tests.goldens.harness import Case


def run(case: Case) -> None:
    features, logits = case.tensor('feats').requires_grad_(), case.tensor('logits').requires_grad_()
    prototypes = image_prototypes(features, logits, case.meta['scale'])
    (prototypes * case.tensor('upstream')).sum().backward()
    compare.outputs(case, {'prototypes': prototypes, 'grad_feats': features.grad, 'grad_logits': logits.grad})
