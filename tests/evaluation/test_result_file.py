import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from mmseg.evaluation.evaluate import Evaluation
from mmseg.evaluation.result_file import predictions_entry, read_result, write_result

CLASSES = ('road', 'a <b> & "c"', 'car')
MATRIX = torch.tensor([[5, 1, 0], [2, 10_000_000_000, 0], [0, 0, 0]])


def write(path, confusion=MATRIX, **facts):
    scores = {'mIoU': 66.66666, 'IoU.road': 62.5, 'IoU.a <b> & "c"': 99.9, 'IoU.car': math.nan}
    evaluation = Evaluation(scores, 4, 1.5, {'iter': 600}, CLASSES, confusion)
    write_result(path, evaluation, {'checkpoint': 'runs/a/latest.pth', 'options': ['ema'], **facts})


def test_what_is_written_is_read(tmp_path):
    (tmp_path / 'preds').mkdir()
    write(tmp_path / 'eval.json', predictions='preds')
    result = read_result(tmp_path / 'eval.json')
    np.testing.assert_array_equal(result.confusion, MATRIX.numpy())
    assert result.confusion.dtype == np.int64
    assert result.classes == CLASSES
    assert result.per_class() == {'road': 62.5, 'a <b> & "c"': 99.9, 'car': None}
    assert result.scores['mIoU'] == 66.6667
    assert (result.iteration, result.images, result.options) == (600, 4, ('ema',))
    assert result.predictions == tmp_path / 'preds'
    assert result.torch_version == torch.__version__


def test_a_matrix_takes_a_line_per_class(tmp_path):
    write(tmp_path / 'with.json')
    write(tmp_path / 'without.json', confusion=None)
    lines = [len((tmp_path / name).read_text().splitlines()) for name in ('with.json', 'without.json')]
    assert lines[0] - lines[1] == 1 + 1 + len(CLASSES) + 1
    assert read_result(tmp_path / 'without.json').confusion is None


def test_files_of_earlier_versions(tmp_path):
    old = {
        'config': 'c.py',
        'iteration': 7,
        'scores': {'aAcc': 1.0, 'IoU.traffic light': 2.0, 'Acc.traffic light': 3.0},
    }
    (tmp_path / 'old.json').write_text(json.dumps(old))
    result = read_result(tmp_path / 'old.json')
    assert result.classes == ('traffic light',)
    assert (result.confusion, result.predictions, result.images) == (None, None, None)


def test_predictions_that_are_gone(tmp_path):
    write(tmp_path / 'eval.json', predictions='preds')
    assert read_result(tmp_path / 'eval.json').predictions is None


def test_the_entry_of_predictions_survives_a_move_of_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert predictions_entry('runs/a/preds', 'runs/a/eval_latest.json') == 'preds'
    assert Path(predictions_entry('elsewhere', 'runs/a/eval_latest.json')) == tmp_path.resolve() / 'elsewhere'


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('{"scores": {', 'broken JSON'),
        ('[1]', 'not the result of an evaluation'),
        ('{"scores": {"IoU.a": 1}, "classes": ["a"], "confusion_matrix": [[1, 2]]}', 'is not 1 x 1 pixel counts'),
        ('{"scores": {"IoU.a": 1}, "classes": ["a"], "confusion_matrix": [["x"]]}', 'is not 1 x 1 pixel counts'),
        ('{"scores": {"IoU.a": 1}, "classes": ["a"], "confusion_matrix": [[-1]]}', 'is not 1 x 1 pixel counts'),
    ],
)
def test_broken_files_are_named(tmp_path, content, message):
    path = tmp_path / 'eval_latest.json'
    path.write_text(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_result(path)
    assert str(caught.value).startswith(f'{path}: ')
    with pytest.raises(FileNotFoundError, match='nothing.json: no such file'):
        read_result(tmp_path / 'nothing.json')
