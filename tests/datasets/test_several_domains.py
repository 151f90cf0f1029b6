"""Lists of sources and of targets: one domain each, drawn by the number of files, each part with its own pipeline."""

from collections import Counter

import numpy as np
import pytest
from mmengine.config import Config

from mmseg.datasets import ConcatDataset, RareClassSampling, UDADataset
from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.conversion import class_counts, write_statistics
from mmseg.datasets.metainfo import dataset_metainfo
from mmseg.datasets.randomness import Draws, sample_generator, shuffled_index
from mmseg.engine.dataset_pass import domain_dataset
from mmseg.registry import DATASETS
from tests.datasets.tiny_data import (
    cityscapes_config,
    gta_config,
    picture,
    save,
    train_ids,
    train_pipeline,
    write_cityscapes,
    write_gta,
)


def write_synscapes(root, count=3, size=(30, 60), classes=19):
    stats = []
    for i in range(1, count + 1):
        label = train_ids(*size, seed=i + 20, num_classes=classes)
        save(root / f'img/rgb/{i}.png', picture(*size, seed=i + 20))
        path = save(root / f'img/class/{i}_gt_labelTrainIds.png', label)
        stats.append((path, class_counts(label)))
    write_statistics(str(root), stats)
    return str(root)


def synscapes_config(root, **kwargs):
    prefix = {'img_path': 'img/rgb', 'seg_map_path': 'img/class'}
    return {
        'type': 'SynscapesDataset',
        'data_root': root,
        'data_prefix': prefix,
        'pipeline': train_pipeline(),
        **kwargs,
    }


def write_mapillary(root, count=4, size=(48, 36)):
    for i in range(count):
        save(root / f'training/images/m{i}.jpg', picture(*size, seed=i + 70))
        save(root / f'cityscape_trainIdLabel/train/label/m{i}.png', train_ids(*size, seed=i + 70))
    return str(root)


def mapillary_config(root, **kwargs):
    prefix = {'img_path': 'training/images', 'seg_map_path': 'cityscape_trainIdLabel/train/label'}
    steps = train_pipeline(labels=False)
    steps[1] = {'type': 'Resize', 'scale': (64, 32), 'keep_ratio': True, 'min_size': 32}
    return {'type': 'MapillaryDataset', 'data_root': root, 'data_prefix': prefix, 'pipeline': steps, **kwargs}


@pytest.fixture
def sources(tmp_path):
    return [
        gta_config(write_gta(tmp_path / 'gta', count=6)),
        synscapes_config(write_synscapes(tmp_path / 'synscapes', count=3)),
    ]


@pytest.fixture
def targets(tmp_path):
    return [
        cityscapes_config(write_cityscapes(tmp_path / 'cityscapes', count=2)),
        mapillary_config(write_mapillary(tmp_path / 'mapillary', count=4)),
    ]


def names_of(dataset):
    return [[f'{part.img_dir}/{name}' for name in part.img_names] for part in dataset.parts]


def test_each_part_has_the_share_of_its_files(sources, targets):
    pairs = UDADataset(sources, targets)
    assert (len(pairs.source), len(pairs.target), len(pairs)) == (9, 6, 54)
    samples = [pairs.pair(number) for number in range(300)]
    drawn = Counter(sample['source']['meta']['dataset'] for sample in samples)
    seen = Counter(sample['target']['meta']['dataset'] for sample in samples)
    assert set(drawn) == {'gta', 'synscapes'} and set(seen) == {'cityscapes', 'mapillary'}
    assert drawn['gta'] / 300 == pytest.approx(6 / 9, abs=0.1)
    assert seen['mapillary'] / 300 == pytest.approx(4 / 6, abs=0.1)
    files = {sample['source']['meta']['img_path'] for sample in samples}
    assert files == {name for part in names_of(pairs.source) for name in part}
    assert all(sample['target']['image'].shape == (3, 32, 32) for sample in samples[:20])


