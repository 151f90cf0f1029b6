"""0.x settings of masking, AdvSeg and MinEnt."""

import pytest

from mmseg.engine.legacy_config import is_legacy, upgrade

MASKS = {
    'mask_mode': 'separatetrgaug',
    'mask_alpha': 'same',
    'mask_pseudo_threshold': 'same',
    'mask_lambda': 1,
    'mask_generator': {'type': 'block', 'mask_ratio': 0.7, 'mask_block_size': 32, '_delete_': True},
}
MASKING = {
    'mode': 'separatetrgaug',
    'alpha': 'same',
    'threshold': 'same',
    'weight': 1,
    'generator': {'type': 'block', 'mask_ratio': 0.7, 'mask_block_size': 32},
}
ADVSEG = {
    'type': 'AdvSeg', 'discriminator_type': 'Vanilla', 'lr_D': 0.0002, 'lr_D_power': 0.8, 'lr_D_min': 1e-6,
    'lambda_adv_target': {'main': 0.01, 'aux': 0.002}, 'debug_img_interval': 1000, 'alpha': 0.99,
    'pseudo_threshold': 0.9, 'pseudo_weight_ignore_top': 1, 'pseudo_weight_ignore_bottom': 2, 'blur': True,
    'color_jitter_strength': 0.2, 'color_jitter_probability': 0.2,
    'mask_mode': None, 'mask_alpha': 'same', 'mask_pseudo_threshold': 'same', 'mask_lambda': 0, 'mask_generator': None,
}  # fmt: skip
SHARED = {
    'teacher': {'alpha': 0.99},
    'pseudo_labels': {'threshold': 0.9, 'ignore_top': 1, 'ignore_bottom': 2},
    'strong_augment': {'jitter_strength': 0.2, 'jitter_probability': 0.8, 'blur': True},
}
SGD = {'type': 'SGD', 'lr': 0.0025, 'momentum': 0.9}
PUBLISHED = {'optimizer': {'type': 'Adam', 'lr': 1e-4, 'betas': (0.9, 0.99)}}


def test_advseg_has_two_optimizers_and_two_schedules():
    schedule = {'policy': 'poly', 'power': 1.0, 'min_lr': 1e-4, 'by_epoch': False}
    new = upgrade({'uda': ADVSEG, 'optimizer': SGD, 'lr_config': schedule})
    assert new.uda == {
        'type': 'AdvSeg', 'discriminator_loss': 'Vanilla', 'adversarial_weight': {'main': 0.01, 'aux': 0.002}, **SHARED,
    }  # fmt: skip
    assert new.optim_wrapper == {
        'main': {'optimizer': SGD},
        'discriminator': {'optimizer': {'type': 'Adam', 'lr': 0.0002, 'betas': (0.9, 0.99)}},
    }
    assert new.param_scheduler == {
        'main': {'type': 'Poly10'},
        'discriminator': {'type': 'Poly', 'power': 0.8, 'min_lr': 1e-6},
    }
    assert not is_legacy(new)


def test_constant_main_rate_leaves_the_discriminators_schedule():
    new = upgrade({'uda': ADVSEG, 'optimizer': SGD, 'lr_config': {'policy': 'fixed'}})
    assert set(new.param_scheduler) == {'discriminator'}


def test_old_file_over_our_base_gets_the_published_discriminator():
    """Ours has the optimizers elsewhere, so the 0.x values of the originals' base file count."""
    base = {'uda': {'type': 'AdvSeg', 'discriminator_loss': 'LS'}, 'optim_wrapper': {'optimizer': SGD}}
    new = upgrade({**base, 'optimizer': {'lr': 0.1}})
    assert new.optim_wrapper == {'main': {'optimizer': {**SGD, 'lr': 0.1}}, 'discriminator': PUBLISHED}
    assert new.param_scheduler.discriminator == {'type': 'Poly', 'power': 0.9, 'min_lr': 0}


def test_a_discriminator_of_todays_schema_stays():
    wrapper = {'main': {'optimizer': SGD}, 'discriminator': {'optimizer': {'type': 'Adam', 'lr': 0.5}}}
    cfg = {'uda': {'type': 'AdvSeg'}, 'optim_wrapper': wrapper, 'runner': {'max_iters': 5}}
    new = upgrade(cfg)
    assert new.optim_wrapper == wrapper and 'param_scheduler' not in new


def test_minent():
    old = {key: value for key, value in ADVSEG.items() if not key.startswith(('lr_D', 'discr', 'lambda'))}
    new = upgrade({'uda': {**old, 'type': 'MinEnt', 'lambda_ent': {'main': 0.1, 'aux': 0.2}}, 'optimizer': SGD})
    assert new.uda == {'type': 'MinEnt', 'entropy_weight': {'main': 0.1, 'aux': 0.2}, **SHARED}
    assert new.optim_wrapper == {'optimizer': SGD}


@pytest.mark.parametrize('method', ['DACS', 'AdvSeg', 'MinEnt'])
def test_masks_in_every_method(method):
    assert upgrade({'uda': {'type': method, **MASKS}}).uda.masking == MASKING


def test_masks_over_masks_of_ours():
    uda = {'type': 'DACS', 'masking': MASKING}
    assert upgrade({'uda': {**uda, 'mask_lambda': 0.5}}).uda.masking == {**MASKING, 'weight': 0.5}
    assert 'masking' not in upgrade({'uda': {**uda, 'mask_mode': None}}).uda


def test_keys_of_another_method_are_named():
    with pytest.raises(ValueError, match=r'unknown key uda\.lr_D=0\.1'):
        upgrade({'uda': {'type': 'MinEnt', 'lr_D': 0.1}})
