"""The ``data`` section of 0.x configs: data sets, pipelines and loaders in today's schema."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from mmseg.engine.legacy_cdda import depth_prefix
from mmseg.engine.legacy_section import Section
from mmseg.evaluation.classes import SYNTHIA_SUBSETS

TRAIN_LOADER = {'sampler': {'type': 'SampleNumberSampler'}, 'collate_fn': {'type': 'collate_domains'}}
EVAL_LOADER = {'batch_size': 1, 'sampler': {'type': 'DefaultSampler', 'shuffle': False}}
LABEL_READERS = ('LoadAnnotations',)
Pipeline = list[dict[str, Any]]


def upgrade_data(data: Section) -> dict[str, Any]:
    """Loaders and evaluators of a 0.x ``data`` section, and the preprocessor that takes the place of ``Normalize``.

    Only what the section says is in the result, so that it can be laid over a config that says the rest.
    """
    inputs: list[dict[str, Any]] = []
    loaders: dict[str, dict[str, Any]] = {}
    subsets = None
    if 'train' in data:
        dataset = _training_set(Section(data.take('train'), data.name('train')), inputs)
        loaders['train_dataloader'] = {**(TRAIN_LOADER if 'type' in dataset else {}), 'dataset': dataset}
        sources = dataset.get('source', dataset)
        kinds = {one.get('type') for one in (sources if isinstance(sources, list) else [sources])}
        subsets = SYNTHIA_SUBSETS if kinds == {'SynthiaDataset'} else None
    for split in ('val', 'test'):
        if split in data:
            dataset = _each(data, split, lambda one: _evaluation_set(one, inputs))
            whole = isinstance(dataset, list) or 'type' in dataset
            loaders[f'{split}_dataloader'] = {**(EVAL_LOADER if whole else {}), 'dataset': dataset}
    if 'samples_per_gpu' in data:
        loaders.setdefault('train_dataloader', {})['batch_size'] = data.take('samples_per_gpu')
    if 'workers_per_gpu' in data:
        workers = data.take('workers_per_gpu')
        for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            loaders.setdefault(name, {})['num_workers'] = workers
        loaders['train_dataloader']['persistent_workers'] = workers > 0
    data.close()
    new: dict[str, Any] = dict(loaders)
    for split in ('val', 'test'):
        if 'sampler' in loaders.get(f'{split}_dataloader', {}):
            new[f'{split}_evaluator'] = {'type': 'IoUMetric', **({'subsets': subsets} if subsets else {})}
    if inputs:
        if any(other != inputs[0] for other in inputs):
            raise ValueError(f'0.x config: data: the pipelines normalise differently: {inputs}')
        new['model'] = {'data_preprocessor': inputs[0]}
    return new


def _training_set(section: Section, inputs: list[dict[str, Any]]) -> dict[str, Any]:
    pair = ('source', 'target', 'rare_class_sampling', 'sync_crop_size')
    if not any(key in section for key in pair):
        return _dataset(section, inputs, training=True)
    new: dict[str, Any] = {'type': section.take('type')} if 'type' in section else {}
    if 'source' in section:
        new['source'] = _each(section, 'source', lambda one: _dataset(one, inputs, training=True))
    if 'target' in section:
        margins: list[Any] = []

        def target(one: Section) -> dict[str, Any]:
            given = one.take('crop_pseudo_margins')
            margins.append(None if given is None else list(given))
            return _dataset(one, inputs, training=True, labels=False)

        if dataset := _each(section, 'target', target):
            new['target'] = dataset
        if any(margins):
            new['pseudo_margins'] = margins[0] if all(one == margins[0] for one in margins) else margins
    if (sampling := section.take('rare_class_sampling')) is not None:
        new['rare_class_sampling'] = {key: _finite(value) for key, value in sampling.items()}
    if (crop := section.take('sync_crop_size')) is not None:
        new['sync_crop_size'] = tuple(crop)
    if new.get('type') == 'STDataset':
        # DDB's: source files in shuffled order.
        new['type'] = 'UDADataset'
        new |= {} if 'rare_class_sampling' in new else {'source_order': 'shuffled'}
    section.close()
    return new


def _each(section: Section, key: str, translate: Callable[[Section], dict[str, Any]]) -> Any:
    """A data set, or a list of them where there are several sources or targets."""
    if isinstance(section.left[key], (list, tuple)):
        return [translate(one) for one in section.sections(key)]
    return translate(Section(section.take(key), section.name(key)))


def _evaluation_set(section: Section, inputs: list[dict[str, Any]]) -> dict[str, Any]:
    section.expect('test_mode', True)
    dataset = _dataset(section, inputs, training=False)
    return {**dataset, 'test_mode': True} if 'type' in dataset else dataset


def _dataset(section: Section, inputs: list[dict[str, Any]], training: bool, labels: bool = True) -> dict[str, Any]:
    new = {key: section.take(key) for key in ('type', 'img_suffix', 'seg_map_suffix', 'ignore_index') if key in section}
    if 'data_root' in section:
        new['data_root'] = section.take('data_root').rstrip('/') or '/'
    folders = {'img_path': section.take('img_dir'), 'seg_map_path': section.take('ann_dir')}
    prefix = {key: folder.rstrip('/') for key, folder in folders.items() if folder is not None}
    depth = depth_prefix(section)
    if prefix := prefix | (depth if training else {}):
        new |= _acdc_split(prefix) if new.get('type') == 'ACDCDataset' else {'data_prefix': prefix}
    if metainfo := {key: section.take(key) for key in ('classes', 'palette') if key in section}:
        new['metainfo'] = metainfo
    # The GTA class knows only 'train', its whole folder.
    section.expect('split', None, *(['train'] if new.get('type') == 'GTADataset' else []))
    section.expect('test_mode', not training)
    zero = section.take('reduce_zero_label', False)
    if 'pipeline' in section:
        transforms = section.sections('pipeline')
        pipeline = _training_pipeline(transforms, inputs, labels) if training else _test_pipeline(transforms, inputs)
        for step in pipeline:
            if zero and step['type'] in LABEL_READERS:
                step['reduce_zero_label'] = True
        new['pipeline'] = pipeline
    elif zero:
        raise ValueError(f'0.x config: {section.name("reduce_zero_label")} needs a pipeline beside it')
    section.close()
    return new


def _acdc_split(prefix: dict[str, str]) -> dict[str, Any]:
    """The originals read a copy of ACDC without its folders of conditions; by its split either layout is found."""
    split = prefix.get('img_path', '').removeprefix('rgb_anon/')
    copied = {'img_path': f'rgb_anon/{split}', 'seg_map_path': f'gt/{split}'}
    whole = all(copied[key] == folder for key, folder in prefix.items()) and 'img_path' in prefix
    return {'split': split} if whole else {'data_prefix': prefix}


def _training_pipeline(steps: list[Section], inputs: list[dict[str, Any]], labels: bool) -> Pipeline:
    """The target's labels were read and never used: they are no longer read, unless its crops are chosen by them."""
    pipeline = [new for step in steps for new in _transform(step, inputs)]
    needed = labels or any(step.get('cat_max_ratio', 1.0) < 1 for step in pipeline)
    pipeline = [step for step in pipeline if needed or step['type'] not in LABEL_READERS]
    return [*pipeline, {'type': 'PackTrainInputs'}]


