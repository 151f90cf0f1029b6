"""Both transport costs and their gradients."""

import torch

from mmseg.models.uda.components.contrast import prototype_logits
from mmseg.models.uda.components.transport import transport_costs
from tests.goldens.drivers.pbal.networks import check


def run(case):
    features, logits = (case.tensor(name).requires_grad_() for name in ('feat', 'logits'))
    prototypes = case.tensor('prototypes').flatten(1)
    check(case, 'cos', prototype_logits(features, prototypes, 1.0))
    costs = transport_costs(features, logits, prototypes)
    check(case, 'sum', costs.per_pixel + costs.per_class)
    for name in ('per_pixel', 'per_class'):
        cost = getattr(costs, name)
        check(case, f'{name}_term', cost)
        gradients = torch.autograd.grad(cost, (features, logits), retain_graph=True)
        for which, gradient in zip(('feat', 'logits'), gradients, strict=True):
            check(case, f'grad_{which}_{name}', gradient)
