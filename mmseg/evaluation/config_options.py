"""Changes to a config that the options of ``tools/test.py`` stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

TTA_RATIOS = [0.5, 0.75, 1.0, 1.25, 1.5, 1.75]


def loader_section(cfg: Config) -> dict[str, Any]:
    """The dataloader section that is evaluated: the test set's, else the validation set's.

    Raises:
        ValueError: the config has neither.
    """
    for key in ('test_dataloader', 'val_dataloader'):
        if cfg.get(key):
            return cfg[key]
    raise ValueError('the config has no test_dataloader and no val_dataloader')


def single_configs(dataset: Any) -> list[dict[str, Any]]:
    """The configs of the single datasets that a dataset's config, or a list of such, is made of.

    They are those in the config itself: changing them changes it.
    """
    if isinstance(dataset, list | tuple):
        return [single for item in dataset for single in single_configs(item)]
    return single_configs(dataset['datasets']) if 'datasets' in dataset else [dataset]


def evaluated_configs(cfg: Config) -> list[dict[str, Any]]:
    """The configs of the data sets that are evaluated, one or several; changing them changes ``cfg``.

    Raises:
        ValueError: the config has none.
    """
    return single_configs(loader_section(cfg)['dataset'])


def set_inference_mode(cfg: Config, mode: str) -> None:
    """Predict images whole or by windows, whatever the config says.

    Args:
        mode: ``same`` leaves it, ``whole``, or ``slide``: windows of the training crop, half overlapping.

    Raises:
        ValueError: ``slide``, and the config does not tell the training crop.
    """
    if mode == 'same':
        return
    if mode == 'whole':
        changes = {'mode': 'whole'}
    else:
        height, width = training_crop(cfg)
        changes = {
            'mode': 'slide',
            'batched_slide': True,
            'crop_size': (height, width),
            'stride': (height // 2, width // 2),
        }
    test_cfg = dict(cfg.model.get('test_cfg') or {})
    if mode == 'slide':
        # Windows are put together at the image's size.
        test_cfg = {key: value for key, value in test_cfg.items() if key not in ('single_resize', 'scales')}
    cfg.model.test_cfg = {**test_cfg, **changes}


def training_crop(cfg: Config) -> tuple[int, int]:
    """Height and width of the crops the network was trained on.

    Raises:
        ValueError: the config does not tell.
    """
    section = cfg.get('train_dataloader') or {}
    sizes = [found for name in ('sync_crop_size', 'crop_size') for found in _values(section, name) if found]
    size = (sizes or [cfg.get('crop_size')])[0]
    if not size:
        raise ValueError(
            '--inference-mode slide needs the training crop; the config has no RandomCrop and no crop_size'
        )
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def set_hrda_output(cfg: Config, output: str) -> None:
    """Predict with one part of an HRDA network: ``LR`` context alone, ``HR`` detail alone, ``ATT`` its attention.

    Raises:
        ValueError: the config's network is no HRDA.
    """
    head = cfg.model.get('decode_head') or {}
    head = head[-1] if isinstance(head, list) else head
    if head.get('type') != 'HRDAHead':
        raise ValueError(
            f'--hrda-out {output}: the network of the config is no HRDA, it has one prediction '
            f'({cfg.model.get("type")} with {head.get("type")})'
        )
    head['test_output'] = output


def set_tta(cfg: Config) -> None:
    """Average the predictions of six scales and their mirror images.

    Raises:
        ValueError: the test pipeline does not end with ``PackSegInputs``.
    """
    test_cfg = cfg.model.get('test_cfg') or {}
    if test_cfg.get('tta') == 'tensors':
        cfg.model.test_cfg = {**test_cfg, 'scales': TTA_RATIOS, 'flip_tta': True}
        return
    for dataset in evaluated_configs(cfg):
        steps = [step for step in dataset['pipeline'] if step['type'] != 'TestTimeScales']
        if not steps or steps[-1]['type'] != 'PackSegInputs':
            raise ValueError('--tta: the test pipeline must end with PackSegInputs')
        dataset['pipeline'] = [*steps[:-1], {'type': 'TestTimeScales', 'ratios': TTA_RATIOS}, steps[-1]]
        dataset.pop('packed', None)  # every scale is made from the image as it is in its file
    cfg.model.test_cfg = {**test_cfg, 'flip_tta': True}


def use_test_set(cfg: Config) -> None:
    """Read the test split: ``val`` becomes ``test`` in the data set's folders."""
    loader = loader_section(cfg)
    loader['dataset'] = _replaced(loader['dataset'])


def without_labels(cfg: Config) -> None:
    """Do not read labels, so that sets without them can be predicted."""
    for dataset in evaluated_configs(cfg):
        dataset['pipeline'] = [step for step in dataset['pipeline'] if step['type'] != 'LoadAnnotations']
        if 'data_prefix' in dataset:
            prefix = dataset['data_prefix'].items()
            dataset['data_prefix'] = {key: path for key, path in prefix if key != 'seg_map_path'}


def _values(node: Any, name: str) -> Iterator[Any]:
    if isinstance(node, dict):
        if name in node:
            yield node[name]
        for value in node.values():
            yield from _values(value, name)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _values(value, name)


def _replaced(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _replaced(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return type(node)(_replaced(value) for value in node)
    # A whole word: "interval" and "bilinear" stay.
    return re.sub(r'(?<![A-Za-z])val(?![A-Za-z])', 'test', node) if isinstance(node, str) else node
