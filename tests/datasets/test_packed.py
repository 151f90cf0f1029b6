"""A packed copy gives the samples of the folders, bit for bit, or says in one line why it cannot."""

import os
import pickle

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mmseg.datasets import SampleNumberSampler, collate_domains
from mmseg.datasets.packed import pack
from mmseg.datasets.packed.index import INDEX_FILE, UNFINISHED_FILE, PackIndex
from mmseg.datasets.packed.writer import verify
from mmseg.datasets.transforms import LoadAnnotations, LoadDepth, Resize
from mmseg.registry import DATASETS
from tests.datasets.tiny_data import cityscapes_config, gta_config, save, train_pipeline, write_cityscapes, write_gta

RCS = {'min_pixels': 40, 'class_temp': 0.01, 'min_crop_ratio': 0.5}


def source_config(root, **kwargs):
    return gta_config(root, pipeline=train_pipeline((24, 24), (50, 33), cat_max_ratio=0.75), **kwargs)


def target_config(root, **kwargs):
    return cityscapes_config(root, pipeline=train_pipeline((24, 24), (50, 25), labels=False), **kwargs)


@pytest.fixture
def data(tmp_path):
    """Roots of a source and a target whose pipelines make images smaller, and their packs."""
    roots = write_gta(tmp_path / 'gta', 6, (40, 60)), write_cityscapes(tmp_path / 'cs', 5, (32, 64))
    packs = str(tmp_path / 'packed/gta'), str(tmp_path / 'packed/cityscapes')
    for config, folder in zip((source_config(roots[0]), target_config(roots[1])), packs, strict=True):
        make(config, folder)
    return roots, packs


def make(config, folder, **options):
    return pack(DATASETS.build(config), folder, announce=lambda text: None, **options)


