import math

import pytest
import torch
import torch.nn.functional as F

from mmseg.models.uda import build_method
from mmseg.structures import TrainBatch
from tests.models.uda.toy import NUM_CLASSES, config, random_batch

WEIGHTS = {'main': 0.5, 'aux': 0.2}


def method_for(auxiliary=False, **uda):
    torch.manual_seed(0)
    return build_method(config({'type': 'MinEnt', 'entropy_weight': WEIGHTS, **uda}, auxiliary=auxiliary)).double()


@pytest.mark.parametrize('auxiliary', [False, True])
def test_target_loss_is_the_weighted_entropy_of_the_predictions(auxiliary):
    method, batch = method_for(auxiliary), random_batch(batch=3)
    source = method.supervised(method.prepare(batch))['decode.loss_seg']
    expected, logits = {}, method.model(batch.target.images).logits
    for head, scores in logits.items():
        full = F.interpolate(scores, size=batch.target.images.shape[2:], mode='bilinear')
        entropy = torch.distributions.Categorical(logits=full.movedim(1, -1)).entropy().mean()  # natural logarithm
        expected[f'ent.loss.{head}'] = WEIGHTS[head] * entropy / math.log(NUM_CLASSES)
    gradients = torch.autograd.grad(source + sum(expected.values()), list(method.model.parameters()))
    log = method.compute_gradients(batch)
    assert {key for key in log if key.startswith('ent.')} == set(expected) and len(expected) == 1 + auxiliary
    for key, value in expected.items():
        torch.testing.assert_close(log[key], value.detach())
    for (name, parameter), gradient in zip(method.model.named_parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-8, atol=1e-12, msg=name)


def test_masked_losses_are_logged():
    """The originals train with them but leave them out of the log."""
    log = method_for(masking={'mode': 'separatetrg'}).compute_gradients(random_batch())
    assert set(log) == {'ent.loss.main'} | {
        f'{p}decode.{name}' for p in ('', 'masked.') for name in ('loss_seg', 'acc_seg')
    }


def test_a_target_is_needed():
    with pytest.raises(ValueError, match='MinEnt adapts to a target domain.*UDADataset'):
        method_for().prepare(TrainBatch(random_batch().source))


def test_a_weight_is_needed_for_each_head():
    with pytest.raises(ValueError, match='uda.entropy_weight has no weight for aux; the model predicts main, aux'):
        method_for(auxiliary=True, entropy_weight={'main': 0.1})


def test_panel_shows_prediction_and_entropy():
    method = method_for()
    method.panel_interval = 1
    step = method.prepare(random_batch())
    log = method.run_passes(step)
    method.finish(step)
    assert list(method.panel) == ['source_image', 'source_label', 'target_image', 'target_prediction', 'target_entropy']
    torch.testing.assert_close(WEIGHTS['main'] * method.panel['target_entropy'].mean(), log['ent.loss.main'])
