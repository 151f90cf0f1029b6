"""Settings of DDB's original code base: ``ST``, ``CKD`` and ``STDataset``.

``ST`` is our ``DACS``; how images are mixed, which the original's data set decides, is a setting of the method here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmseg.engine.legacy_section import Section, merge

DISTILLATION = 'CrossPathDistillation'
PATHS = ('cu', 'ca')
# The original blurs along rows only: it takes the kernel's height from the number of channels.
STRONG_AUGMENT = {'jitter_strength': 0.2, 'jitter_probability': 0.8, 'blur': True, 'scope': 'image', 'blur_axes': 'x'}
MIXINGS: dict[str, dict[str, Any]] = {
    'cut': {'type': 'CutMix', 'area': 0.4},
    'class': {'type': 'ClassMix', 'classes': 'image'},
    'zero': {'type': 'NoMix'},
}
RENAMED = {'soft_distill_w': 'soft_weight', 'temp': 'temperature'}
FLAT_KEYS = (
    'distilled_model_path', 'soft_distill', 'soft_distill_w', 'proto_rectify', 'rectify_on_prob', 'use_pl_weight',
    'temp', 'teacher_model_cfg', *(f'{path}_{what}' for path in PATHS for what in ('model_load_from', 'proto_path')),
)  # fmt: skip


def upgrade_ddb(old: Section) -> dict[str, Any]:
    """Puts DDB's keys of a 0.x ``uda`` into ours, in place; other flat keys are left for ``upgrade_uda``.

    Returns:
        What belongs at the top of the config: the weights that round 2 starts from.
    """
    kind = old.left.get('type')
    if kind == 'CKD' or kind == DISTILLATION:
        old.left |= _distillation(old, {} if kind == 'CKD' else dict(old.left))
    elif kind == 'ST':
        old.left['type'] = 'DACS'
    start = old.take('distilled_model_path')
    return {'load_from': start} if start else {}


def _distillation(old: Section, ours: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of ``CrossPathDistillation``.

    Args:
        old: the section, whose DDB keys are taken.
        ours: the settings of ours that it lies over; empty for a whole 0.x ``uda``, whose missing keys have the
            original's defaults.
    """
    new: dict[str, Any] = {'type': DISTILLATION}
    whole = not ours
    if whole or any(key in old for key in ('soft_distill', 'proto_rectify', 'rectify_on_prob')):
        soft = old.take('soft_distill', ours.get('mode') == 'soft')
        rectify = old.take('proto_rectify', ours.get('rectify', None if whole else 'probability') is not None)
        # Soft targets are made of logits, whatever rectify_on_prob says.
        on_probabilities = old.take('rectify_on_prob', ours.get('rectify') != 'logit') and not soft
        new['mode'] = 'soft' if soft else 'hard'
        new['rectify'] = ('probability' if on_probabilities else 'logit') if rectify else None
    if whole or 'use_pl_weight' in old:
        weighting = {'weighting': 'batch' if old.take('use_pl_weight', False) else 'none'}
        new['pseudo_labels'] = merge(ours.get('pseudo_labels') or {}, weighting)
    for theirs, name in RENAMED.items():
        if theirs in old:
            new[name] = old.take(theirs)
    if teachers := _teachers(old, ours):
        new['teachers'] = teachers
    return new


def _teachers(old: Section, ours: Mapping[str, Any]) -> list[dict[str, Any]]:
    teachers = {one['name']: dict(one) for one in ours.get('teachers') or ()}
    network = old.take('teacher_model_cfg')
    for path in PATHS:
        values = {'checkpoint': old.take(f'{path}_model_load_from'), 'prototypes': old.take(f'{path}_proto_path')}
        given = {key: value for key, value in values.items() if value}
        if given or not ours or path in teachers:
            teachers[path] = teachers.get(path, {'name': path, 'checkpoint': ''}) | given
            if network:
                teachers[path]['model'] = network
    return list(teachers.values())


def take_bridging(data: Section, method: str | None) -> dict[str, Any]:
    """Takes DDB's bridging image out of a 0.x ``data`` section.

    Args:
        data: the section; its ``train`` loses the keys that are used up.
        method: our type of the method, if known.

    Returns:
        Settings of ``uda``; empty where the section says nothing of it.

    Raises:
        ValueError: a mask that does not exist.
    """
    if not isinstance(data.left.get('train'), Mapping):
        return {}
    train = Section(data.left['train'], 'data.train')
    whole = train.left.get('type') == 'STDataset'
    mask = train.take('mask')
    jitter, blur = train.take('post_pmd'), train.take('post_blur')
    if whole:
        # Repeats what the pipelines say.
        train.take('img_norm_cfg')
    data.left['train'] = train.left
    strong = dict(STRONG_AUGMENT) if whole else {}
    if jitter is not None:
        strong['jitter_probability'] = STRONG_AUGMENT['jitter_probability'] if jitter else 0.0
    if blur is not None:
        strong['blur'] = bool(blur)
    new: dict[str, Any] = {'strong_augment': strong} if strong else {}
    # The second step has the target alone; there the mask says nothing.
    if mask is not None and method != DISTILLATION:
        if mask not in MIXINGS:
            raise ValueError(
                f'0.x config: data.train.mask={mask!r} cannot be translated; only {", ".join(MIXINGS)} can'
            )
        new['mixing'] = {'_delete_': True, **MIXINGS[mask]}
    return new