def _test_pipeline(steps: list[Section], inputs: list[dict[str, Any]]) -> Pipeline:
    """Predictions are compared with labels of full size, so the labels are read after resizing."""
    pipeline: Pipeline = []
    for step in steps:
        if step.left.get('type') != 'MultiScaleFlipAug':
            pipeline += _transform(step, inputs)
            continue
        step.take('type')
        scale = step.take('img_scale')
        step.expect('img_ratios', None)
        step.expect('flip_direction', 'horizontal')
        if step.take('flip', False):
            raise ValueError(f'0.x config: {step.name("flip")}=True: set it to False and test with tools/test.py --tta')
        for inner in step.sections('transforms'):
            if inner.left.get('type') == 'Resize' and scale is not None:
                inner.left.setdefault('img_scale', scale)
            pipeline += [new for new in _transform(inner, inputs) if new['type'] != 'RandomFlip']
        step.close()
    pipeline = [step for step in pipeline if step['type'] not in LABEL_READERS]
    return [*pipeline, {'type': 'LoadAnnotations'}, {'type': 'PackSegInputs'}]


def _transform(step: Section, inputs: list[dict[str, Any]]) -> Pipeline:
    """The transforms that do the work of one of 0.x; ``Normalize`` goes to ``inputs``."""
    name = step.take('type')
    new: dict[str, Any] = {'type': name}
    if name == 'Normalize':
        inputs.append(
            {
                'type': 'SegDataPreProcessor',
                'mean': list(step.take('mean')),
                'std': list(step.take('std')),
                'bgr_to_rgb': step.take('to_rgb', True),
            }
        )
    elif name in ('DefaultFormatBundle', 'ImageToTensor', 'Collect'):
        step.take('keys')
        step.take('meta_keys')
    elif name == 'Resize':
        # Without it, sizes are multiples of the image's.
        scale = step.take('img_scale') if 'ratio_range' in step else _needed(step, 'img_scale')
        new |= {} if scale is None else {'scale': _sizes(scale)}
        new['keep_ratio'] = step.take('keep_ratio', True)
        for key in ('ratio_range', 'multiscale_mode', 'min_size'):
            if (value := step.take(key)) is not None:
                new[key] = tuple(value) if key == 'ratio_range' else value
    elif name == 'RandomCrop':
        new['crop_size'] = tuple(step.take('crop_size'))
        if (ratio := step.take('cat_max_ratio', 1.0)) < 1:
            new['cat_max_ratio'] = ratio
        step.expect('ignore_index', 255)
    elif name == 'RandomFlip':
        new['prob'] = step.take('prob', step.take('flip_ratio', 0.0)) or 0.0
        step.expect('direction', 'horizontal')
    elif name == 'Pad':
        divisor = step.take('size_divisor')
        new |= {'size': tuple(_needed(step, 'size'))} if divisor is None else {'size_divisor': divisor}
        step.expect('pad_val', 0)
        step.expect('seg_pad_val', 255)
    else:
        new.update((key, step.take(key)) for key in list(step.left))
    step.close()
    absorbed = name in ('Normalize', 'DefaultFormatBundle', 'ImageToTensor', 'Collect')
    return [] if absorbed else [new]


def _needed(step: Section, key: str) -> Any:
    if (value := step.take(key)) is None:
        raise ValueError(f'0.x config: {step.name("type")} without {key} cannot be translated')
    return value


def _sizes(scale: Any) -> Any:
    """(w, h) or a list of them; JSON wrote tuples as lists."""
    return tuple(scale) if isinstance(scale[0], int) else [tuple(item) for item in scale]


def _finite(value: Any) -> Any:
    """Infinity as the text that a dumped config can hold."""
    return 'inf' if isinstance(value, float) and math.isinf(value) else value


def as_plain(value: Any) -> Any:
    """Config dictionaries as plain ones, all the way down."""
    if isinstance(value, Mapping):
        return {key: as_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(as_plain(item) for item in value)
    return value
