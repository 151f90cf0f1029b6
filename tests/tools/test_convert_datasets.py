import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg.datasets import conversion
from mmseg.datasets.image_io import read_label
from mmseg.datasets.label_tables import CITYSCAPES_NAMES
from mmseg.datasets.polygons import label_id_of, paint_train_ids
from tests.datasets.tiny_data import save
from tools.convert_datasets import cityscapes, gta, synthia

ROOT = Path(__file__).resolve().parents[2]


def blocks(ids, rows=4, block=3):
    """(H, W) map that shows all ids."""
    small = np.resize(np.array(ids), (rows, -(-len(ids) // rows)))
    return np.kron(small, np.ones((block, block), int)).astype(np.uint8)


def write_palette(path, ids):
    image = Image.fromarray(ids)
    image.putpalette([0] * 768)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture
def gta_root(tmp_path):
    generator = np.random.default_rng(0)
    for i in range(1, 8):
        write_palette(tmp_path / f'gta/labels/{i:05d}.png', blocks(generator.integers(0, 35, 20)))
    return tmp_path / 'gta'


def convert(tool, *arguments):
    return tool.convert([str(argument) for argument in arguments])


def read_json(path):
    return json.loads(Path(path).read_text())


def test_gta_indices_become_train_ids(tmp_path):
    ids = blocks(range(35))
    write_palette(tmp_path / 'labels/00001.png', ids)
    assert convert(gta, tmp_path, '--nproc', 1) == 0
    label = read_label(str(tmp_path / 'labels/00001_labelTrainIds.png'))
    for label_id, train_id in {7: 0, 8: 1, 23: 10, 26: 13, 33: 18, 0: 255, 9: 255, 29: 255, 34: 255}.items():
        assert (label[ids == label_id] == train_id).all()
    with Image.open(tmp_path / 'labels/00001_labelTrainIds.png') as image:
        assert image.mode == 'L'


def test_statistics_files(gta_root):
    assert convert(gta, gta_root, '--nproc', 2) == 0
    stats = read_json(gta_root / 'sample_class_stats.json')
    paths = [f'{gta_root}/labels/{i:05d}_labelTrainIds.png' for i in range(1, 8)]
    assert [item.pop('file') for item in stats] == paths
    for path, counts in zip(paths, stats, strict=True):
        label = read_label(path)
        assert counts == {str(c): int((label == c).sum()) for c in range(19) if (label == c).any()}
    assert read_json(gta_root / 'sample_class_stats_dict.json') == dict(zip(paths, stats, strict=True))
    with_class = read_json(gta_root / 'samples_with_class.json')
    assert with_class == {
        str(c): [[path, counts[str(c)]] for path, counts in zip(paths, stats, strict=True) if str(c) in counts]
        for c in range(19)
        if any(str(c) in counts for counts in stats)
    }


def test_paths_start_as_typed_and_statistics_go_where_told(gta_root, monkeypatch):
    monkeypatch.chdir(gta_root.parent)
    assert convert(gta, 'gta', '-o', 'stats', '--nproc', 1) == 0
    assert read_json('stats/sample_class_stats.json')[0]['file'] == 'gta/labels/00001_labelTrainIds.png'
    assert not (gta_root / 'sample_class_stats.json').exists()


def test_conversion_continues_where_it_stopped(gta_root, monkeypatch):
    convert(gta, gta_root, '--nproc', 1)
    complete = (gta_root / 'sample_class_stats.json').read_text()
    broken = gta_root / 'labels/00002_labelTrainIds.png'
    broken.write_bytes(broken.read_bytes()[:40])
    (gta_root / 'labels/00005_labelTrainIds.png').unlink()
    read = []
    original = gta.read_train_ids
    monkeypatch.setattr(gta, 'read_train_ids', lambda path: read.append(Path(path).name) or original(path))
    assert convert(gta, gta_root, '--nproc', 1) == 0
    assert read == ['00002.png', '00005.png']
    assert (gta_root / 'sample_class_stats.json').read_text() == complete
    assert not list(gta_root.rglob('*.tmp'))


def test_bad_files_are_named_and_the_rest_is_done(gta_root, capsys):
    cut = gta_root / 'labels/00003.png'
    cut.write_bytes(cut.read_bytes()[:-30])
    write_palette(gta_root / 'labels/00004.png', np.full((5, 5), 77, np.uint8))
    assert convert(gta, gta_root, '--nproc', 2) == 1
    report = capsys.readouterr().err
    assert '00003.png cannot be read' in report
    assert '00004.png holds unknown label ids 77' in report
    assert '2 of 7 files are bad' in report and '5 label maps converted' in report
    assert len(list(gta_root.glob('labels/*_labelTrainIds.png'))) == 5
    assert not (gta_root / 'sample_class_stats.json').exists()


def test_gta_colours(tmp_path):
    colours = np.array([[[128, 64, 128], [0, 0, 142]], [[0, 0, 0], [119, 11, 32]]], np.uint8)
    path = save(tmp_path / '00001.png', colours)
    np.testing.assert_array_equal(gta.read_train_ids(path), [[0, 13], [255, 18]])
    rgba = np.concatenate([colours, np.full((2, 2, 1), 255, np.uint8)], 2)
    np.testing.assert_array_equal(gta.read_train_ids(save(tmp_path / '2.png', rgba)), [[0, 13], [255, 18]])
    with pytest.raises(ValueError, match=r'00003.png .* e.g. \(1, 2, 3\)'):
        gta.read_train_ids(save(tmp_path / '00003.png', np.full((2, 2, 3), (1, 2, 3), np.uint8)))


def test_gta_colours_agree_with_cityscapesscripts():
    labels = pytest.importorskip('cityscapesscripts.helpers.labels').labels
    for label in labels:
        if label.id >= 0:
            same_colour = [other for other in labels if other.color == label.color and other.id >= 0]
            assert gta.GTA_COLOUR_TO_ID[label.color] in {other.id for other in same_colour}
            assert len({other.trainId for other in same_colour}) == 1 or label.name in ('pole', 'polegroup')


def test_synthia_red_channel(tmp_path):
    stored = np.zeros((12, 18, 3), np.uint16)
    stored[..., 2] = blocks(range(23))
    stored[..., 1] = 999
    (tmp_path / 'GT/LABELS').mkdir(parents=True)
    cv2.imwrite(str(tmp_path / 'GT/LABELS/0000000.png'), stored)
    assert convert(synthia, tmp_path) == 0
    label = read_label(str(tmp_path / 'GT/LABELS/0000000_labelTrainIds.png'))
    for label_id, train_id in {3: 0, 21: 3, 1: 10, 8: 13, 12: 17, 11: 18, 0: 255, 13: 255, 22: 255}.items():
        assert (label[stored[..., 2] == label_id] == train_id).all()
    stored[0, 0, 2] = 300
    cv2.imwrite(str(tmp_path / 'GT/LABELS/0000001.png'), stored)
    assert convert(synthia, tmp_path, '--nproc', 1) == 1


@pytest.mark.parametrize(
    ('tool', 'looked_for'),
    [(gta, 'labels/00001.png'), (synthia, 'GT/LABELS/0000000.png'), (cityscapes, '_gtFine_polygons.json')],
)
def test_wrong_folder(tmp_path, tool, looked_for):
    for root in (tmp_path / 'nowhere', tmp_path):
        with pytest.raises(FileNotFoundError, match='does not exist; looked for') as error:
            convert(tool, root)
        assert looked_for in str(error.value) and '\n' not in str(error.value)
    (tmp_path / 'labels').mkdir()
    with pytest.raises(FileNotFoundError, match=f'in {tmp_path}/labels; looked for'):
        convert(tool, tmp_path, '--gt-dir', 'labels')


def polygons(seed, size=(60, 90)):
    """A random scene of overlapping polygons of all kinds of labels, some deleted, some beyond the border."""
    generator = np.random.default_rng(seed)
    names = [*CITYSCAPES_NAMES, 'cargroup', 'persongroup', 'bicyclegroup']
    objects = []
    for _ in range(40):
        centre = generator.integers(-10, 100, 2)
        corners = (centre + generator.integers(-30, 30, (generator.integers(3, 9), 2))).tolist()
        item = {'label': str(generator.choice(names)), 'polygon': corners}
        if generator.random() < 0.1:
            item['deleted'] = 1
        objects.append(item)
    return {'imgHeight': size[0], 'imgWidth': size[1], 'objects': objects}


@pytest.mark.parametrize('seed', range(5))
def test_polygons_are_painted_as_cityscapesscripts_does(tmp_path, seed):
    preparation = pytest.importorskip('cityscapesscripts.preparation.json2labelImg')
    source, output = tmp_path / 'a_polygons.json', tmp_path / 'a.png'
    source.write_text(json.dumps(polygons(seed)))
    preparation.json2labelImg(str(source), str(output), 'trainIds')
    ours = cityscapes.read_train_ids(str(source))
    np.testing.assert_array_equal(ours, read_label(str(output)))
    assert len(np.unique(ours)) > 4


def test_polygon_rules():
    square = [[0, 0], [4, 0], [4, 4], [0, 4]]
    scene = {'imgHeight': 5, 'imgWidth': 8, 'objects': [{'label': 'cargroup', 'polygon': square}]}
    assert (paint_train_ids(scene)[:, :5] == 13).all() and (paint_train_ids(scene)[:, 5:] == 255).all()
    scene['objects'].append({'label': 'license plate', 'polygon': square})
    scene['objects'].append({'label': 'person', 'polygon': square, 'deleted': 1})
    assert (paint_train_ids(scene)[:, :5] == 13).all()
    assert label_id_of('polegroup') == 18


def test_bad_polygon_files_are_named(tmp_path):
    path = tmp_path / 'a_polygons.json'
    for content, reason in (
        ('{"imgHeight": 5', 'cannot be converted'),
        ('{"imgHeight": 5, "objects": []}', 'imgWidth'),
        ('{"imgHeight": 5, "imgWidth": 5, "objects": [{"label": "zebra", "polygon": []}]}', "unknown label 'zebra'"),
    ):
        path.write_text(content)
        with pytest.raises(ValueError, match='a_polygons.json') as error:
            cityscapes.read_train_ids(str(path))
        assert reason in str(error.value) and '\n' not in str(error.value)


def test_cityscapes_splits(tmp_path):
    gt = tmp_path / 'train/gtFine'  # a parent folder called train does not make validation files training files
    for split, city, count in (
        ('train', 'aachen', 2),
        ('train', 'bochum', 1),
        ('val', 'lindau', 1),
        ('test', 'bonn', 1),
    ):
        for i in range(count):
            source = gt / f'{split}/{city}/{city}_{i:06d}_000019_gtFine_polygons.json'
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(json.dumps(polygons(i)))
    assert convert(cityscapes, tmp_path / 'train') == 0
    assert len(list(gt.rglob('*_gtFine_labelTrainIds.png'))) == 5
    root = tmp_path / 'train'
    assert (root / 'train.txt').read_text() == 'aachen/aachen_000000_000019\naachen/aachen_000001_000019\n' + (
        'bochum/bochum_000000_000019\n'
    )
    assert (root / 'val.txt').read_text() == 'lindau/lindau_000000_000019\n'
    assert (root / 'test.txt').read_text() == 'bonn/bonn_000000_000019\n'
    files = [item['file'] for item in read_json(root / 'sample_class_stats.json')]
    assert len(files) == 3 and all(file.startswith(f'{gt}/train/') for file in files)


def test_cityscapes_bad_file_with_lists_elsewhere(tmp_path, capsys):
    for name, content in (('a', json.dumps(polygons(0))), ('b', 'no json')):
        source = tmp_path / f'gtFine/train/aachen/aachen_{name}_gtFine_polygons.json'
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(content)
    assert convert(cityscapes, tmp_path, '-o', tmp_path / 'new/folder') == 1
    assert 'aachen_b_gtFine_polygons.json' in capsys.readouterr().err
    assert (tmp_path / 'new/folder/train.txt').read_text() == 'aachen/aachen_a\naachen/aachen_b\n'


def test_cityscapes_label_ids(tmp_path):
    ids = blocks([*range(34), 255])
    for split in ('train', 'val'):
        save(tmp_path / f'gtFine/{split}/x/x_000000_000000_gtFine_labelIds.png', ids)
    assert convert(cityscapes, tmp_path, '--nproc', 2) == 0
    label = read_label(str(tmp_path / 'gtFine/val/x/x_000000_000000_gtFine_labelTrainIds.png'))
    for label_id, train_id in {7: 0, 33: 18, 31: 16, 18: 255, 255: 255}.items():
        assert (label[ids == label_id] == train_id).all()
    save(tmp_path / 'gtFine/val/x/x_000001_000000_gtFine_labelIds.png', np.full((4, 4), 99, np.uint8))
    assert convert(cityscapes, tmp_path) == 1


def test_polygons_come_before_label_ids(tmp_path):
    save(tmp_path / 'gtFine/train/x/x_0_0_gtFine_labelIds.png', np.full((60, 90), 7, np.uint8))
    scene = {'imgHeight': 60, 'imgWidth': 90, 'objects': []}
    (tmp_path / 'gtFine/train/x/x_0_0_gtFine_polygons.json').write_text(json.dumps(scene))
    assert convert(cityscapes, tmp_path) == 0
    assert (read_label(str(tmp_path / 'gtFine/train/x/x_0_0_gtFine_labelTrainIds.png')) == 255).all()


@pytest.mark.parametrize('command', [['tools/convert_datasets/gta.py'], ['-m', 'tools.convert_datasets.gta']])
def test_command_line(gta_root, command):
    run = subprocess.run([sys.executable, *command, gta_root], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert '7 label maps converted' in run.stdout
    run = subprocess.run([sys.executable, *command, gta_root / 'x'], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith('error: ') and 'Traceback' not in run.stderr


def test_statistics_are_written_whole(tmp_path):
    conversion.write_statistics(str(tmp_path), [('a.png', {0: 5})])
    with pytest.raises(TypeError):
        conversion.write_statistics(str(tmp_path), [('a.png', {0: object()})])
    assert read_json(tmp_path / 'sample_class_stats.json') == [{'0': 5, 'file': 'a.png'}]
