"""The flat ``uda`` settings of the original code bases, as the components of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mmseg.engine.legacy_cdda import FLAT_KEYS as CDDA_KEYS
from mmseg.engine.legacy_cdda import move_depth_guidance
from mmseg.engine.legacy_ddb import DISTILLATION, FLAT_KEYS
from mmseg.engine.legacy_section import Section, merge

METHODS = ('DACS', 'AdvSeg', 'MinEnt', DISTILLATION)
FLAT_UDA_KEYS = re.compile(
    'source_only|alpha|pseudo_threshold|pseudo_weight_.*|imnet_.*|mix|blur|color_jitter_.*|mask_.*|debug_img_interval|'
    'print_grad_magnitude|discriminator_type|lr_D.*|lambda_adv_target|lambda_ent|' + '|'.join((*FLAT_KEYS, *CDDA_KEYS))
)
# Names of ours that may stand beside them, where an old file lies over our bases.
NESTED_UDA_KEYS = (
    'type', 'teacher', 'pseudo_labels', 'mixing', 'strong_augment', 'source_augment', 'feature_distance', 'masking',
    'contrast', 'depth_guidance', 'teachers', 'mode', 'rectify', 'tau', 'exclude_absent', 'temperature', 'soft_weight',
    'discriminator_loss', 'adversarial_weight', 'main_optimizer_steps_discriminators', 'entropy_weight',
)  # fmt: skip
MOVED = {
    'teacher': {'alpha': 'alpha'},
    'pseudo_labels': {
        'threshold': 'pseudo_threshold',
        'ignore_top': 'pseudo_weight_ignore_top',
        'ignore_bottom': 'pseudo_weight_ignore_bottom',
    },
    'strong_augment': {'jitter_strength': 'color_jitter_strength', 'blur': 'blur'},
}
RENAMED = {
    'discriminator_loss': 'discriminator_type',
    'adversarial_weight': 'lambda_adv_target',
    'entropy_weight': 'lambda_ent',
}
MASKING = {
    'mode': 'mask_mode',
    'alpha': 'mask_alpha',
    'threshold': 'mask_pseudo_threshold',
    'weight': 'mask_lambda',
    'generator': 'mask_generator',
}


def upgrade_uda(old: Section, notes: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Flat keys into components, and the settings that have moved out of ``uda``.

    Args:
        old: the 0.x ``uda``, or one that lies over ours.
        notes: gets what has no counterpart here.

    Raises:
        ValueError: for a method, a key or a value that cannot be translated.
    """
    new = {key: old.take(key) for key in NESTED_UDA_KEYS if key in old}
    if new.get('type', 'DACS') not in METHODS and any(FLAT_UDA_KEYS.fullmatch(key) for key in old.left):
        raise ValueError(f'0.x config: uda.type={new["type"]!r} cannot be translated; only {", ".join(METHODS)} can')
    for component, names in MOVED.items():
        if values := _taken(old, names):
            new[component] = merge(new.get(component) or {}, values)
    new |= _taken(old, RENAMED)
    if 'mix' in old:
        old.expect('mix', 'class')
        new['mixing'] = {'type': 'ClassMix'}
    if 'color_jitter_probability' in old:
        # The originals apply the jitter where a uniform number is above this.
        chance = round(1 - old.take('color_jitter_probability'), 12)
        new['strong_augment'] = {**new.get('strong_augment', {}), 'jitter_probability': chance}
    _move_feature_distance(old, new)
    _move_masking(old, new)
    move_depth_guidance(old, new)
    if old.take('source_only', False):
        new['source_only'] = True
    if old.take('print_grad_magnitude', False):
        notes.append('uda.print_grad_magnitude=True')
    old.take('ema_drop_path_rate')
    interval = old.take('debug_img_interval')
    old.close()
    return new, {} if interval is None else {'default_hooks': {'panels': {'interval': interval}}}


def discriminator_settings(old: Section, has_optimizer: bool) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """AdvSeg's Adam and its schedule, which the originals build inside the method; None where there is nothing to add.

    Args:
        old: the 0.x ``uda``. Keys that are missing have the values of the original base file, as ours has its
            optimizers elsewhere.
        has_optimizer: the config has an optimizer for the discriminator; it is kept if ``old`` says nothing of one.
    """
    given = any(key in old for key in ('lr_D', 'lr_D_power', 'lr_D_min'))
    if old.left.get('type') != 'AdvSeg' or (has_optimizer and not given):
        return None
    rate, power, lowest = old.take('lr_D', 1e-4), old.take('lr_D_power', 0.9), old.take('lr_D_min', 0)
    optimizer = {'type': 'Adam', 'lr': rate, 'betas': (0.9, 0.99)}
    return {'optimizer': optimizer}, {'type': 'Poly', 'power': power, 'min_lr': lowest}


def _taken(old: Section, names: Mapping[str, str]) -> dict[str, Any]:
    """Values by our names, of those keys that are there."""
    return {ours: old.take(theirs) for ours, theirs in names.items() if theirs in old}


def _move_feature_distance(old: Section, new: dict[str, Any]) -> None:
    keys = {
        'weight': 'imnet_feature_dist_lambda',
        'classes': 'imnet_feature_dist_classes',
        'min_ratio': 'imnet_feature_dist_scale_min_ratio',
    }
    values = _taken(old, keys)
    old.take('imnet_feature_dist_scale_method')  # read by nobody in the originals either
    if values.get('min_ratio', 0) is None:
        del values['min_ratio']
    if values.get('weight') == 0:
        new.pop('feature_distance', None)
    elif values:
        new['feature_distance'] = merge(new.get('feature_distance') or {}, values)


def _move_masking(old: Section, new: dict[str, Any]) -> None:
    values = _taken(old, MASKING)
    if 'mode' in values and values['mode'] is None:
        new.pop('masking', None)
    elif values.get('mode') or new.get('masking'):
        if values.get('generator', {}) is None:
            del values['generator']
        if values:
            new['masking'] = merge(new.get('masking') or {}, values)
