import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmseg.datasets.rare_class_sampling import RareClassSampling
from mmseg.datasets.statistics import inspect_dataset
from mmseg.datasets.statistics_classes import (
    ClassCounts,
    sampling_probabilities,
    suggest_class_temp,
    suggest_min_pixels,
)
from mmseg.registry import DATASETS
from tests.datasets.tiny_data import picture, save, train_pipeline, write_gta
from tools import dataset_statistics
from tools.convert_datasets import gta

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ('soil', 'crop', 'weed')


def label_map(weed, size=(20, 30)):
    """Half soil, half crop, some pixels of weed, a row of 255."""
    label = np.zeros(size, np.uint8)
    label[:, 15:] = 1
    label[1:].reshape(-1)[:weed] = 2
    label[0] = 255
    return label


@pytest.fixture
def farm(tmp_path):
    """Six images with 0, 4, 8, ... pixels of weed; one label map is a palette PNG."""
    for n in range(6):
        save(tmp_path / f'farm/images/north/{n}.jpg', picture(20, 30, n))
        path = tmp_path / f'farm/labels/north/{n}.png'
        save(path, label_map(4 * n))
    stored = Image.open(path).convert('P')
    stored.putdata(label_map(20).ravel().tolist())
    stored.putpalette([1, 2, 3] * 256)
    stored.save(path)
    return tmp_path / 'farm'


def run(*arguments):
    return dataset_statistics.main([*map(str, arguments), '--nproc', '1'])


def read(folder, name='sample_class_stats.json'):
    return json.loads((folder / name).read_text())


def dataset_config(root, **options):
    return {
        'type': 'BaseSegDataset',
        'data_root': str(root),
        'data_prefix': {'img_path': 'images', 'seg_map_path': 'labels'},
        'metainfo': {'classes': CLASSES},
        **options,
    }


def write_config(path, dataset):
    path.write_text(f'train_dataloader = dict(dataset={dataset!r})\n')
    return path


def test_two_folders_are_enough(farm, capsys):
    assert run(farm, '--classes', 'soil, crop,weed') == 0
    stats = read(farm)
    assert [entry['file'] for entry in stats] == [f'{farm}/labels/north/{n}.png' for n in range(6)]
    assert stats[3] == {'0': 285 - 12, '1': 285, '2': 12, 'file': stats[3]['file']}
    assert stats[5]['2'] == 20, 'indices of the palette PNG'
    assert '2' not in stats[0]
    assert [pixels for _, pixels in read(farm, 'samples_with_class.json')['2']] == [4, 8, 12, 16, 20]
    assert list(read(farm, 'sample_class_stats_dict.json')) == [entry['file'] for entry in stats]

    out, err = capsys.readouterr()
    assert '6 images with label maps; sizes (images): 30x20 (6)' in out
    weed = next(line for line in out.splitlines() if 'weed' in line).replace(' ', '').strip('│').split('│')
    share = 60 / (6 * 570)
    assert weed[:7] == ['2', 'weed', f'{100 * share:.2f}', '5', '12', '20', '0']
    assert f'ignored: {100 * 30 / 600:.2f} %' in out
    assert "no image has more than 3000 pixels of 'weed', the largest has 20" in err
    assert 'min_pixels=0' in out, 'these images are tiny'


def test_suggested_settings_train(farm, capsys):
    """Rare class sampling works with what the tool writes and recommends."""
    run(farm, '--classes', ','.join(CLASSES))
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith('fits'))
    settings = eval(line.split('rare_class_sampling=')[1], {'dict': dict})
    pipeline = train_pipeline(crop=(16, 16), scale=(30, 20))
    sampling = RareClassSampling(DATASETS.build(dataset_config(farm, pipeline=pipeline)), **settings)
    assert sorted(sampling.classes) == [0, 1, 2] and sampling.probabilities.max() <= 0.5


