import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmseg.datasets.randomness import Draws, sample_generator
from mmseg.datasets.rare_class_sampling import RareClassSampling, class_probabilities, redraw_until
from mmseg.datasets.transforms import loading, photometric
from mmseg.registry import DATASETS
from tests.datasets.tiny_data import gta_config, train_pipeline, write_gta


@given(
    st.lists(st.dictionaries(st.integers(0, 9).map(str), st.integers(1, 10**7)), min_size=1).filter(any),
    st.floats(0.005, 10),
)
def test_probabilities(stats, temperature):
    classes, probabilities = class_probabilities([{**item, 'file': 'x'} for item in stats], temperature)
    total = {c: sum(item.get(str(c), 0) for item in stats) for c in classes}
    assert {str(c) for c in classes} == {key for item in stats for key in item}
    assert [total[c] for c in classes] == sorted(total.values())
    share = np.array([total[c] for c in classes]) / sum(total.values())
    direct = np.exp((1 - share) / temperature)
    np.testing.assert_allclose(probabilities, direct / direct.sum(), rtol=1e-6)


def test_infinite_temperature_is_uniform():
    _, probabilities = class_probabilities([{'0': 1, '1': 10**9}], float('inf'))
    np.testing.assert_array_equal(probabilities, [0.5, 0.5])


def test_redraw_until():
    drawn = []

    def draw():
        drawn.append(len(drawn))
        return drawn[-1]

    assert redraw_until(draw, lambda value: value == 3) == 3 and len(drawn) == 4
    drawn.clear()
    assert redraw_until(draw, lambda value: False) == 10 and len(drawn) == 11


@pytest.fixture
def root(tmp_path):
    return write_gta(tmp_path, count=6, size=(40, 60))


def build(root, **kwargs):
    dataset = DATASETS.build(gta_config(root))
    return dataset, RareClassSampling(dataset, **{'min_pixels': 60, **kwargs})


def test_draws_follow_the_probabilities(root):
    _, sampling = build(root, class_temp=0.05)
    generator = np.random.default_rng(0)
    drawn = [sampling.draw(Draws(generator))[0] for _ in range(4000)]
    share = [drawn.count(class_id) / 4000 for class_id in sampling.classes]
    np.testing.assert_allclose(share, sampling.probabilities, atol=0.03)


def test_candidates_hold_enough_pixels_and_come_equally_often(root):
    dataset, sampling = build(root)
    with open(f'{root}/samples_with_class.json') as file:
        files = json.load(file)
    for class_id, indices in sampling.candidates.items():
        names = {f'{root}/labels/{dataset.label_names[i]}' for i in indices}
        assert names == {path for path, pixels in files[str(class_id)] if pixels > 60}
    generator = np.random.default_rng(0)
    drawn = [sampling.draw(Draws(generator, {'class': [7]}))[1] for _ in range(600)]
    share = np.unique(drawn, return_counts=True)[1] / 600
    np.testing.assert_allclose(share, 1 / len(sampling.candidates[7]), atol=0.07)


def test_crop_shows_the_class_where_it_can(root):
    dataset, sampling = build(root, min_crop_ratio=0.5)
    shown = []
    for n in range(60):
        draws = Draws(sample_generator(0, n))
        class_id, index = sampling.draw(draws)
        shown.append(int((sampling.sample(index, class_id, draws)['label'] == class_id).sum()) > 30)
    assert np.mean(shown) > 0.9
    plain = RareClassSampling(dataset, min_pixels=60, min_crop_ratio=0)
    without = []
    for n in range(60):
        draws = Draws(sample_generator(0, n))
        class_id, index = plain.draw(draws)
        without.append(int((plain.sample(index, class_id, draws)['label'] == class_id).sum()) > 30)
    assert np.mean(without) < np.mean(shown)


def test_crop_is_drawn_again_for_a_single_pixel_too(root, monkeypatch):
    _, sampling = build(root, min_pixels=0, min_crop_ratio=0.5)
    counted = []
    monkeypatch.setattr(np, 'count_nonzero', lambda found: counted.append(found) or 0)
    draws = Draws(sample_generator(0, 0))
    class_id, index = sampling.draw(draws)
    sampling.sample(index, class_id, draws)
    assert len(counted) == 10


