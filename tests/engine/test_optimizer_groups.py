import pytest
import torch
from torch import nn

from mmseg.engine.optimizer_groups import build_optim_wrapper, named_parameters, parameter_groups, parameter_settings


class Method(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.ModuleDict(
            {
                'backbone': nn.ModuleDict(
                    {'patch_embed1': nn.ModuleDict({'norm': nn.LayerNorm(2)}), 'fc': nn.Linear(2, 2)}
                ),
                'decode_head': nn.ModuleDict({'norm': nn.LayerNorm(2), 'conv_seg': nn.Linear(2, 2)}),
            }
        )
        self.ema_model = nn.Linear(2, 2)
        self.model_D = nn.Linear(2, 1)


RULES = {'head': {'lr_mult': 10.0}, 'pos_block': {'decay_mult': 0.0}, 'norm': {'decay_mult': 0.0}}


def settings(rules, parameters=None):
    parameters = parameters if parameters is not None else Method().named_parameters()
    return {name: (lr, decay) for name, _, lr, decay in parameter_settings(parameters, 1.0, 0.1, rules)}


def test_head_goes_before_norm_and_the_first_hit_decides():
    found = settings(RULES)
    assert found['model.backbone.patch_embed1.norm.weight'] == (1.0, 0.0)
    assert found['model.backbone.fc.weight'] == (1.0, 0.1)
    assert found['model.decode_head.norm.weight'] == (10.0, 0.1)


def test_longer_keys_go_first():
    found = settings({'decode_head': {'lr_mult': 2.0}, 'decode_head.norm': {'lr_mult': 3.0}})
    assert found['model.decode_head.norm.weight'] == (3.0, 0.1)
    assert found['model.decode_head.conv_seg.bias'] == (2.0, 0.1)


def test_groups_are_merged_and_complete():
    method = Method()
    groups = parameter_groups(method.model.named_parameters(), 1.0, 0.1, {'head': {'lr_mult': 10.0}})
    assert [(group['lr'], group['weight_decay'], len(group['params'])) for group in groups] == [
        (1.0, 0.1, 4),
        (10.0, 0.1, 4),
    ]


def test_merged_groups_step_like_single_ones():
    torch.manual_seed(0)
    merged, single = Method(), Method()
    single.load_state_dict(merged.state_dict())
    one = torch.optim.AdamW(parameter_groups(merged.named_parameters(), 1e-2, 0.1, RULES))
    each = torch.optim.AdamW(
        [
            {'params': [p], 'lr': lr, 'weight_decay': wd}
            for _, p, lr, wd in parameter_settings(single.named_parameters(), 1e-2, 0.1, RULES)
        ]
    )
    for _ in range(3):
        for method in (merged, single):
            for number, parameter in enumerate(method.parameters()):
                parameter.grad = torch.full_like(parameter, 0.1 * number) + parameter.detach()
        one.step()
        each.step()
    for left, right in zip(merged.parameters(), single.parameters(), strict=True):
        assert torch.equal(left, right)


def test_only_trainable_parameters_of_the_student():
    method = Method()
    method.model['backbone'].requires_grad_(False)
    wrapper = build_optim_wrapper(method, {'optimizer': {'type': 'AdamW', 'lr': 1e-3, 'weight_decay': 0.01}})
    names = [name for group in named_parameters(method, wrapper.optimizer) for name in group]
    assert names == [
        f'model.decode_head.{part}' for part in ('norm.weight', 'norm.bias', 'conv_seg.weight', 'conv_seg.bias')
    ]


def test_several_optimizers():
    method = Method()
    method.optimizer_modules = lambda: {'main': {'model': method.model}, 'discriminator': {'model_D': method.model_D}}
    cfg = {
        'main': {'optimizer': {'type': 'SGD', 'lr': 0.1}, 'paramwise_cfg': {'custom_keys': RULES}},
        'discriminator': {'optimizer': {'type': 'Adam', 'lr': 1e-4}},
    }
    wrappers = build_optim_wrapper(method, cfg)
    assert named_parameters(method, wrappers['discriminator'].optimizer) == [['model_D.weight', 'model_D.bias']]
    with pytest.raises(ValueError, match=r"\['main'\].*\['discriminator', 'main'\]"):
        build_optim_wrapper(method, cfg['main'])


@pytest.mark.parametrize(
    ('cfg', 'words'),
    [
        ({'optimizer': {'type': 'SGD'}}, 'learning rate'),
        ({'optimizer': {'type': 'SGD', 'lr': 1.0}, 'type': 'AmpOptimWrapper'}, 'AmpOptimWrapper'),
        ({'optimizer': {'type': 'SGD', 'lr': 1.0}, 'paramwise_cfg': {'bias_lr_mult': 2}}, 'paramwise_cfg.bias_lr_mult'),
        (
            {'optimizer': {'type': 'SGD', 'lr': 1.0}, 'paramwise_cfg': {'custom_keys': {'head': {'lr': 2}}}},
            "'head'.*lr_mult",
        ),
    ],
)
def test_mistakes_are_named(cfg, words):
    with pytest.raises(ValueError, match=words):
        build_optim_wrapper(Method(), cfg)


def test_nothing_to_train():
    method = Method()
    method.model.requires_grad_(False)
    with pytest.raises(ValueError, match='trainable'):
        build_optim_wrapper(method, {'optimizer': {'type': 'SGD', 'lr': 1.0}})


@pytest.mark.parametrize(
    ('options', 'fused'),
    [
        ({'type': 'AdamW'}, True),
        ({'type': 'SGD', 'momentum': 0.9}, True),
        ({'type': 'AdamW', 'foreach': True}, None),
        ({'type': 'AdamW', 'fused': False}, False),
        ({'type': 'Adagrad'}, None),
    ],
)
def test_fused_kernels_where_they_exist(options, fused):
    method = Method()
    wrapper = build_optim_wrapper(method, {'optimizer': {**options, 'lr': 0.1}})
    assert all(group.get('fused') is fused for group in wrapper.param_groups)
    method.model.backbone.fc.weight.grad = torch.ones(2, 2)
    before = method.model.backbone.fc.weight.detach().clone()
    wrapper.step()
    assert not torch.equal(method.model.backbone.fc.weight, before)