def test_converters_write_the_same(tmp_path):
    root = write_gta(tmp_path / 'gta', count=3)
    for path in (tmp_path / 'gta/labels').iterdir():
        path.with_name(path.name.replace('_labelTrainIds', '')).write_bytes(path.read_bytes())
    assert gta.convert([root, '--nproc', '1']) == 0
    files = {path.name: path.read_text() for path in (tmp_path / 'gta').glob('*.json')}
    assert len(files) == 3
    assert run(root, '--dataset', 'GTADataset', '--img-suffix', '.png') == 0
    assert {path.name: path.read_text() for path in (tmp_path / 'gta').glob('*.json')} == files


def test_dataset_of_a_config_with_two_domains(farm, tmp_path, capsys):
    save(tmp_path / 'other/images/0.png', picture(8, 8))
    save(tmp_path / 'other/labels/0.png', np.ones((8, 8), np.uint8))
    pair = {
        'type': 'UDADataset',
        'source': dataset_config(farm, pipeline=train_pipeline()),
        'target': dataset_config(tmp_path / 'other', pipeline=train_pipeline(labels=False)),
        'rare_class_sampling': {'min_pixels': 8, 'class_temp': 0.5},
    }
    config = write_config(tmp_path / 'pair.py', pair)
    assert run('--config', config) == 0
    assert len(read(farm)) == 6
    out = capsys.readouterr().out
    assert 'images > 8' in out
    weed = next(line for line in out.splitlines() if 'weed' in line).replace(' ', '').strip('│').split('│')
    assert weed[6] == '3'
    assert run('--config', config, '--domain', 'target', '--table-only') == 0
    assert '1 images' in capsys.readouterr().out
    assert not (tmp_path / 'other/sample_class_stats.json').exists()
    single = write_config(tmp_path / 'single.py', pair['target'])
    with pytest.raises(ValueError, match='leave out --domain'):
        run('--config', single, '--domain', 'target')


def test_several_sources_of_a_config_each_get_their_own(farm, tmp_path, capsys):
    save(tmp_path / 'other/images/0.png', picture(8, 8))
    save(tmp_path / 'other/labels/0.png', np.ones((8, 8), np.uint8))
    other = dataset_config(tmp_path / 'other', pipeline=train_pipeline())
    sources = [dataset_config(farm, pipeline=train_pipeline()), other]
    pair = {'type': 'UDADataset', 'source': sources, 'target': other, 'rare_class_sampling': {'min_pixels': 8}}
    config = write_config(tmp_path / 'pair.py', pair)
    assert run('--config', config) == 0
    assert (len(read(farm)), len(read(tmp_path / 'other'))) == (6, 1)
    assert f'BaseSegDataset, {tmp_path}/other (2 of 2)' in capsys.readouterr().out
    assert sorted(RareClassSampling(DATASETS.build(sources), min_pixels=8).classes) == [0, 1, 2]
    with pytest.raises(ValueError, match='trains on 2 datasets together: leave out --labels'):
        run('--config', config, '--labels', 'elsewhere')


def test_datasets_in_one_folder_have_one_file_of_statistics(tmp_path):
    sources = []
    for number, season in enumerate(('summer', 'winter')):
        for name in ('0.png', '1.png'):
            save(tmp_path / f'images/{season}/{name}', picture(8, 8))
            save(tmp_path / f'labels/{season}/{name}', np.full((8, 8), number, np.uint8))
        prefix = {'img_path': f'images/{season}', 'seg_map_path': f'labels/{season}'}
        sources.append(dataset_config(tmp_path, name=season, pipeline=train_pipeline(), data_prefix=prefix))
    pair = {'type': 'UDADataset', 'source': sources, 'target': sources[0], 'rare_class_sampling': {'min_pixels': 8}}
    config = write_config(tmp_path / 'pair.py', pair)
    assert run('--config', config) == run('--config', config) == 0
    assert [Path(entry['file']).parent.name for entry in read(tmp_path)] == ['summer'] * 2 + ['winter'] * 2
    sampling = RareClassSampling(DATASETS.build(sources), min_pixels=8)
    assert {class_id: list(found) for class_id, found in sampling.candidates.items()} == {0: [0, 1], 1: [2, 3]}
    # Of one of them, which has the names of the other: its own files count.
    winter = RareClassSampling(DATASETS.build(sources[1]), min_pixels=8)
    assert {class_id: list(found) for class_id, found in winter.candidates.items()} == {1: [0, 1]}