def test_recropping_equals_reloading(root, monkeypatch):
    """Same crops as running the whole pipeline again each time, with one decode."""
    dataset, sampling = build(root, min_crop_ratio=1.5)
    reads = []
    read = loading.read_image
    monkeypatch.setattr(loading, 'read_image', lambda path: reads.append(path) or read(path))
    boxes = [(y, y + 32, x, x + 32) for y, x in ((0, 0), (8, 28), (4, 10), (8, 0), (3, 20))] * 40
    for class_id in sampling.classes[:5]:
        index = int(sampling.candidates[class_id][0])
        given = {'crop_box': boxes, 'flip': [0.9] * 20}
        generator = np.random.default_rng(0)
        reads.clear()
        ours = sampling.sample(index, class_id, Draws(generator, given))
        assert len(reads) == 1
        draws = Draws(generator, given)
        reloaded = redraw_until(
            lambda draws=draws, index=index: dataset.sample(index, draws),
            lambda sample, class_id=class_id: (sample['label'] == class_id).sum() > 90,
        )
        assert (ours['image'] == reloaded['image']).all() and (ours['label'] == reloaded['label']).all()


def test_missing_or_broken_statistics(root, tmp_path):
    for name in ('samples_with_class.json', 'sample_class_stats.json'):
        content = (tmp_path / name).read_text()
        (tmp_path / name).unlink()
        with pytest.raises(FileNotFoundError, match=name) as error:
            build(root)
        assert f'python tools/convert_datasets/gta.py {root}' in str(error.value) and '\n' not in str(error.value)
        (tmp_path / name).write_text(content[:50])
        with pytest.raises(ValueError, match=f'{name} is broken'):
            build(root)
        (tmp_path / name).write_text(content)


def test_class_without_large_images(root):
    with pytest.raises(ValueError, match='lower rare_class_sampling.min_pixels') as error:
        build(root, min_pixels=500)
    assert 'min_pixels=500' in str(error.value) and '\n' not in str(error.value)


def test_absent_class_does_not_occur(tmp_path):
    root = write_gta(tmp_path, count=4, num_classes=5)
    _, sampling = build(root)
    assert sorted(sampling.classes) == [0, 1, 2, 3, 4]


def test_statistics_of_other_files_or_classes(root, tmp_path):
    other = write_gta(tmp_path / 'other', count=8)
    for name in ('samples_with_class.json', 'sample_class_stats.json'):
        (tmp_path / name).write_text((tmp_path / 'other' / name).read_text())
    dataset, sampling = build(root)  # names of two files more than the dataset has: they are left out
    assert max(max(indices) for indices in sampling.candidates.values()) < len(dataset)
    renamed = gta_config(other)
    for path in [*(tmp_path / 'other/images').iterdir(), *(tmp_path / 'other/labels').iterdir()]:
        path.rename(path.with_name('x' + path.name))
    with pytest.raises(ValueError, match='names none of the label maps'):
        RareClassSampling(DATASETS.build(renamed), min_pixels=60)
    few = DATASETS.build(gta_config(root, metainfo={'classes': ('a', 'b'), 'palette': [[0, 0, 0], [1, 1, 1]]}))
    with pytest.raises(ValueError, match='the dataset has 2 classes'):
        RareClassSampling(few, min_pixels=60)


def test_infinity_from_a_config(root):
    _, sampling = build(root, class_temp='inf')
    np.testing.assert_allclose(sampling.probabilities, 1 / 19)
    with pytest.raises(ValueError, match='class_temp'):
        build(root, class_temp=0)


def test_photometric_steps_run_once(root, monkeypatch):
    """Transforms behind the crop that cannot change labels are not repeated for every redrawn crop."""
    calls = []
    distort = photometric.distort
    monkeypatch.setattr(photometric, 'distort', lambda *args: calls.append(1) or distort(*args))
    pipeline = train_pipeline()
    pipeline.insert(5, {'type': 'PhotoMetricDistortion'})
    dataset = DATASETS.build(gta_config(root, pipeline=pipeline))
    sampling = RareClassSampling(dataset, min_pixels=60, min_crop_ratio=100)
    sampling.sample(0, 0, Draws(sample_generator(0, 0)))
    assert len(calls) == 1
