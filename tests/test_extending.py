"""The examples of docs/extending.md train as they stand there."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mmseg.engine.config import load_config
from mmseg.engine.runner import Runner
from mmseg.models.uda import build_method
from mmseg.registry import DATASETS, MODELS

PAGE = Path(__file__).parents[1] / 'docs' / 'extending.md'
EXAMPLES = dict(re.findall(r'```python\n# (projects/\w+\.py)\n(.*?)```', PAGE.read_text(), re.DOTALL))
SETTINGS = re.search(r"```python\n(uda = dict\(type='Consistency'.*?)```", PAGE.read_text(), re.DOTALL).group(1)


@pytest.fixture
def projects(tmp_path, monkeypatch):
    for name, code in EXAMPLES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield [name.removesuffix('.py').replace('/', '.') for name in EXAMPLES]
    for module in [module for module in sys.modules if module.split('.')[0] == 'projects']:
        del sys.modules[module]
    # The next test imports the same classes from its own folder.
    for registry, name in ((MODELS, 'Consistency'), (MODELS, 'TinyNet'), (DATASETS, 'FarmlandDataset')):
        registry.module_dict.pop(name, None)


@pytest.fixture
def farmland(tmp_path):
    root = tmp_path / 'data'
    random = np.random.default_rng(0)
    for number in range(4):
        for folder, name in (('images', f'{number}.jpg'), ('labels', f'{number}_mask.png')):
            path = root / folder / 'north' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shape = (64, 64, 3) if folder == 'images' else (64, 64)
            Image.fromarray(random.integers(0, 256 if folder == 'images' else 3, shape, dtype=np.uint8)).save(path)
    return str(root)


def _domain(root, labelled):
    return {
        'type': 'FarmlandDataset',
        'data_root': root,
        'data_prefix': {'img_path': 'images', 'seg_map_path': 'labels'},
        'pipeline': [
            {'type': 'LoadImageFromFile'},
            *([{'type': 'LoadAnnotations'}] if labelled else []),
            {'type': 'PackTrainInputs'},
        ],
    }


def test_the_page_has_the_examples():
    assert sorted(EXAMPLES) == ['projects/consistency.py', 'projects/farmland.py', 'projects/tiny_net.py']
    assert all(len(code.splitlines()) <= 45 for code in EXAMPLES.values())


def test_the_examples_train(tmp_path, projects, farmland):
    config = tmp_path / 'own.py'
    config.write_text(f'custom_imports = dict(imports={projects!r})\n{SETTINGS}')
    cfg = Config.fromfile(config)
    channels = [16, 32, 64, 128]
    cfg.merge_from_dict(
        {
            'model': {
                'type': 'EncoderDecoder',
                'data_preprocessor': {'type': 'SegDataPreProcessor', 'mean': [120.0] * 3, 'std': [58.0] * 3},
                'backbone': {'type': 'TinyNet'},
                'decode_head': {
                    'type': 'SegFormerHead',
                    'in_channels': channels,
                    'in_index': [0, 1, 2, 3],
                    'channels': 16,
                    'num_classes': 3,
                    'norm_cfg': {'type': 'BN'},
                    'decoder_params': {'embed_dim': 16, 'conv_kernel_size': 1},
                    'loss_decode': {'type': 'CrossEntropyLoss'},
                },
            },
            'train_dataloader': {
                'batch_size': 2,
                'num_workers': 0,
                'dataset': {
                    'type': 'UDADataset',
                    'source': _domain(farmland, labelled=True),
                    'target': _domain(farmland, labelled=False),
                },
            },
            'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.01}},
            'train_cfg': {'max_iters': 2},
            'default_hooks': {'logger': {'interval': 1}, 'panels': None},
            'work_dir': str(tmp_path / 'run'),
        }
    )
    method = Runner.from_cfg(cfg).train()
    assert type(method).__name__ == 'Consistency'
    log = (tmp_path / 'run' / 'log.jsonl').read_text()
    assert 'trg.loss_consistency' in log and 'decode.loss_seg' in log
    assert (tmp_path / 'run' / 'latest.pth').exists()


@pytest.mark.parametrize('name', ['consistency', 'convnext'])
def test_own_parts_over_a_base(tmp_path, projects, name):
    """The examples over ``_base_`` build; a small config stands in for the named one."""
    code = re.search(rf'```python\n# configs/mine/{name}\.py\n(.*?)```', PAGE.read_text(), re.DOTALL).group(1)
    base, count = re.subn(r"'\.\./daformer/\w+\.py'", repr(str(PAGE.parents[1] / 'configs/demo/daformer.py')), code)
    assert count == 1
    config = tmp_path / f'{name}.py'
    config.write_text(base)
    method = build_method(load_config(config))
    if name == 'consistency':
        assert type(method).__name__ == 'Consistency' and method.weight == 0.5
    else:
        assert method.student.backbone.model_name == 'convnext_tiny'
        assert method.student.backbone.out_channels == [96, 192, 384, 768]
