"""The discriminator, what it teaches the network and what it learns itself."""

import torch

from mmseg.models.uda.components.discriminator import SOURCE, TARGET, AdversarialLoss, Discriminator
from tests.goldens.drivers.pbal.networks import check, check_table
from tests.goldens.harness import state_tensors


def run(case):
    options = case.meta['options']
    discriminator = Discriminator(options['in_channels']).double()
    discriminator.load_state_dict(state_tensors(case.inputs['discriminator']))
    loss = AdversarialLoss('Vanilla')
    source, target = case.tensor('src_logits'), case.tensor('tgt_logits').requires_grad_()
    scores = discriminator(target.softmax(dim=1))
    check(case, 'd_tgt', scores)
    adversarial = loss(scores, SOURCE)
    check(case, 'loss_adv', adversarial)
    check(case, 'grad_tgt_logits', torch.autograd.grad(adversarial, target)[0])

    optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-4, betas=(0.9, 0.99))
    seen = discriminator(source.softmax(dim=1))
    check(case, 'd_src', seen)
    total = (loss(seen, SOURCE) + loss(discriminator(target.detach().softmax(dim=1)), TARGET)) / 2
    check(case, 'loss_D', total)
    total.backward()
    check_table(case, 'grad_D', {name: value.grad for name, value in discriminator.named_parameters()})
    before = {name: value.detach().clone() for name, value in discriminator.named_parameters()}
    optimizer.step()
    changes = {name: value.detach() - before[name] for name, value in discriminator.named_parameters()}
    check_table(case, 'delta_D', changes, norms_only=True)