def test_shuffled_order_takes_every_source_file_once_per_epoch(sources, targets):
    pairs = UDADataset(sources, targets, source_order='shuffled')
    epochs = [[pairs.pair(9 * e + n)['source']['meta']['img_path'] for n in range(9)] for e in range(3)]
    assert all(len(set(epoch)) == 9 for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    one = UDADataset(sources[0], targets[0], source_order='shuffled')
    assert len({one.pair(n)['source']['meta']['img_path'] for n in range(6)}) == 6


def test_shuffled_order_of_targets(sources, targets):
    pairs = UDADataset(sources[0], targets[0], source_order='shuffled', target_order='shuffled')
    count = len(pairs.target)
    names = [pairs.pair(n)['target']['meta']['img_path'] for n in range(3 * count)]
    assert all(len(set(names[start : start + count])) == count for start in range(0, 3 * count, count))
    orders = [[shuffled_index(0, n, 50, target) for n in range(50)] for target in (False, True)]
    assert sorted(orders[0]) == sorted(orders[1]) and orders[0] != orders[1]
    half = pairs.source_half(5)
    assert (half['image'] == pairs.pair(5)['source']['image']).all()


def test_parts_keep_their_own_pipelines_and_margins(sources, targets):
    pairs = UDADataset(sources, targets, pseudo_margins=[4, 8, 2, 2])
    for dataset, size in zip(pairs.target.parts, ((32, 64), (43, 32)), strict=True):
        sample = dataset.pipeline.transforms[1](dataset.pipeline.transforms[0](dataset.record(0, None)))
        assert sample['img'].shape[:2] == size
    # Margins are in pixels of each target's own canvas: of Cityscapes' 1024x2048 one pixel is left here.
    masks = {name: [] for name in ('cityscapes', 'mapillary')}
    for number in range(40):
        target = pairs.pair(number)['target']
        masks[target['meta']['dataset']].append(target['valid'].numpy())
    assert np.mean(masks['cityscapes']) > 0.95 and np.mean(masks['mapillary']) < 0.9


def test_each_target_has_margins_of_its_own(sources, targets):
    pairs = UDADataset(sources, targets, pseudo_margins=[None, [4, 8, 2, 2]])
    masks = {'cityscapes': [], 'mapillary': []}
    for number in range(20):
        target = pairs.pair(number)['target']
        masks[target['meta']['dataset']].append(target['valid'].numpy())
    # Without margins only padding is left out.
    assert np.mean(masks['cityscapes']) == 1 and np.mean(masks['mapillary']) < 0.9
    with pytest.raises(ValueError, match='pseudo_margins lists 1 margins for 2 target data sets'):
        UDADataset(sources, targets, pseudo_margins=[[4, 8, 2, 2]])


def test_rare_class_sampling_adds_up_the_statistics(sources, targets):
    sampling = {'min_pixels': 20, 'class_temp': 0.1, 'min_crop_ratio': 0.5}
    pairs = UDADataset(sources, targets, rare_class_sampling=sampling)
    pixels, files = Counter(), {}
    offset = 0
    for part in pairs.source.parts:
        for index in range(len(part)):
            label = part.pipeline.transforms[1](part.record(index, None))['gt_seg_map']
            for class_id, count in class_counts(label).items():
                pixels[class_id] += count
                if count > 20:
                    files.setdefault(class_id, set()).add(offset + index)
        offset += len(part)
    share = np.array([pixels[c] for c in sorted(pixels)]) / sum(pixels.values())
    weight = np.exp((1 - share) / 0.1)
    expected = dict(zip(sorted(pixels), weight / weight.sum(), strict=True))
    rcs = pairs.rare_class_sampling
    assert dict(zip(rcs.classes, rcs.probabilities, strict=True)) == pytest.approx(expected)
    assert {c: set(found.tolist()) for c, found in rcs.candidates.items()} == files
    drawn = [pairs.pair(number)['source'] for number in range(60)]
    assert {sample['meta']['dataset'] for sample in drawn} == {'gta', 'synscapes'}
    shown = [(sample['label'] == sample['meta']['sampled_class']).any() for sample in drawn]
    assert np.mean(shown) > 0.9


def test_a_class_of_one_source_alone_is_drawn_from_there(tmp_path, targets):
    sources = [
        gta_config(write_gta(tmp_path / 'gta', count=3, num_classes=5)),
        synscapes_config(write_synscapes(tmp_path / 'synscapes', count=3)),
    ]
    rcs = UDADataset(sources, targets, rare_class_sampling={'min_pixels': 0, 'class_temp': 1}).rare_class_sampling
    assert sorted(rcs.classes) == list(range(19))
    assert all(min(rcs.candidates[c]) >= 3 for c in range(5, 19))
    assert any(min(rcs.candidates[c]) < 3 for c in range(5))


def test_a_class_that_no_source_shows_enough_is_an_error(sources):
    dataset = DATASETS.build(sources)
    with pytest.raises(ValueError, match=r'no image has more than min_pixels=999 pixels of class \d+ \(.+largest has'):
        RareClassSampling(dataset, min_pixels=999)


def test_class_balanced_sampling_over_sources(sources, targets):
    pairs = UDADataset(sources, targets, class_balanced_sampling={})
    assert pairs.class_balanced_sampling.presence.shape == (9, 19)
    alone = UDADataset(sources[1], targets, class_balanced_sampling={}).class_balanced_sampling.presence
    np.testing.assert_array_equal(pairs.class_balanced_sampling.presence[6:], alone)
    assert {pairs.pair(n)['source']['meta']['dataset'] for n in range(20)} == {'gta', 'synscapes'}
    wrapped = DATASETS.build({'type': 'ClassBalancedDataset', 'dataset': sources})
    assert len(wrapped) == 9 and wrapped[0]['image'].shape == (3, 32, 32)
    with pytest.raises(ValueError, match='label_info names 1 files for 2 datasets'):
        UDADataset(sources, targets, class_balanced_sampling={'label_info': 'gta_label_info.p'})


def test_number_and_seed_decide_everything(sources, targets):
    one, other = (UDADataset(sources, targets, source_order='shuffled') for _ in range(2))
    assert (one[7]['source']['image'] == other[7]['source']['image']).all()
    other.set_seed(1)
    paths = [[pairs[n]['source']['meta']['img_path'] for n in range(9)] for pairs in (one, other)]
    assert paths[0] != paths[1]


def test_supervised_training_on_a_list(sources):
    dataset = DATASETS.build(sources)
    assert isinstance(dataset, ConcatDataset) and dataset.num_classes == 19
    paths = {dataset[number]['meta']['img_path'] for number in range(9)}
    assert paths == {name for part in names_of(dataset) for name in part}
    for index in range(9):
        part, own = dataset.locate(index)
        assert dataset.sample(index, Draws(sample_generator(0, 0)))['meta']['img_path'].endswith(part.img_names[own])


def test_test_mode_goes_through_the_files_in_order(targets):
    dataset = DATASETS.build([{**config, 'test_mode': True} for config in targets])
    metas = [dataset[number]['meta'] for number in range(len(dataset))]
    assert [meta['img_path'] for meta in metas] == [name for part in names_of(dataset) for name in part]
    assert dataset.metainfo['datasets'] == ('cityscapes', 'mapillary')
    assert dataset.image_name(metas[-1]) == 'mapillary/m3.jpg'
    assert dataset.image_name(metas[0]) == 'cityscapes/aachen/aachen_000000_000019_leftImg8bit.png'
    with pytest.raises(IndexError):
        dataset[len(dataset)]


def test_a_list_of_one_is_that_dataset(sources):
    assert type(DATASETS.build(sources[:1])).__name__ == 'GTADataset'


def test_stages_read_all_targets(sources, targets):
    cfg = Config({'train_dataloader': {'dataset': {'type': 'UDADataset', 'source': sources, 'target': targets}}})
    dataset = domain_dataset(cfg, 'target', lambda steps: [steps[0], steps[-1]])
    assert len(dataset) == 6 and dataset.test_mode and dataset[5]['image'].shape == (3, 48, 36)
    assert dataset_metainfo(cfg.train_dataloader.dataset)['classes'][0] == 'road'
    assert dataset_metainfo(sources)['classes'][0] == 'road'


def test_names():
    class Cars(BaseSegDataset):
        METAINFO = {'classes': ('car',)}

        def _find_images(self):
            return {'a': 'a.png'}

    assert Cars().name == 'cars' and Cars(name='vans').name == 'vans'


def test_plain_dataset_is_called_after_its_folder(tmp_path):
    save(tmp_path / 'farm.2/a.png', picture(4, 4))
    assert BaseSegDataset(data_root=str(tmp_path / 'farm.2'), metainfo={'classes': ('soil',)}).name == 'farm_2'


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda configs: [], 'the list of datasets is empty'),
        (
            lambda configs: [configs[0], configs[0]],
            "two datasets of one list are called 'gta': give each its own, name=",
        ),
        (lambda configs: [configs[0], {**configs[1], 'name': 'a.b'}], "dataset name 'a.b'"),
        (
            lambda configs: [configs[0], {**configs[1], 'metainfo': {'classes': ('a', 'b')}}],
            r'different classes: 19 in gta \(road, sidewalk, building, ...\), 2 in synscapes \(a, b, ...\)',
        ),
    ],
)
def test_bad_lists(sources, change, message):
    with pytest.raises(ValueError, match=message):
        DATASETS.build(change(sources))


def test_bad_source_order(sources, targets):
    for name in ('source_order', 'target_order'):
        with pytest.raises(ValueError, match=f"{name} is one of random, shuffled, got 'sequential'"):
            UDADataset(sources, targets, **{name: 'sequential'})
    with pytest.raises(ValueError, match='exclude each other'):
        UDADataset(sources, targets, source_order='shuffled', rare_class_sampling={'min_pixels': 1})


def test_missing_labels_name_the_command(tmp_path):
    root = write_mapillary(tmp_path / 'mapillary')
    config = mapillary_config(root, data_prefix={'img_path': 'training/images', 'seg_map_path': 'nowhere'})
    config['pipeline'] = train_pipeline()
    command = f'python tools/convert_datasets/mapillary2cityscape.py {root} {root}/cityscape_trainIdLabel --train_id'
    with pytest.raises(FileNotFoundError, match=command):
        DATASETS.build(config)
