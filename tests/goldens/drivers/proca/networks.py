"""Our segmentor for a case of part ``proca``, and the case's names for its parts."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch
from torch import nn

from mmseg.engine.legacy_checkpoint import load_strictly, state_dict_of
from mmseg.models.segmentors import EncoderDecoder
from tests.goldens.harness import Case, sampled_like, state_tensors

COLUMNS = 4  # first values in a row of statistics


def model_config(options: dict[str, Any], lambda_lovasz: float = 0.0) -> dict[str, Any]:
    """Config of the case's DeepLabV2."""
    name = options.get('model') or options.get('MODEL_NAME')
    depth = re.search(r'resnetv2(\d+)|[rR]es[nN]et-?(\d+)', name)
    frozen = options.get('FREEZE_BN') or options.get('EVAL_BN') or options.get('bn', '').startswith('BN layers in eval')
    frozen = frozen or 'in eval mode' in name
    losses = [{'type': 'CrossEntropyLoss', 'avg_non_ignore': True}]
    if lambda_lovasz:
        losses.append({'type': 'LovaszLoss', 'loss_weight': lambda_lovasz})
    return {
        'type': 'EncoderDecoder',
        'backbone': {
            'type': 'ResNet',
            'depth': int(depth[1] or depth[2]),
            'strides': (1, 2, 1, 1),
            'dilations': (1, 1, 2, 4),
            'out_indices': (3,),
            'contract_dilation': True,
            # A frozen norm of the original has no epsilon, and some PyTorch versions refuse 0.
            'norm_cfg': {'type': 'BN', 'eps': 1e-30} if options.get('FREEZE_BN') else {'type': 'BN'},
            'norm_eval': bool(frozen),
        },
        'decode_head': {
            'type': 'DLV2Head',
            'in_channels': 2048,
            'num_classes': options.get('num_classes') or options['NUM_CLASSES'],
            'align_corners': True,
            'loss_decode': losses,
        },
        'test_cfg': {'mode': 'whole', 'single_resize': True, 'tta': 'tensors'},
    }


def build(case: Case, lambda_lovasz: float = 0.0, dtype: torch.dtype = torch.float64) -> EncoderDecoder:
    """The case's network with the case's weights, which must fit exactly."""
    config = model_config(case.meta['options'], lambda_lovasz)
    network = EncoderDecoder(config['backbone'], config['decode_head'], test_cfg=config['test_cfg']).to(dtype)
    load_strictly(network, state_dict_of(checkpoint(case, dtype)))
    if case.meta['options'].get('FREEZE_BN'):
        for module in network.backbone.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.requires_grad_(False)
    return network


def checkpoint(case: Case, dtype: torch.dtype = torch.float64) -> dict[str, Any]:
    """As the original saves it: two networks, out of parallel wrappers."""
    return {
        'iteration': 0,
        **{
            name: {f'module.{key}': value for key, value in state_tensors(case.inputs[name], dtype).items()}
            for name in ('feature_extractor', 'classifier')
        },
    }


def our_name(name: str) -> str:
    """``fe.backbone.x`` and ``cl.conv2d_list.0.weight`` as keys of the segmentor."""
    network, key = name.split('.', 1)
    if network == 'fe':
        return key
    return re.sub(r'^conv2d_list\.(\d+)\.', r'decode_head.aspp_modules.\1.conv.', key)


def row(tensor: torch.Tensor, columns: int = COLUMNS) -> np.ndarray:
    """Norm, sum and the first values, in float64."""
    flat = tensor.detach().double().flatten()
    return torch.cat([flat.norm()[None], flat.sum()[None], flat[:columns]]).numpy()


def check_rows(title: str, ours: dict[str, torch.Tensor], table: dict[str, list[float]], rtol: float) -> None:
    """Rows of statistics, each relative to its norm (the sum, of many values, to its root's multiple)."""
    largest = max(values[0] for values in table.values())
    for name, expected in table.items():
        tensor = ours[our_name(name)]
        expected = np.array(expected)
        values = row(tensor, len(expected) - 2)
        scale = np.full(len(expected), max(expected[0], 1e-6 * largest) + 1e-12)
        scale[1] *= np.sqrt(tensor.numel())
        error = (np.abs(values - expected) / scale).max()
        assert error <= rtol, f'{title} {name}: {error:.2e} of the norm, limit {rtol}'


def close(title: str, ours: torch.Tensor, stored: np.ndarray, rtol: float, atol_of_absmax: float) -> None:
    """|difference| <= rtol |stored| + atol max |stored|, where ``stored`` may be every so-manieth entry of ours."""
    stored = stored.astype(np.float64)
    ours = sampled_like(ours.detach().double().numpy(), stored)
    np.testing.assert_allclose(
        ours, stored, rtol=rtol, atol=atol_of_absmax * np.abs(stored).max() + 1e-12, err_msg=title
    )


def gradients(network: nn.Module) -> dict[str, torch.Tensor]:
    """Gradients of all parameters that have one."""
    return {name: value.grad for name, value in network.named_parameters() if value.grad is not None}