def test_label_map_leaves_the_files_of_statistics_alone(farm, tmp_path, capsys):
    """The files count ids as stored, because rare class sampling maps them itself; the table shows both."""
    options = {'metainfo': {'classes': ('ground', 'plant')}, 'label_map': {0: 'ground', 1: 'plant', 2: 'plant'}}
    mapped = dataset_config(farm, pipeline=train_pipeline(), **options)
    run('--config', write_config(tmp_path / 'mapped.py', mapped))
    assert read(farm)[3]['2'] == 12
    out = capsys.readouterr().out
    rows = [line.replace(' ', '').strip('│').split('│') for line in out.splitlines() if line.startswith('│')]
    assert ['2', '-', f'{100 * 60 / 3420:.2f}', 'plant'] in rows
    plant = next(row for row in rows if row[:2] == ['1', 'plant'])
    assert plant[3:6] == ['6', '295', '300'], 'median and largest of crop and weed together'
    sampling = RareClassSampling(DATASETS.build(mapped), min_pixels=284)
    assert len(sampling.candidates[1]) == 6, 'crop alone: 4'
    assert plant[2] == f'{100 * (6 * 285 + 54) / 3420:.2f}'


def test_loaders_own_label_map_and_ignore_index(farm, tmp_path):
    """Ids are those behind the pipeline's LoadAnnotations: no one maps them later."""
    steps = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations', 'label_map': {2: 1}}]
    merged = dataset_config(farm, pipeline=steps, metainfo={'classes': ('a', 'b')})
    assert run('--config', write_config(tmp_path / 'own.py', merged)) == 0
    assert read(farm)[3] == {'0': 273, '1': 297, 'file': f'{farm}/labels/north/3.png'}
    assert run(farm, '--classes', 2, '--ignore-index', 2) == 0
    assert '2' not in read(farm)[3]


def test_mask_of_255_is_a_class_where_label_map_says_so(farm, tmp_path, capsys):
    for path in (farm / 'labels/north').iterdir():
        save(path, np.where(label_map(40) == 2, np.uint8(255), np.uint8(0)))
    assert run(farm, '--classes', 'soil,crop') == 0
    assert "'crop' occurs in no label map" in capsys.readouterr().err
    mask = dataset_config(farm, metainfo={'classes': ('soil', 'crop')}, label_map={0: 'soil', 255: 'crop'})
    assert run('--config', write_config(tmp_path / 'mask.py', mask)) == 0
    assert read(farm)[0] == {'0': 560, '255': 40, 'file': f'{farm}/labels/north/0.png'}
    sampling = RareClassSampling(DATASETS.build(mask), min_pixels=10)
    assert sorted(sampling.classes) == [0, 1]


@pytest.fixture
def damaged(farm):
    """Only images 4 and 5 are good."""
    path = farm / 'images/north/0.jpg'
    path.write_bytes(b'no image')
    (farm / 'labels/north/1.png').unlink()
    save(farm / 'labels/north/2.png', np.zeros((5, 7), np.uint8))
    save(farm / 'labels/north/3.png', np.full((20, 30), 7, np.uint8))
    save(farm / 'labels/north/9.png', np.zeros((20, 30), np.uint8))
    return farm


