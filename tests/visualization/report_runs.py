"""Runs for the report's tests: folders with a log, a config and an evaluation, without any training."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from mmengine.config import Config

NASTY = 'a <b> & "c" \'d\''
CLASSES = ('road', NASTY, 'car')


def rows(last=200, scale=1.0, val=True):
    """Log rows of a run."""
    meta = {'mode': 'meta', 'iter': 0, 'python': '3.11.7', 'torch': '2.9.1', 'device': 'GPU X', 'processes': 1,
            'seed': 3, 'git': 'abc123-dirty', 'started': '2026-01-02 03:04:05'}  # fmt: skip
    train = [
        {'mode': 'train', 'iter': i, 'lr': 1e-3, 'time': 0.25, 'data_time': 0.01, 'memory': 900,
         'decode.loss_seg': scale * 100 / i}
        for i in (1, *range(50, last + 1, 50))
    ]  # fmt: skip
    validation = [{'mode': 'val', 'iter': 100, 'mIoU': 44.0}, {'mode': 'val', 'iter': 200, 'mIoU': 41.5}]
    return [meta, *train, *(validation if val else [])]


def config(seed=3, **changes):
    dataset = {'type': 'BaseSegDataset', 'metainfo': {'classes': CLASSES, 'palette': [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}}
    content = {
        'model': {'decode_head': {'type': 'DAFormerHead'}, 'backbone': {'type': 'mit_b5'}},
        'train_dataloader': {'dataset': {'type': 'UDADataset', 'source': {'type': 'GTADataset'},
                                         'target': {'type': 'CityscapesDataset'}}},
        'test_dataloader': {'dataset': dataset},
        'train_cfg': {'max_iters': 200},
        'seed': seed,
        **changes,
    }  # fmt: skip
    return Config(content)


def matrix(right=80):
    """Pixel counts: most are right, the second class is often called the first."""
    counts = np.diag([right * 100, 50, 30])
    counts[1, 0] = 50
    counts[2, 1] = 10
    return counts


def write_run(folder, log=None, cfg=None, confusion=None, miou=50.0, **entries) -> Path:
    """A run's folder; what is None is not written."""
    folder.mkdir(parents=True)
    if log is not None:
        (folder / 'log.jsonl').write_text(''.join(json.dumps(row) + '\n' for row in log))
    if cfg is not None:
        cfg.dump(folder / 'config.py')
    if miou is not None:
        scores = {'aAcc': 90.0, 'mIoU': miou, 'mAcc': 60.0}
        scores |= {f'IoU.{name}': value for name, value in zip(CLASSES, (81.25, miou, None), strict=True)}
        content = {'iteration': 200, 'images': 4, 'classes': CLASSES, 'scores': scores, **entries}
        if confusion is not None:
            content['confusion_matrix'] = confusion.tolist()
        (folder / 'eval_latest.json').write_text(json.dumps(content))
    return folder


class Page(HTMLParser):
    """Text, tags and addresses of a page."""

    VOID = ('meta', 'br', 'img', 'input', 'wbr', 'hr', 'link')

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.section = ''
        self.texts: dict[str, str] = {}
        self.pictures: dict[str, int] = {}
        self.feed(html)
        self.close()
        assert not self.open, f'never closed: {self.open}'

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        if tag == 'section':
            self.section = attributes['id']
        if 'id' in attributes:
            self.ids.append(attributes['id'])
        self.addresses += [attributes[key] for key in ('src', 'href', 'srcset', 'action', 'data') if key in attributes]
        if tag == 'img':
            self.pictures[self.section] = self.pictures.get(self.section, 0) + 1
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag in ('td', 'th', 'p', 'li'):
            self.texts[self.section] = self.texts.get(self.section, '') + ' '
        if tag == 'section':
            self.section = ''

    def handle_data(self, data):
        if self.open and self.open[-1] not in ('style', 'script'):
            self.texts[self.section] = self.texts.get(self.section, '') + data

    def text(self, section: str) -> str:
        """What a reader sees of a section, blanks folded."""
        return ' '.join(self.texts.get(section, '').split())
