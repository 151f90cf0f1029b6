"""The network: stages, feature, class scores, prediction at another size."""

import numpy as np
import torch

from mmseg.models.resize import resize
from mmseg.registry import MODELS
from tests.goldens.drivers.ddb.networks import model_config
from tests.goldens.harness import state_tensors


def run(case):
    spec, strides = case.meta['spec'], case.meta['strides']
    network = MODELS.build(model_config(case.meta['state_dict'], spec)).double().train(spec['train'])
    network.load_state_dict(state_tensors(case.inputs['model']))
    images = case.tensor('img')
    with torch.no_grad():
        out = network(images)
    logits, feature = out.logits['main'], out.embedding
    assert list(logits.shape) == case.meta['shapes']['logits']
    assert list(feature.shape) == case.meta['shapes']['feature']
    assert [list(level.shape) for level in out.features] == case.meta['shapes']['backbone']
    size = images.shape[2:]
    ours = {
        'logits': logits,
        'feature': feature,
        'logits_up': resize(logits, size),
        'feature_up': resize(feature, size),
    }
    ours |= {f'backbone{number}': level for number, level in enumerate(out.features)}
    if spec.get('ori'):
        with torch.no_grad():
            ours['prob_rescaled'] = network.inference(images, spec['ori'])
        predicted = ours['prob_rescaled'].argmax(dim=1)
        np.testing.assert_array_equal(predicted, case.arrays['pred_rescaled'])
    tolerance = case.meta['tolerance']['float64']['rtol_of_max']
    for key in case.arrays.keys() - {'pred_rescaled'}:
        stored, name = case.arrays[key], key.removesuffix('_strided')
        index = strides[name.rstrip('0123456789')] if key.endswith('_strided') else '[:]'
        sampled = ours[name].numpy()[eval(f'np.s_{index}')]
        np.testing.assert_allclose(sampled, stored, rtol=0, atol=tolerance * np.abs(stored).max(), err_msg=key)