def equal(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other


def pairs(data, packed, **options):
    (source, target), folders = data
    keys = [{'packed': folder} if packed else {} for folder in folders]
    config = {
        'type': 'UDADataset',
        'source': source_config(source, **keys[0]),
        'target': target_config(target, **keys[1]),
        'pseudo_margins': (3, 5, 2, 2),
        **options,
    }
    return DATASETS.build(config)


@pytest.mark.parametrize('options', [{}, {'rare_class_sampling': RCS}, {'sync_crop_size': (16, 16)}])
def test_the_samples_of_the_folders(data, options, monkeypatch):
    folders, packs = pairs(data, False, **options), pairs(data, True, **options)
    expected = [folders[number] for number in range(30)]
    monkeypatch.setattr(cv2, 'imdecode', lambda *arguments: pytest.fail('an image file was read'))
    for number in range(30):
        assert equal(packs[number], expected[number]), number
    assert len({sample['source']['meta']['flip'] for sample in expected}) == 2


def test_workers_and_a_start_in_the_middle(data):
    def batches(packed, workers, start, context=None):
        dataset = pairs(data, packed, rare_class_sampling=RCS)
        loader = DataLoader(
            dataset,
            batch_size=2,
            sampler=SampleNumberSampler(dataset, seed=3, start=start),
            num_workers=workers,
            collate_fn=collate_domains,
            multiprocessing_context=context,
        )
        stream = iter(loader)
        return [next(stream) for _ in range(3)]

    expected = batches(False, 0, 8)
    assert equal(batches(True, 2, 8), expected)
    assert equal(batches(True, 1, 4)[2:], expected[:1])


def test_processes_map_the_files_themselves(data):
    dataset = pairs(data, True)
    sample = dataset[5]
    content = pickle.dumps(dataset)
    assert len(content) < 30_000
    assert equal(pickle.loads(content)[5], sample)


def test_depth_maps_and_evaluation(data, tmp_path):
    (root, target), _ = data
    generator = np.random.default_rng(0)
    for number in range(1, 7):
        save(tmp_path / f'gta/depth_any/{number:05d}.png', generator.integers(0, 256, (40, 60), np.uint8))
    steps = train_pipeline((24, 24), (50, 33))
    steps.insert(2, {'type': 'LoadDepth'})
    prefix = {'img_path': 'images', 'seg_map_path': 'labels', 'depth_path': 'depth_any'}
    training = gta_config(root, pipeline=steps, data_prefix=prefix)
    test = cityscapes_config(
        target,
        pipeline=[
            {'type': 'LoadImageFromFile'},
            {'type': 'Resize', 'scale': (40, 20)},
            {'type': 'LoadAnnotations'},
            {'type': 'PackSegInputs'},
        ],
        test_mode=True,
    )
    for name, config in (('training', training), ('test', test)):
        make(config, tmp_path / name)
        plain, packed = DATASETS.build(config), DATASETS.build({**config, 'packed': str(tmp_path / name)})
        for number in range(5):
            one, other = plain[number], packed[number]
            if name == 'training':
                assert equal(one, other)
            else:
                assert torch.equal(one['inputs'], other['inputs'])
                one, other = one['data_samples'], other['data_samples']
                assert one.metainfo == other.metainfo and one.gt_sem_seg.shape == (32, 64)
                assert torch.equal(one.gt_sem_seg.data, other.gt_sem_seg.data)
    found = [
        DATASETS.build({**training, 'packed': str(tmp_path / 'training')}).pipeline.find(kind)
        for kind in (LoadDepth, LoadAnnotations, Resize)
    ]
    assert found == [0, 0, 0]
    # Depth that is resized again keeps its decimals.
    again = {**training, 'pipeline': [*steps[:4], {'type': 'Resize', 'scale': (44, 30)}, *steps[4:]]}
    make(again, tmp_path / 'again')
    plain, packed = DATASETS.build(again), DATASETS.build({**again, 'packed': str(tmp_path / 'again')})
    assert all(equal(plain[number], packed[number]) for number in range(5))


def test_a_pipeline_without_labels_reads_a_pack_with_labels(data):
    (root, _), (folder, _) = data
    config = gta_config(root, pipeline=train_pipeline((24, 24), (50, 33), labels=False))
    plain, packed = DATASETS.build(config), DATASETS.build({**config, 'packed': folder, 'indices': [4, 1]})
    by_path = {sample['meta']['img_path']: sample for sample in (plain.sample(i, draws(i)) for i in range(6))}
    for index, own in ((4, 0), (1, 1)):
        sample = packed.sample(own, draws(index))
        assert equal(sample, by_path[sample['meta']['img_path']])


def draws(number):
    from mmseg.datasets.randomness import Draws, sample_generator

    return Draws(sample_generator(0, number))


def test_several_data_files(data, tmp_path):
    (root, _), _ = data
    folder = tmp_path / 'small'
    make(source_config(root), folder, shard_bytes=15_000)
    assert len(list(folder.glob('data_*.bin'))) == 3
    plain, packed = DATASETS.build(source_config(root)), DATASETS.build(source_config(root, packed=str(folder)))
    assert all(equal(plain[number], packed[number]) for number in range(12))


def test_interrupted_packing_goes_on(data, tmp_path):
    (root, _), (whole, _) = data
    folder = tmp_path / 'begun'

    def interrupted(items, total):
        for number, item in enumerate(items):
            if number == 3:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        make(source_config(root), folder, progress=interrupted)
    with pytest.raises(FileNotFoundError, match='holds 3 of 6 images, packing was interrupted; go on: python tools/'):
        DATASETS.build(source_config(root, packed=str(folder)))
    # As if the process had been killed in the middle of writing.
    with (folder / 'data_000.bin').open('ab') as file:
        file.write(b'half an image')
    with (folder / UNFINISHED_FILE).open('a') as file:
        file.write('{"files": {"ima')
    report = make(source_config(root), folder)
    assert (report.images, report.written) == (6, 3)
    assert (folder / 'data_000.bin').read_bytes() == (tmp_path / 'packed/gta/data_000.bin').read_bytes()
    assert PackIndex.read(folder) == PackIndex.read(whole)
    assert make(source_config(root), folder).written == 0


def test_broken_images_are_named_and_the_pack_waits_for_them(data, tmp_path):
    (root, _), _ = data
    path, folder = tmp_path / 'gta/images/00002.png', tmp_path / 'broken'
    content = path.read_bytes()
    path.write_bytes(b'no image')
    report = make(source_config(root), folder)
    assert len(report.broken) == 1 and '00002.png cannot be read' in report.broken[0]
    assert report.images == 5 and not (folder / INDEX_FILE).exists()
    path.write_bytes(content)
    assert make(source_config(root), folder).images == 6
    plain, packed = DATASETS.build(source_config(root)), DATASETS.build(source_config(root, packed=str(folder)))
    assert all(equal(plain[number], packed[number]) for number in range(12))


def test_stale_packs(data, tmp_path):
    (root, _), (folder, _) = data
    other = gta_config(root, packed=folder, pipeline=train_pipeline((24, 24), (48, 32)))
    with pytest.raises(ValueError, match=r'does not suit the pipeline of gta: image resize: .*50.* instead of .*48'):
        DATASETS.build(other)
    with pytest.raises(ValueError, match=r'label ignore_index: 255 instead of 3'):
        DATASETS.build(source_config(root, packed=folder, ignore_index=3))
    # Another date alone changes nothing, and is noted by packing again.
    path = tmp_path / 'gta/images/00003.png'
    os.utime(path, ns=(1, 1))
    DATASETS.build(source_config(root, packed=folder))
    assert make(source_config(root), folder).written == 0
    assert PackIndex.read(folder).entries['00003.png'].files['image'].mtime_ns == 1
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'is stale: 1 files have changed since, e\.g\. .*00003\.png: pack again'):
        DATASETS.build(source_config(root, packed=folder))
    with pytest.raises(ValueError, match=r'1 files changed since packing, e\.g\. .*00003\.png: --overwrite'):
        make(source_config(root), folder)