def test_bad_files_are_named_and_the_rest_is_counted(damaged, capsys):
    assert run(damaged, '--classes', 3) == 1
    out, err = capsys.readouterr()
    assert '2 images with label maps' in out
    for part in (
        f'warning: 1 label maps in {damaged}/labels have no image: north/9.png',
        'error: 1 of 6 images have no label map: north/1.jpg',
        f'error: image {damaged}/images/north/0.jpg cannot be read',
        f'error: label map {damaged}/labels/north/2.png is 7x5 pixels, but its image',
        f'error: label map {damaged}/labels/north/3.png holds ids outside the classes: 7 (600 pixels)',
        'error: 4 of 6 images cannot be used (named above). No statistics were written',
    ):
        assert part in err
    assert not list(damaged.glob('*.json'))


def test_usable_files_alone(damaged, capsys):
    assert run(damaged, '--classes', 3, '--skip-broken') == 0
    assert [Path(entry['file']).name for entry in read(damaged)] == ['4.png', '5.png']
    assert "4 of 6 images were left out; to train without them: ann_file='usable_images.txt'" in capsys.readouterr().out
    config = dataset_config(damaged, pipeline=train_pipeline(), ann_file='usable_images.txt')
    dataset = DATASETS.build(config)
    assert dataset.img_names == ['north/4.jpg', 'north/5.jpg']
    assert RareClassSampling(dataset, min_pixels=10).classes


def test_the_list_of_usable_files_grows_with_repairs(damaged, capsys):
    assert run(damaged, '--classes', 3, '--skip-broken') == 0
    save(damaged / 'images/north/0.jpg', picture(20, 30))
    for n in (1, 2, 3):
        save(damaged / f'labels/north/{n}.png', label_map(n))
    capsys.readouterr()
    assert run(damaged, '--classes', 3, '--skip-broken') == 0
    path = damaged / 'usable_images.txt'
    assert f'no image was left out: {path} names all 6 now' in capsys.readouterr().out
    assert path.read_text().split() == [f'north/{n}' for n in range(6)]
    path.unlink()
    assert run(damaged, '--classes', 3, '--skip-broken') == 0
    assert not path.exists()


def test_list_of_usable_files_elsewhere(damaged, tmp_path, capsys):
    assert run(damaged, '--classes', 3, '--skip-broken', '-o', tmp_path / 'stats') == 0
    assert "ann_file='../stats/usable_images.txt'" in capsys.readouterr().out
    assert len(DATASETS.build(dataset_config(damaged, ann_file='../stats/usable_images.txt'))) == 2


def test_images_of_a_single_colour_are_named_and_count(farm, capsys):
    assert run(farm, '--classes', 3) == 0
    stats = read(farm)
    assert 'single colour' not in capsys.readouterr().err
    save(farm / 'images/north/1.jpg', np.full((20, 30, 3), (10, 200, 90), np.uint8))
    save(farm / 'images/north/4.jpg', np.zeros((20, 30), np.uint8))
    first_row = picture(20, 30)
    first_row[:16] = 120  # whole blocks of the JPEG: its first row stays of one colour
    save(farm / 'images/north/2.jpg', first_row)
    assert run(farm, '--classes', 3) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if 'single colour' in line]
    assert len(lines) == 1 and lines[0].startswith('warning: 2 of 6 images are of a single colour')
    assert ': north/1.jpg, north/4.jpg (' in lines[0]
    assert read(farm) == stats
    assert run(farm, '--classes', 3, '--labels-only') == 0
    assert 'single colour' not in capsys.readouterr().err


def test_statistics_of_another_dataset_are_kept(farm, tmp_path):
    write_gta(farm, count=1)
    content = (farm / 'sample_class_stats.json').read_text()
    with pytest.raises(ValueError, match='statistics of other label maps .e.g. .*00001_labelTrainIds.png.: delete it'):
        run(farm, '--classes', 3, '--img-suffix', '.jpg')
    assert (farm / 'sample_class_stats.json').read_text() == content
    assert run(farm, '--classes', 3, '--img-suffix', '.jpg', '-o', tmp_path / 'elsewhere') == 0
    assert len(read(tmp_path / 'elsewhere')) == 6


