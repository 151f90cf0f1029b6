"""What a run is, in a few words: method, network, data, machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmseg.evaluation.config_options import single_configs
from mmseg.visualization import curves
from mmseg.visualization.report import numbers
from mmseg.visualization.report.runs import ReportRun, quoted

# What every self-training method has does not tell it from others.
USUAL_PARTS = ('teacher', 'pseudo_labels', 'mixing', 'strong_augment')


def method(config: Mapping[str, Any] | None) -> str:
    """``DACS with feature distance, rare class sampling``; ``Supervised`` without ``uda``."""
    if config is None:
        return 'unknown (no config)'
    uda = config.get('uda') or {}
    parts = [key for key, value in uda.items() if isinstance(value, Mapping) and key not in USUAL_PARTS]
    parts = [key.replace('_', ' ') for key in parts]
    dataset = (config.get('train_dataloader') or {}).get('dataset') or {}
    if dataset.get('rare_class_sampling'):
        parts.append('rare class sampling')
    return uda.get('type', 'Supervised') + (f' with {", ".join(parts)}' if parts else '')


def network(config: Mapping[str, Any] | None) -> str:
    """``DAFormerHead on tf_efficientnet_lite0``."""
    model = (config or {}).get('model') or {}
    head, backbone = model.get('decode_head') or {}, model.get('backbone') or {}
    head = head[-1] if isinstance(head, list | tuple) else head
    inner = head.get('single_scale_head')
    names = [str(name) for name in (head.get('type'), inner) if name]
    encoder = backbone.get('model_name') or backbone.get('type')
    return f'{" of ".join(names) or "?"} on {encoder}' if encoder else ''


def training_data(config: Mapping[str, Any] | None) -> str:
    """``GTA → Cityscapes``, or the one data set of a supervised training."""
    dataset = ((config or {}).get('train_dataloader') or {}).get('dataset') or {}
    return _names(dataset) if dataset else ''


def test_data(config: Mapping[str, Any] | None) -> str:
    """``Cityscapes, leftImg8bit/val``, of several with `` + `` between them."""
    sections = [(config or {}).get(key) for key in ('test_dataloader', 'val_dataloader')]
    dataset = next((section for section in sections if section), {}).get('dataset') or {}
    return ' + '.join(_with_folder(single) for single in single_configs(dataset)) or numbers.DASH


def _with_folder(dataset: Mapping[str, Any]) -> str:
    place = (dataset.get('data_prefix') or {}).get('img_path')
    return ', '.join(text for text in (_names(dataset), place) if text)


def _names(dataset: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    if not isinstance(dataset, Mapping):
        return ' + '.join(_names(one) for one in dataset)
    if 'source' in dataset and 'target' in dataset:
        return f'{_names(dataset["source"])} → {_names(dataset["target"])}'
    if isinstance(dataset.get('datasets'), list | tuple):
        return _names(dataset['datasets'])
    if isinstance(dataset.get('dataset'), Mapping):
        return _names(dataset['dataset'])
    return str(dataset.get('type', numbers.DASH)).removesuffix('Dataset')


def environment(run: ReportRun) -> dict[str, str]:
    """Versions, machine and randomness of a run's last start, by what they are."""
    meta = run.meta
    found = {
        'seed': meta.get('seed'),
        'processes': meta.get('processes'),
        'device': meta.get('device'),
        'python': meta.get('python'),
        'torch': meta.get('torch') or (run.result and run.result.torch_version),
        'precision': (run.config or {}).get('precision'),
        'code (git)': meta.get('git'),
        'started': meta.get('started'),
        'starts': run.starts if run.starts > 1 else None,
    }
    return {name: str(value) for name, value in found.items() if value is not None and value != ''}


def costs(run: ReportRun) -> dict[str, str]:
    """Time per iteration, share of it spent waiting for data, and memory."""
    timing = curves.timing(run.log) if run.log else None
    if timing is None:
        return {}
    found = {'time per iteration': numbers.seconds(timing.seconds)}
    if timing.data_seconds:
        found['waiting for data'] = numbers.seconds(timing.data_seconds)
    if timing.memory:
        found['peak memory'] = f'{timing.memory:,.0f} MiB'
    return found


def training_command(run: ReportRun) -> str | None:
    """Trains and evaluates the same again, in a folder of its own; None if no config file is left."""
    if run.config_file is None:
        return None
    folder, config = run.folder.with_name(f'{run.folder.resolve().name}_again'), quoted(run.config_file)
    processes = run.meta.get('processes', 1)
    start = f'bash tools/dist_train.sh {config} {processes}' if processes > 1 else f'python tools/train.py {config}'
    return f'{start} --work-dir {quoted(folder)}\nsh test.sh {quoted(folder)}'
