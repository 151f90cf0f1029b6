import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper, OptimWrapperDict

from mmseg.engine.optimizer_groups import build_optim_wrapper
from mmseg.models.uda import build_method
from mmseg.structures import TrainBatch
from tests.models.uda.toy import config, random_batch

SGD = {'optimizer': {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9, 'weight_decay': 0.01}}
ADAM = {'optimizer': {'type': 'Adam', 'lr': 1e-3, 'betas': (0.9, 0.99)}}
WEIGHTS = {'main': 0.5, 'aux': 0.2}


def method_for(auxiliary=False, seed=0, **uda):
    torch.manual_seed(seed)
    return build_method(config({'type': 'AdvSeg', 'adversarial_weight': WEIGHTS, **uda}, auxiliary=auxiliary)).double()


def loss_of(kind, scores, domain):
    if kind == 'LS':
        return (scores - domain).square().mean()
    return F.softplus(-scores if domain else scores).mean()


def plain_step(student, discriminators, batch, kind):
    """The algorithm of AdaptSegNet without any of the components; returns log values after their backwards."""
    log, outputs = {}, {}
    for name, images in (('src', batch.source.images), ('trg', batch.target.images)):
        logits = student(images).logits
        outputs[name] = {
            head: F.interpolate(x, size=images.shape[2:], mode='bilinear').softmax(1) for head, x in logits.items()
        }
        if name == 'src':
            full = F.interpolate(logits['main'], size=images.shape[2:], mode='bilinear')
            log['decode.loss_seg'] = F.cross_entropy(
                full, batch.source.labels, reduction='none', ignore_index=255
            ).mean()
            log['decode.loss_seg'].backward(retain_graph=True)
    for head, network in discriminators.items():
        fooled = WEIGHTS[head] * loss_of(kind, network(outputs['trg'][head]), 0)
        gradients = torch.autograd.grad(fooled, list(student.parameters()), allow_unused=True, retain_graph=True)
        for parameter, gradient in zip(student.parameters(), gradients, strict=True):
            if gradient is not None:
                parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        log[f'G_trg.loss.{head}'] = fooled
        for domain, name in enumerate(('src', 'trg')):
            log[f'D_{name}.loss.{head}'] = loss_of(kind, network(outputs[name][head].detach()), domain) / 2
            log[f'D_{name}.loss.{head}'].backward()
    return log


@pytest.mark.parametrize(('kind', 'auxiliary'), [('LS', False), ('Vanilla', True)])
def test_a_step_equals_the_plain_algorithm(kind, auxiliary):
    method = method_for(auxiliary, discriminator_loss=kind)
    assert set(method.model_D) == ({'main', 'aux'} if auxiliary else {'main'})
    student, discriminators = copy.deepcopy(method.model), copy.deepcopy(method.model_D)
    batch = random_batch(batch=3, size=(64, 96))
    log = method.compute_gradients(batch)
    expected = plain_step(student, discriminators, batch, kind)
    assert {key for key in log if 'loss' in key} == set(expected)
    for key, value in expected.items():
        torch.testing.assert_close(log[key], value.detach(), msg=key)
    for ours, theirs in ((method.model, student), (method.model_D, discriminators)):
        for (name, parameter), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(parameter.grad, other.grad, rtol=1e-9, atol=1e-12, msg=name)


def test_state_dict_names_are_those_of_published_checkpoints():
    state = method_for(True, masking={'mode': 'separatetrg'}).state_dict()
    assert {key.split('.')[0] for key in state} == {'model', 'model_D', 'mic'}
    names = [*(f'conv{i}' for i in range(1, 5)), 'classifier']
    assert {key for key in state if key.startswith('model_D.')} == {
        f'model_D.{head}.{name}.{kind}' for head in ('main', 'aux') for name in names for kind in ('weight', 'bias')
    }


@pytest.mark.parametrize('both', [True, False])
def test_main_optimizer_steps_the_discriminators_too_unless_told_not_to(both):
    """The published runs do; both updates come from the same gradient and add up."""
    method = method_for(main_optimizer_steps_discriminators=both)
    wrapper = build_optim_wrapper(method, {'main': SGD, 'discriminator': ADAM})
    before = copy.deepcopy(method.model_D)
    method.train_step({'batch': random_batch(size=(64, 96))}, wrapper)
    adam, sgd = copy.deepcopy(before), copy.deepcopy(before)
    for network, kind, options in (
        (adam, torch.optim.Adam, {'lr': 1e-3, 'betas': (0.9, 0.99)}),
        (sgd, torch.optim.SGD, {'lr': 0.1, 'momentum': 0.9, 'weight_decay': 0.01}),
    ):
        for parameter, stepped in zip(network.parameters(), method.model_D.parameters(), strict=True):
            parameter.grad = stepped.grad.clone()
        kind(network.parameters(), **options).step()
    for ours, old, one, other in zip(
        *(network.parameters() for network in (method.model_D, before, adam, sgd)), strict=True
    ):
        expected = one + (other - old) * both
        torch.testing.assert_close(ours.detach(), expected.detach())


@pytest.mark.parametrize('wrapper', [SGD, {'main': SGD}, {'main': SGD, 'disciminator': ADAM}])
def test_missing_discriminator_optimizer_is_named(wrapper):
    with pytest.raises(ValueError, match=r'AdvSeg trains with .*optim_wrapper=dict\(main=.*discriminator=') as caught:
        build_optim_wrapper(method_for(), wrapper)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    ('uda', 'words'),
    [
        ({'discriminator_loss': 'hinge'}, "uda.discriminator_loss: 'hinge' does not exist, choose one of LS, Vanilla"),
        ({'adversarial_weight': {'aux': 0.1}}, 'uda.adversarial_weight has no weight for main'),
        ({'lr_D': 1e-4}, "uda: AdvSeg has no setting 'lr_D'"),
    ],
)
def test_config_mistakes(uda, words):
    with pytest.raises(ValueError, match=words):
        method_for(**uda)


def test_a_target_is_needed():
    with pytest.raises(ValueError, match='AdvSeg adapts to a target domain.*UDADataset'):
        method_for().prepare(TrainBatch(random_batch().source))


def test_accumulated_parts_are_averaged_for_the_discriminator_too():
    whole, parts = method_for(), method_for()
    batches = [random_batch(size=(64, 96), seed=seed) for seed in range(2)]
    still = OptimWrapperDict(
        main=OptimWrapper(torch.optim.SGD(parts.model.parameters(), lr=0.0)),
        discriminator=OptimWrapper(torch.optim.SGD(parts.model_D.parameters(), lr=0.0)),
    )
    parts.train_step([{'batch': batch} for batch in batches], still)
    for batch in batches:
        whole.compute_gradients(batch)
    for (name, ours), theirs in zip(parts.model_D.named_parameters(), whole.model_D.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad / 2, rtol=1e-9, atol=1e-12, msg=name)


@pytest.mark.parametrize('kind', ['LS', 'Vanilla'])
def test_panel_shows_what_the_discriminator_takes_for_target(kind):
    method = method_for(discriminator_loss=kind)
    method.panel_interval = 1
    step = method.prepare(random_batch(size=(64, 96)))
    method.run_passes(step)
    method.finish(step)
    assert set(method.panel) >= {'target_image', 'target_prediction'}
    for name, output in (('source', step.source_output), ('target', step.target_output)):
        scores = method.model_D['main'](output['main']).detach()
        assert torch.equal(method.panel[f'{name}_discriminator'], scores if kind == 'LS' else scores.sigmoid())