def test_nothing_usable(farm):
    for path in (farm / 'labels/north').iterdir():
        save(path, picture(20, 30))
    with pytest.raises(ValueError, match='none of the 6 images of .* can be used'):
        run(farm, '--classes', 3)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['FARM'], 'which classes? give --classes'),
        (['--classes', '3'], 'DATA_ROOT is needed'),
        (['--config', 'x.py', '--dataset', 'GTADataset'], 'exclude each other'),
    ],
)
def test_wrong_use(farm, arguments, message, capsys):
    with pytest.raises(SystemExit):
        run(*[str(farm) if word == 'FARM' else word for word in arguments])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'error', 'message'),
    [
        (['--classes', 'a,,b'], ValueError, '--classes a,,b: expected different names'),
        (['--classes', 'a,a'], ValueError, 'expected different names'),
        (['--classes', '3', '--images', 'photos'], FileNotFoundError, 'farm/photos does not exist'),
        (['--classes', '3', '--labels', 'masks'], FileNotFoundError, 'label folder .*farm/masks does not exist'),
        (['--classes', '3', '--img-suffix', '.tif'], FileNotFoundError, 'only other files such as north/0.jpg'),
        (['--dataset', 'CamvidDataset'], ValueError, 'unknown dataset type .*did you mean CamVidDataset'),
    ],
)
def test_wrong_names(farm, arguments, error, message):
    with pytest.raises(error, match=message) as raised:
        run(farm, *arguments)
    assert '\n' not in str(raised.value)


def test_command_line_from_another_folder(farm):
    run(farm, '--classes', 3)
    alone = read(farm)
    command = [sys.executable, ROOT / 'tools/dataset_statistics.py', 'farm', '--classes', 'soil,crop,weed']
    done = subprocess.run([*command, '--labels-only'], cwd=farm.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert read(farm) == [{**entry, 'file': f'farm/labels/north/{n}.png'} for n, entry in enumerate(alone)]


def test_several_processes_agree(farm):
    dataset = DATASETS.build(dataset_config(farm))
    alone, both = (list(inspect_dataset(dataset, range(6), nproc=nproc)) for nproc in (1, 2))
    assert [finding.label_path for finding in both] == [finding.label_path for finding in alone]
    assert all((a.counts == b.counts).all() for a, b in zip(alone, both, strict=True))


def counts(*columns):
    pixels = np.array(columns).T
    return ClassCounts(tuple(map(str, range(len(columns)))), pixels, np.zeros(len(pixels), int))


def test_suggested_min_pixels():
    area = 1914 * 1052
    many = [10_000] * 20
    assert suggest_min_pixels(counts(many), area) == 3000
    assert suggest_min_pixels(counts(many), area / 4) == 750
    # ten files, or half of those that show the class, must stay: more than 899, more than 49
    assert suggest_min_pixels(counts(many, [2000] * 9 + [900] * 11), area) == 890
    assert suggest_min_pixels(counts(many, [80, 50, 50, 1] + [0] * 16), area) == 49
    assert suggest_min_pixels(counts(many, [1] * 20), area) == 0
    assert suggest_min_pixels(counts(many, [0] * 20), area) == 3000


def test_suggested_class_temp():
    several_rare = counts([10_000], *([[20]] * 6))
    assert suggest_class_temp(several_rare) == 0.01
    one_rare = counts([6000], [3900], [100])
    assert sampling_probabilities(one_rare, 0.01).max() > 0.99
    temp = suggest_class_temp(one_rare)
    assert sampling_probabilities(one_rare, temp).max() <= 0.5
    assert suggest_class_temp(counts([10], [0])) == 0.01 or sampling_probabilities(counts([10], [0]), 1)[0] == 1
