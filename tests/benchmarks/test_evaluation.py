"""The baseline must count what the evaluation counts, or its time says nothing."""

import argparse
import json

import numpy as np
import pytest
from PIL import Image

from benchmarks._plain_evaluation import predict_plainly
from benchmarks.evaluation import main, parse_mode, parse_way
from mmseg.datasets import collate_samples
from mmseg.evaluation.evaluate import build_metric, build_networks, predict_all
from mmseg.registry import DATASETS
from tests.tools.tiny_run import config, write_images


def counts_of(results):
    return [np.array(result['counts']) for result in results]


def test_all_ways_count_the_same_pixels_as_the_baseline(tmp_path, capsys):
    path = tmp_path / 'config.py'
    config(tmp_path).dump(path)
    arguments = [str(path), '--plain', '--size', '64x96', '--images', '2', '--crop', '32x32', '--write']
    ways = ['config', 'slide:1', 'whole+tta']
    main([*arguments, '--ways', *ways, '--modes', 'fp32', 'bf16+channels_last', '--json', str(tmp_path / 'out.json')])
    stored = json.loads((tmp_path / 'out.json').read_text())
    results = stored['configs'][0]['results']
    assert [result['way'] for result in results] == [way for way in ways for _ in range(3)]
    for plain, fast, low in zip(*(counts_of(results[start::3]) for start in range(3)), strict=True):
        assert plain.sum() == 2 * 64 * 96 - 2 * 8 * 96
        assert np.abs(plain - fast).sum() <= 4
        assert 0 < np.abs(plain - low).sum() < 0.3 * plain.sum() or np.array_equal(plain, low)
    assert capsys.readouterr().out.count('| fp32 |') == len(ways)
    assert stored['size'] == [64, 96] and all(result['images_per_second'] > 0 for result in results)


def test_the_baseline_and_the_evaluation_write_the_same_files(tmp_path):
    write_images(tmp_path, 'val', 3)
    cfg = config(tmp_path)
    dataset = DATASETS.build(cfg.test_dataloader.dataset.to_dict())
    preprocessor, model = build_networks(cfg)
    model.eval()
    batches = [collate_samples([dataset[number]]) for number in range(3)]
    plain = predict_plainly(model, preprocessor, batches, 3, str(tmp_path / 'plain'))
    metric = build_metric(cfg, dataset, {'output_dir': str(tmp_path / 'fast'), 'to_label_id': False})
    predict_all(model, preprocessor, batches, metric)
    metric.evaluate(3)
    np.testing.assert_array_equal(plain, metric.confusion.numpy())
    files = sorted(path.name for path in (tmp_path / 'plain').iterdir())
    assert len(files) == 3
    for name in files:
        stored = [np.asarray(Image.open(tmp_path / folder / name)) for folder in ('plain', 'fast')]
        np.testing.assert_array_equal(*stored)


@pytest.mark.parametrize(('parse', 'text'), [(parse_mode, 'fp32+bf16'), (parse_way, 'slide:0'), (parse_way, 'tta')])
def test_wrong_words(parse, text):
    with pytest.raises(argparse.ArgumentTypeError, match=text.split('+')[0]):
        parse(text)
