"""docs/custom_dataset.md from top to bottom: its config and commands, on a small farm."""

import importlib
import json
import re
import shlex
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import timm
import torch
from mmengine.config import Config
from PIL import Image

from mmseg.datasets.image_io import read_label
from mmseg.registry import DATASETS
from tests.datasets.tiny_data import write_gta

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / 'docs' / 'custom_dataset.md').read_text()
PYTHON = re.findall(r'```python\n(.*?)```', PAGE, re.DOTALL)
COMMANDS = [line for block in re.findall(r'```shell\n(.*?)```', PAGE, re.DOTALL) for line in block.splitlines()]
CLASSES = ['soil', 'crop', 'weed']


def block(start):
    [found] = [code for code in PYTHON if code.startswith(start)]
    return found


def draw_farm(root):
    """Rows of crop and some weeds on soil; a palette PNG among the label maps; no labels in the field."""
    for domain, count, tint in (('greenhouse', 4, 0), ('field', 3, 40), ('field_val', 2, 40)):
        for n in range(count):
            generator = np.random.default_rng(n)
            label = np.zeros((48, 64), np.uint8)
            label[:, 10:22] = label[:, 40:52] = 1
            for _ in range(3):
                cv2.circle(label, (int(generator.integers(64)), int(generator.integers(40))), 5, 2, -1)
            label[44:] = 255
            colours = np.full((256, 3), 90)
            colours[:3] = [140, 100, 60], [60, 160, 60], [150, 190, 50]
            noise = generator.normal(tint, 12, (48, 64, 3))
            pictures = {'images': Image.fromarray((colours[label] + noise).clip(0, 255).astype(np.uint8))}
            if domain != 'field':
                pictures['labels'] = Image.fromarray(label)
                if n == 1:
                    pictures['labels'].putpalette(colours.astype(np.uint8).ravel().tolist())
            for folder, picture in pictures.items():
                path = root / domain / folder / f'{n:03d}.{"jpg" if folder == "images" else "png"}'
                path.parent.mkdir(parents=True, exist_ok=True)
                picture.save(path)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with the data, the page's config and weights for its network."""
    monkeypatch.chdir(tmp_path)
    draw_farm(Path('data/farm'))
    Path('configs/farm').mkdir(parents=True)
    Path('configs/_base_').symlink_to(ROOT / 'configs' / '_base_')
    small = {'(512, 256)': '(64, 48)', '(256, 256)': '(48, 48)', 'max_iters=2000': 'max_iters=3', '=500': '=3'}
    code = block("# DAFormer's training").replace('num_workers=2', 'num_workers=0')
    for old, new in small.items():
        assert old in code
        code = code.replace(old, new)
    Path('configs/farm/daformer.py').write_text(code)
    Path('pretrained').mkdir()
    weights = timm.create_model('tf_efficientnet_lite0', num_classes=1).state_dict()
    torch.save(weights, 'pretrained/tf_efficientnet_lite0.pth')
    return tmp_path


def call(command, monkeypatch):
    """Runs a documented command in this process."""
    words = shlex.split(command)
    assert words[0] == 'python'
    module = words[2] if words[1] == '-m' else words[1].removesuffix('.py').replace('/', '.')
    monkeypatch.setattr(sys, 'argv', words[2 if words[1] == '-m' else 1 :])
    return importlib.import_module(module).main()


def test_the_documented_way(here, monkeypatch, capsys):
    for command in COMMANDS:
        call(command, monkeypatch)
    printed = capsys.readouterr()
    assert 'Dry run passed' in printed.out
    assert 'weed' in printed.out and 'rare_class_sampling=dict(min_pixels=' in printed.out
    for run in ('daformer', 'source_only'):
        log = Path(f'work_dirs/{run}/log.jsonl').read_text()
        rows = [json.loads(line) for line in log.splitlines()]
        assert [row['iter'] for row in rows if row['mode'] == 'train'] == [1]
        assert ('mix.decode.loss_seg' in log) == (run == 'daformer')
        assert Path(f'work_dirs/{run}/latest.pth').is_file()
    scores = json.loads(Path('work_dirs/daformer/eval_latest.json').read_text())['scores']
    assert {key for key in scores if key.startswith('IoU.')} == {f'IoU.{name}' for name in CLASSES}
    drawn = sorted(path.name for path in Path('work_dirs/daformer/field').iterdir())
    assert drawn == ['000.png', '001.png', '002.png'], 'of photographs that have no labels'


def test_another_number_of_classes_stops_at_once(here, monkeypatch):
    options = 'model.decode_head.num_classes=19 model.pretrained=None uda.feature_distance=None '
    command = f'python tools/train.py configs/farm/daformer.py --cfg-options {options}'
    with pytest.raises(ValueError, match='network has 19 classes, the data set of train_dataloader 3: set'):
        call(f'{command} train_dataloader.dataset.rare_class_sampling=None', monkeypatch)


def test_colours_to_ids(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    colours = np.array([[[140, 100, 60], [60, 160, 60]], [[220, 60, 60], [1, 2, 3]]], np.uint8)
    path = Path('data/farm/greenhouse/colours/north/0.png')
    path.parent.mkdir(parents=True)
    Image.fromarray(colours).save(path)
    exec(compile(block('# colours_to_ids.py'), 'colours_to_ids.py', 'exec'), {})
    np.testing.assert_array_equal(read_label('data/farm/greenhouse/labels/north/0.png'), [[0, 1], [2, 255]])


def test_merged_classes(tmp_path, monkeypatch, capsys):
    """The documented source with a label_map loads, and its statistics show both sets of classes."""
    monkeypatch.chdir(tmp_path)
    write_gta(tmp_path / 'data/gta', count=3)
    Path('merged.py').write_text(block('source = dict(') + 'train_dataloader = dict(dataset=source)\n')
    assert call('python tools/dataset_statistics.py --config merged.py --nproc 1', monkeypatch) == 0
    table = capsys.readouterr().out
    assert re.search(r'│ +1 │ sidewalk +│ +[\d.]+ │ street +│', table)
    assert re.search(r'│ +10 │ sky +│ +[\d.]+ │ ignore +│', table)
    steps = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}, {'type': 'PackTrainInputs'}]
    dataset = DATASETS.build({**Config.fromfile('merged.py').source.to_dict(), 'pipeline': steps})
    stored = read_label(f'{dataset.seg_map_dir}/{dataset.label_names[0]}')
    seen = dataset.sample(0, None)['label'].numpy()
    assert set(np.unique(seen)) <= {0, 1, 2, 255}
    assert (seen[np.isin(stored, [0, 1])] == 0).all() and (seen[np.isin(stored, [13, 14, 15])] == 2).all()


def test_the_page_tells_what_programs_say():
    """Quoted messages are those of the code."""
    code = '\n'.join(path.read_text() for path in (ROOT / 'mmseg').rglob('*.py'))
    for part in (
        'images have no label map, e.g. ',
        'is a colour picture',
        ' in no label map: no network can learn that',
        'rare class sampling needs ',
        'rare_class_sampling: no image has more than min_pixels=',
        'source and target have different classes',
        'uda.feature_distance.classes has ',
    ):
        assert part in code, part
