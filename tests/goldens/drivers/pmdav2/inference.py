"""Probabilities and label maps at the original size, of one image or of several views."""

from __future__ import annotations

import torch

from tests.goldens.drivers.pmdav2 import compare, networks
from tests.goldens.harness import Case


@torch.no_grad()
def run(case: Case) -> None:
    network = networks.segmentor(case)
    size = case.meta['ori_shape']
    probabilities = network.inference(case.tensor('img'), size, case.meta['flip'])
    ours = {'probs': probabilities, 'pred': probabilities.argmax(dim=1)}
    if case.meta['tta']:
        views = [probabilities]
        for index, (_, flip) in enumerate(case.meta['tta']):
            views.append(network.inference(case.tensor(f'img_aug{index}'), size, flip))
        ours['pred_tta'] = torch.stack(views).mean(dim=0).argmax(dim=1)
    compare.outputs(case, ours)
