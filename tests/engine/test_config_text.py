"""Configs as text are read, and nothing in them is run."""

import math

import pytest
from mmengine.config import Config

from mmseg.engine.config import load_config
from mmseg.engine.config_text import read_config_text


@pytest.mark.parametrize('name', ['demo/daformer', 'camvid/hrda_daformer', 'demo/pmdav2', 'demo/cdda'])
def test_a_resolved_config(name):
    text = load_config(f'configs/{name}.py').pretty_text
    assert read_config_text(text) == Config.fromstring(text, '.py').to_dict()


def test_values():
    text = "a = [1, -2.5, None, (True, 'x')]\nb = dict({'two words': dict(c=1e-3)}, d={})\n"
    text += "e = dict(f=inf, g=float('-inf'))\n"
    settings = read_config_text(text)
    assert settings['a'] == [1, -2.5, None, (True, 'x')] and settings['b'] == {'two words': {'c': 1e-3}, 'd': {}}
    assert settings['e'] == {'f': math.inf, 'g': -math.inf}


@pytest.mark.parametrize(
    'text', ['import os', "a = open('x')", 'a = dict(b=c)', 'a = [*b]', 'a.b = 1', 'a = {**b}', 'a = (', 'a = 1 + 1']
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match='not (the text|a value) of a'):
        read_config_text(text)
