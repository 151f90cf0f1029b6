"""Names and order of the published experiments, and their resolved configs translated to today's schema."""

from __future__ import annotations

from typing import Any

from mmengine.config import Config

from experiments import EXPERIMENTS
from mmseg.engine.config import load_config
from mmseg.engine.errors import ROOT
from mmseg.engine.legacy_config import upgrade
from mmseg.experiments import Training, training_name
from tests.experiments.resolved import resolved_config
from tests.goldens.harness import Case

COMPARED = (
    'model', 'uda', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'optim_wrapper', 'param_scheduler', 'seed',
    'name_dataset', 'name_architecture', 'name_encoder', 'name_decoder', 'name_uda', 'name_opt',
)  # fmt: skip
# Settings with the values that they have when nobody gives them, by type.
SAME_AS_LEFT_OUT = {
    'masking': (('alpha', 'same'), ('threshold', 'same')),
    'Poly': (('min_lr', 0),),
    'IoUMetric': (('iou_metrics', ['mIoU']),),
}


def run(case: Case) -> None:
    trainings: dict[str, list[Training]] = {}
    for number, grid in case.meta['experiments'].items():
        ours = list(EXPERIMENTS[int(number)]())
        assert [training_name(training) for training in ours] == grid['configs_in_order'], number
        for training in ours:
            trainings.setdefault(training_name(training), []).append(training)
    for name, theirs in case.meta['resolved'].items():
        published = upgrade(Config(theirs))
        check(name, own_config(name, trainings, published), published)


def own_config(name: str, trainings: dict[str, list[Training]], published: Config) -> Config:
    """The config of a published file, or of a training of that name; a short grid may repeat a long one's names."""
    if name.startswith('configs/'):
        return load_config(ROOT / name)
    found = [resolved_config(training) for training in trainings[name]]
    same_length = [cfg for cfg in found if cfg.train_cfg.max_iters == published.train_cfg.max_iters]
    return (same_length or found)[0]


def check(name: str, ours: Config, theirs: Config) -> None:
    """Compare what trains and tests a network; both are in today's schema."""
    assert ours.train_cfg.max_iters == theirs.train_cfg.max_iters, name
    for key in COMPARED:
        if key in theirs:
            found, expected = comparable(ours.get(key)), comparable(theirs[key])
            if key == 'uda':
                found, expected = without_idle_teacher(found), without_idle_teacher(expected)
            assert found == expected, f'{name}: {key}: {first_difference(found, expected, key)}'


def comparable(value: Any) -> Any:
    """Plain lists and dicts; settings that say the same in two ways in one way, settings of the machine left out."""
    if isinstance(value, (list, tuple)):
        return [comparable(item) for item in value]
    if not isinstance(value, dict):
        return value
    machine = ('num_workers', 'persistent_workers')
    plain = {key: comparable(item) for key, item in value.items() if key not in machine}
    if str(plain.get('type', '')).startswith('mit_b'):
        plain.pop('style', None)  # of a ResNet, left over in the published base
    same = SAME_AS_LEFT_OUT.get(str(plain.get('type') or ('masking' if 'mode' in plain else '')), ())
    plain = {key: item for key, item in plain.items() if (key, item) not in same}
    return plain


def without_idle_teacher(uda: Any) -> Any:
    """AdvSeg and MinEnt have a teacher in the masked pass alone; configs from before that do not describe one."""
    idle = isinstance(uda, dict) and uda.get('type') in ('AdvSeg', 'MinEnt') and not uda.get('masking')
    left_out = ('teacher', 'pseudo_labels', 'strong_augment') if idle else ()
    return {key: value for key, value in uda.items() if key not in left_out} if isinstance(uda, dict) else uda


def first_difference(found: Any, expected: Any, place: str) -> str:
    """Where two plain values differ first, for the message."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in [*expected, *found]:
            if found.get(key) != expected.get(key) or (key in found) != (key in expected):
                return first_difference(found.get(key), expected.get(key), f'{place}.{key}')
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for index, (one, other) in enumerate(zip(found, expected, strict=True)):
            if one != other:
                return first_difference(one, other, f'{place}[{index}]')
    return f'{place} is {found!r}, expected {expected!r}'