def test_a_new_image_and_overwriting(data, tmp_path):
    (_, root), (_, folder) = data
    write_cityscapes(tmp_path / 'cs', 7, (32, 64))
    with pytest.raises(ValueError, match='lacks 2 of 7 images of .*, e.g. aachen/aachen_000005'):
        DATASETS.build(target_config(root, packed=folder))
    with pytest.raises(ValueError, match='lacks 2 images.*--overwrite'):
        make(target_config(root), folder)
    assert make(target_config(root), folder, overwrite=True).written == 7
    assert len(DATASETS.build(target_config(root, packed=folder))) == 7


def test_damaged_and_missing_packs(data, tmp_path):
    (root, _), (folder, _) = data
    assert list(verify(folder)) == []
    path = tmp_path / 'packed/gta/data_000.bin'
    content = bytearray(path.read_bytes())
    content[7] ^= 1
    path.write_bytes(content)
    assert list(verify(folder)) == ['00001.png']
    path.write_bytes(content[:-70])
    with pytest.raises(ValueError, match='data_000.bin has .* bytes, its pack .*: copy it again'):
        DATASETS.build(source_config(root, packed=folder))
    with pytest.raises(FileNotFoundError, match='nowhere is no packed dataset; make it: python tools/pack_dataset.py'):
        DATASETS.build(source_config(root, packed=str(tmp_path / 'nowhere')))


def test_pipelines_that_cannot_be_packed(data):
    (root, _), _ = data
    with pytest.raises(ValueError, match='needs a pipeline that begins with LoadImageFromFile'):
        make(gta_config(root, pipeline=[{'type': 'PackTrainInputs'}]), 'nowhere')
    steps = [
        {'type': 'LoadImageFromFile'},
        {'type': 'Resize', 'scale': (9, 9)},
        {'type': 'TestTimeScales', 'ratios': [1]},
    ]
    with pytest.raises(ValueError, match='TestTimeScales needs images of their own size: leave out packed'):
        make(gta_config(root, pipeline=steps), 'nowhere')


def test_too_small_a_disk(data, tmp_path, monkeypatch):
    (root, _), _ = data
    monkeypatch.setattr('shutil.disk_usage', lambda path: type('Usage', (), {'free': 1000}))
    with pytest.raises(ValueError, match='the disk is too small'):
        make(source_config(root), tmp_path / 'full')
    assert not (tmp_path / 'full').exists()


def test_random_resizes_are_left_to_the_training(data, tmp_path):
    (root, _), _ = data
    steps = train_pipeline((24, 24), (50, 33))
    steps[2]['ratio_range'] = (0.8, 1.2)
    config = gta_config(root, pipeline=steps)
    make(config, tmp_path / 'own')
    plain, packed = DATASETS.build(config), DATASETS.build({**config, 'packed': str(tmp_path / 'own')})
    assert all(equal(plain[number], packed[number]) for number in range(8))
