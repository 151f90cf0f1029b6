"""The doctor's checks one by one, on made-up machines and folders, and the whole command."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmseg.registry import MODELS
from tools import doctor
from tools._doctor import configs, data, files, findings, hardware, packages, report, weights
from tools._doctor.findings import MISSING, OK, WARN, Finding

ROOT = Path(__file__).parents[2]


def only(found):
    found = list(found)
    assert len(found) == 1, found
    return found[0]


# Packages


def test_old_python():
    found = only(packages.check_python((3, 9, 2), '/usr'))
    assert found.status == MISSING and '3.9.2; 3.10 or newer' in found.detail and found.run
    assert only(packages.check_python((3, 12, 0), '/usr')).status == OK


def test_namesakes():
    found = only(packages.check_namesakes({'onedl-mmsegmentation': '1.2.2', 'mmengine': '0.10.4'}))
    assert found.status == MISSING and found.run == 'pip uninstall -y onedl-mmsegmentation'
    assert packages.check_namesakes({'torch': '2.9'}) == []


def test_requirements(monkeypatch):
    problems = {'broken': 'ImportError: no symbol'}
    monkeypatch.setattr(packages, 'import_problem', problems.get)
    lines = ['good>=1.2', 'old>=2.10', 'gone>=1.0', 'broken', 'onedl-mmcv>=2.3']
    installed = {'good': '1.10.0+cu1', 'old': '2.9', 'broken': '3', 'mmcv': '2.4'}
    found = packages.check_requirements(lines, installed)
    assert [(one.what, one.status) for one in found] == [
        ('good', OK),
        ('old', MISSING),
        ('gone', MISSING),
        ('broken', MISSING),
        ('mmcv', OK),
    ]
    assert '2.9 is too old; 2.10 or newer' in found[1].detail
    assert found[2].run == 'pip install "gone>=1.0"'
    assert 'no symbol' in found[3].detail


def test_a_package_that_spoils_others_is_the_one_to_blame(monkeypatch):
    problem = 'ImportError: libGL.so.1: cannot open shared object file'
    monkeypatch.setattr(packages, 'import_problem', {'mmcv': problem, 'cv2': problem}.get)
    lines = ['onedl-mmcv', 'numpy', 'opencv-python']
    mmcv, numpy, opencv = packages.check_requirements(lines, dict.fromkeys(lines, '9.0'))
    assert (mmcv.status, mmcv.detail, mmcv.run) == (MISSING, '9.0 cannot be imported because of opencv-python', '')
    assert numpy.status == OK and 'opencv-python-headless==9.0' in opencv.run


def test_opencv_without_system_libraries(monkeypatch):
    problem = 'ImportError: libGL.so.1: cannot open shared object file'
    monkeypatch.setattr(packages, 'import_problem', lambda module: problem)
    found = only(packages.check_requirements(['opencv-python>=4.8'], {'opencv-python': '4.9.0.80'}))
    assert found.status == MISSING and 'libGL.so.1' in found.detail
    assert found.run == 'pip uninstall -y opencv-python; pip install opencv-python-headless==4.9.0.80'


def test_the_headless_opencv_is_enough(monkeypatch):
    monkeypatch.setattr(packages, 'import_problem', lambda module: None)
    found = only(packages.check_requirements(['opencv-python>=4.8'], {'opencv-python-headless': '4.9.0.80'}))
    assert (found.status, found.what) == (OK, 'opencv-python-headless')


def test_two_builds_of_opencv():
    found = only(packages.check_opencv({'opencv-python': '4.9', 'opencv-contrib-python': '4.9'}))
    assert found.status == WARN and 'pip uninstall -y opencv-python opencv-contrib-python' in found.run


def test_another_package_of_our_name(tmp_path):
    assert only(packages.check_package(ROOT)).status == OK
    assert only(packages.check_package(tmp_path)).status == MISSING


# Machine

H200 = ('NVIDIA H200', 141 * hardware.GIGABYTE, (9, 0))
GPU = hardware.Graphics('12.8', True, [H200], ['sm_80', 'sm_90'], '570.1', ['NVIDIA H200'])


def test_a_gpu_that_works():
    found = only(hardware.check_graphics(GPU))
    assert found.status == OK
    assert found.detail == 'NVIDIA H200, 141 GB, compute capability 9.0, CUDA 12.8, driver 570.1'


@pytest.mark.parametrize(
    ('graphics', 'status', 'text', 'run'),
    [
        (hardware.Graphics(), WARN, 'none; training runs on the CPU (PyTorch is a build for the CPU)', ''),
        (hardware.Graphics(build='13.0'), WARN, 'training runs on the CPU (PyTorch is built for CUDA 13.0)', ''),
        (replace(GPU, build=None, available=False), WARN, 'PyTorch is a build for the CPU', 'pip install torch'),
        (replace(GPU, available=False), WARN, 'driver 570.1 may be too old for CUDA 12.8', 'update the NVIDIA'),
        (replace(GPU, available=False, problem='Too old'), WARN, 'is not used: Too old', 'update the NVIDIA'),
        (replace(GPU, architectures=['sm_70']), MISSING, 'has kernels for sm_70 only', 'install a PyTorch'),
    ],
)
def test_gpus_that_do_not(graphics, status, text, run):
    found = only(hardware.check_graphics(graphics))
    assert found.status == status and text in found.detail and run in found.run


@pytest.mark.parametrize(
    ('capability', 'architectures', 'expected'),
    [
        ((8, 6), ['sm_80'], True),
        ((8, 0), ['sm_86'], False),
        ((12, 0), ['sm_90'], False),
        ((12, 0), ['sm_90', 'compute_90'], True),
        ((9, 0), ['sm_90a'], True),
        ((12, 0), ['sm_100', 'sm_120'], True),
    ],
)
def test_which_kernels_a_gpu_runs(capability, architectures, expected):
    assert hardware._has_kernels(capability, architectures) is expected


def test_more_workers_than_cores():
    found = only(hardware.check_processor(8, cores=4))
    assert found.status == WARN and 'num_workers=3' in found.run
    assert only(hardware.check_processor(4, cores=4)).status == OK


def test_little_shared_memory(monkeypatch, tmp_path):
    usage = type('usage', (), {'free': 64 * 1024**2})
    monkeypatch.setattr(hardware.shutil, 'disk_usage', lambda folder: usage)
    found = only(hardware.check_shared_memory(4, str(tmp_path)))
    assert found.status == WARN and '0.1 GB' in found.detail and '--shm-size' in found.run
    assert hardware.check_shared_memory(4, str(tmp_path / 'none')) == []


def test_folders_for_runs(tmp_path, monkeypatch):
    assert only(hardware.check_work_dirs(tmp_path / 'new' / 'run', free=10**12)).status == OK
    assert not (tmp_path / 'new').exists()
    assert only(hardware.check_work_dirs(tmp_path, free=10**9)).status == WARN
    (tmp_path / 'file').touch()
    assert only(hardware.check_work_dirs(tmp_path / 'file' / 'run')).status == MISSING
    (tmp_path / 'link').symlink_to(tmp_path / 'nowhere')
    assert 'broken link' in only(hardware.check_work_dirs(tmp_path / 'link')).detail

    def refuse(**_):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr(hardware.tempfile, 'TemporaryFile', refuse)
    found = only(hardware.check_work_dirs(tmp_path))
    assert found.status == MISSING and 'Permission denied' in found.detail and '--work-dir' in found.run


# Configs and data

PIPELINE = [{'type': 'LoadImageFromFile'}]
LABELLED = [*PIPELINE, {'type': 'LoadAnnotations'}]


def write(path, array=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((4, 6), np.uint8) if array is None else array).save(path)


@pytest.fixture
def farm(tmp_path):
    """Two folders with three images and their label maps."""
    for number in range(3):
        write(tmp_path / 'farm' / 'images' / f'{number}.png')
        write(tmp_path / 'farm' / 'labels' / f'{number}.png')
    return tmp_path / 'farm'


def farm_config(folder, **options):
    return {
        'type': 'BaseSegDataset',
        'data_root': str(folder),
        'data_prefix': {'img_path': 'images', 'seg_map_path': 'labels'},
        'metainfo': {'classes': ('soil', 'crop')},
        'pipeline': LABELLED,
        **options,
    }


def needs_of(*datasets, **config):
    needs = configs.Needs()
    for number, dataset in enumerate(datasets):
        needs.add(f'config{number}', {'train_dataloader': {'dataset': dataset}, **config})
    return needs


def data_findings(*datasets):
    return list(data.check_datasets(needs_of(*datasets)))


def test_needs_of_a_pair_of_domains(farm):
    pair = {
        'type': 'UDADataset',
        'source': farm_config(farm),
        'target': farm_config(farm, pipeline=PIPELINE),
        'rare_class_sampling': {'min_pixels': 3},
    }
    needs = configs.Needs()
    model = {'type': 'EncoderDecoder', 'backbone': {'type': 'mit_b0'}}
    loaders = {
        'train_dataloader': {'dataset': pair, 'num_workers': 3},
        'val_dataloader': {'dataset': farm_config(farm)},
    }
    needs.add('a.py', {**loaders, 'model': model, 'work_dir': 'runs/a', 'load_from': 'gone.pth'})
    source, target = needs.datasets.values()
    assert source.labelled and source.sampling == {'min_pixels': 3}
    assert target.labelled and target.sampling is None, 'validation reads the labels of the same files'
    assert (needs.workers, needs.work_dirs, needs.models) == (3, {'runs/a'}, {'a.py': model})
    found = only(files.check_files(needs.files))
    assert found.status == MISSING and found.what == 'gone.pth'


def test_complete_data(farm):
    found = only(data_findings(farm_config(farm), farm_config(farm, test_mode=True)))
    assert (found.status, found.detail) == (OK, 'BaseSegDataset: 3 images with label maps')


def test_labels_that_nothing_reads(farm):
    (farm / 'labels' / '1.png').unlink()
    found = only(data_findings(farm_config(farm, pipeline=PIPELINE)))
    assert found.status == OK and 'labels are not read' in found.detail


def test_missing_folders(tmp_path, monkeypatch):
    found = only(data_findings(farm_config(tmp_path / 'none'), farm_config(tmp_path / 'none', pipeline=PIPELINE)))
    assert found.status == MISSING and found.run.startswith(f'ln -s WHERE_IT_IS {tmp_path / "none"}')
    (tmp_path / 'link').symlink_to(tmp_path / 'unmounted')
    found = only(data_findings(farm_config(tmp_path / 'link')))
    assert 'broken link to' in found.detail and 'unmounted' in found.detail
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(data, 'ROOT', tmp_path / 'repository')
    (tmp_path / 'repository' / 'data' / 'farm').mkdir(parents=True)
    assert only(data_findings(farm_config('data/farm'))).run == f'cd {tmp_path / "repository"}'
    found = only(data_findings(farm_config('data/demo/gta')))
    assert found.run == 'python -m tools.make_demo_data data/demo --domains gta'


def test_folders_with_another_layout(farm):
    found = only(data_findings(farm_config(farm, data_prefix={'img_path': 'pictures'})))
    assert found.status == MISSING and 'pictures does not exist' in found.detail
    found = only(data_findings(farm_config(farm, img_suffix='.jpg')))
    assert found.status == MISSING and 'no images (*.jpg)' in found.detail


def test_missing_labels(tmp_path):
    write(tmp_path / 'gta' / 'images' / '1.png')
    (tmp_path / 'gta' / 'labels').mkdir()
    config = farm_config(tmp_path / 'gta', type='GTADataset')
    found = only(data_findings(config))
    assert found.status == MISSING and '1 images, 1 without label map' in found.detail
    assert found.run == f'python tools/convert_datasets/gta.py {tmp_path / "gta"}'
    (tmp_path / 'gta' / 'labels').rmdir()
    assert 'label folder' in only(data_findings(config)).detail


def test_labels_without_image(farm):
    (farm / 'images' / '1.png').unlink()
    found = data_findings(farm_config(farm))
    assert [one.status for one in found] == [OK, WARN]
    assert '1 label maps have no image, e.g. 1.png' in found[1].detail


@pytest.mark.parametrize('folder', ['images', 'labels'])
def test_broken_links_and_empty_files(farm, folder):
    (farm / folder / '0.png').unlink()
    (farm / folder / '0.png').symlink_to(farm / 'gone.png')
    (farm / folder / '2.png').write_bytes(b'')
    found = data_findings(farm_config(farm))[0]
    assert found.status == MISSING
    assert '1 broken links (e.g. ' in found.detail and '1 empty (e.g. ' in found.detail
    assert f'{folder}/2.png' in found.detail and found.run


def test_unknown_datasets_and_options(farm):
    assert 'FarmDataset' in only(data_findings(farm_config(farm, type='FarmDataset', metainfo=None))).detail
    assert 'colour' in only(data_findings(farm_config(farm, colour='red'))).detail


def pair(farm, **sampling):
    return {
        'type': 'UDADataset',
        'source': farm_config(farm),
        'target': farm_config(farm, pipeline=PIPELINE),
        'rare_class_sampling': sampling,
    }


def write_statistics(farm, files=(0, 1, 2), pixels=24):
    stats = [{'file': f'labels/{number}.png', '0': pixels} for number in files]
    (farm / 'sample_class_stats.json').write_text(json.dumps(stats))
    lists = {'0': [[f'labels/{number}.png', pixels] for number in files]}
    (farm / 'samples_with_class.json').write_text(json.dumps(lists))


def test_statistics(farm):
    found = [one for one in data_findings(pair(farm)) if one.what.endswith(' statistics')]
    assert only(found).status == MISSING and 'sample_class_stats.json, which does not exist' in found[0].detail
    assert found[0].run == 'python tools/dataset_statistics.py --config config0'
    write_statistics(farm)
    found = [one for one in data_findings(pair(farm, min_pixels=3)) if one.what.endswith(' statistics')]
    assert found[-1].status == OK and 'draws 1 classes' in found[-1].detail
    found = [one for one in data_findings(pair(farm, min_pixels=300)) if one.what.endswith(' statistics')]
    assert only(found).status == MISSING and 'the largest has 24' in found[0].detail and 'min_pixels=N' in found[0].run
    (farm / 'samples_with_class.json').write_text('{"0": [')
    found = [one for one in data_findings(pair(farm)) if one.what.endswith(' statistics')]
    assert only(found).status == MISSING and 'is broken' in found[0].detail


def test_statistics_of_fewer_files(farm, capsys):
    write_statistics(farm, files=(0, 1))
    found = [one for one in data_findings(pair(farm, min_pixels=3)) if one.what.endswith(' statistics')]
    assert [one.status for one in found if 'lacks 1 of 3' in one.detail] == [WARN]
    assert 'RCS' not in capsys.readouterr().out


def several(farm, other, **sampling):
    return {**pair(farm, **sampling), 'source': [farm_config(farm), farm_config(other, name='other')]}


def test_statistics_of_several_sources_are_taken_together(farm, tmp_path):
    other = tmp_path / 'other'
    for number in range(3):
        write(other / 'images' / f'{number}.png')
        write(other / 'labels' / f'{number}.png')
    write_statistics(farm, pixels=2)
    write_statistics(other, pixels=24)
    # One of them has no image with enough pixels: only a lack of both were one.
    found = data_findings(several(farm, other, min_pixels=3))
    assert [one.status for one in found if one.what == 'farm + other statistics'][-1] == OK
    assert not [one for one in found if one.status == MISSING]
    found = [one for one in data_findings(several(farm, other, min_pixels=30)) if one.status == MISSING]
    assert only(found).what == 'farm + other statistics' and 'the largest has 24' in found[0].detail


def test_several_sources_that_do_not_go_together(farm, tmp_path):
    config = pair(farm, min_pixels=3)
    config['source'] = [farm_config(farm), farm_config(farm)]
    found = [one for one in data_findings(config) if one.status == MISSING]
    assert "two datasets of one list are called 'farm'" in only(found).detail
    config['source'] = [farm_config(farm), farm_config(tmp_path / 'none')]
    found = [one for one in data_findings(config) if one.status == MISSING]
    assert only(found).what == str(tmp_path / 'none')


# Weights


def weight_findings(backbone, pretrained):
    return list(weights.check_weights(needs_of({}, model={'backbone': backbone, 'pretrained': pretrained})))


def test_weights(tmp_path):
    assert 'from scratch' in only(weight_findings({'type': 'mit_b0'}, None)).detail
    torch.save(MODELS.build({'type': 'mit_b0'}).state_dict(), tmp_path / 'w.pth')
    found = only(weight_findings({'type': 'mit_b0'}, str(tmp_path / 'w.pth')))
    assert found.status == OK and found.detail.startswith('mit_b0, 176 tensors, layout: SegFormer')
    found = only(weight_findings({'type': 'mit_b1'}, str(tmp_path / 'w.pth')))
    assert found.status == MISSING and 'weights of mit_b0, but the network is mit_b1' in found.detail and found.run
    (tmp_path / 'w.pth').write_bytes(b'version https://git-lfs.github.com/spec/v1\n')
    assert 'git lfs pull' in only(weight_findings({'type': 'mit_b0'}, str(tmp_path / 'w.pth'))).detail


def test_missing_weights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = only(weight_findings({'type': 'mit_b3'}, 'nowhere/mit_b3.pth'))
    assert (found.status, found.run) == (MISSING, 'python tools/get_pretrained.py mit_b3')
    found = only(weight_findings({'type': 'mit_b3'}, 'nowhere/mine.pth'))
    assert (found.status, found.run) == (MISSING, 'python tools/get_pretrained.py --list')


def test_the_encoder_of_a_segmentation_network_is_no_imagenet_encoder(tmp_path):
    path = tmp_path / 'pretrained' / 'mit_b0.pth'
    path.parent.mkdir()
    state = {f'backbone.{key}': value for key, value in MODELS.build({'type': 'mit_b0'}).state_dict().items()}
    torch.save({'state_dict': state | {'decode_head.conv_seg.weight': torch.zeros(19, 4, 1, 1)}}, path)
    for [found] in (weight_findings({'type': 'mit_b0'}, str(path)), list(weights.list_weights(tmp_path))):
        assert found.status == WARN
        assert found.detail.startswith('not ImageNet weights but the encoder of a segmentation network (decode_head.')


def test_what_lies_in_the_folder(tmp_path):
    assert only(weights.list_weights(tmp_path)).status == WARN
    (tmp_path / 'pretrained' / 'mit-b0').mkdir(parents=True)
    torch.save(MODELS.build({'type': 'mit_b0'}).state_dict(), tmp_path / 'pretrained' / 'mit-b0' / 'pytorch_model.bin')
    (tmp_path / 'pretrained' / 'page.pth').write_bytes(b'<!DOCTYPE html>')
    (tmp_path / 'pretrained' / 'README.md').write_text('text')
    found = list(weights.list_weights(tmp_path))
    assert [(one.status, one.what) for one in found] == [
        (OK, 'pretrained/mit-b0/pytorch_model.bin'),
        (WARN, 'pretrained/page.pth'),
    ]


# Report and command


def test_a_check_that_breaks_is_a_finding():
    def broken_check():
        raise RuntimeError('no CUDA\nsecond line')

    found = findings.run_checks('machine', [broken_check, lambda: [Finding('machine', OK, 'rest')]])
    assert [one.status for one in found] == [WARN, OK]
    assert found[0].detail == 'could not be checked: RuntimeError: no CUDA'


def test_lines_stand_below_each_other():
    found = [Finding('a', OK, 'short', 'x'), Finding('a', MISSING, 'longer name', 'y', 'do this')]
    lines = [''.join(text for text, _ in line) for line in report.lines(found)]
    assert lines[1].index('x') == lines[2].index('y') == lines[3].index('-> do this')
    assert lines[1].startswith('  [ok]      short') and lines[2].startswith('  [missing] longer name')
    assert lines[-1] == '1 missing'


@pytest.fixture
def small_config(farm):
    config = farm.parent / 'config.py'
    config.write_text(
        f'train_dataloader = dict(num_workers=0, dataset={farm_config(farm)!r})\n'
        f'work_dir = {str(farm.parent / "runs")!r}\n'
        "model = dict(type='EncoderDecoder', backbone=dict(type='mit_b0'), decode_head=dict(type='DAFormerHead'))\n"
    )
    return config


def test_command(small_config, farm, capsys):
    assert doctor.main([str(small_config)]) == 0
    text = capsys.readouterr().out
    assert '3 images with label maps' in text and 'Supervised, mit_b0, DAFormerHead' in text
    (farm / 'labels' / '1.png').unlink()
    assert doctor.main([str(small_config), '--json']) == 1
    content = json.loads(capsys.readouterr().out)
    assert content['ok'] is False
    missing = [one for one in content['findings'] if one['status'] == 'missing']
    assert only(missing)['group'] == 'data'


def test_configs_that_cannot_be_read(tmp_path, capsys):
    (tmp_path / 'bad.py').write_text('model = dict(')
    assert doctor.main([str(tmp_path / 'bad.py'), str(tmp_path / 'none.py')]) == 1
    text = capsys.readouterr().out
    assert 'bad.py cannot be read' in text and 'none.py does not exist' in text


def test_files_that_earlier_stages_leave(tmp_path):
    (tmp_path / 'there.pth').touch()
    uda = {
        'type': 'CrossPathDistillation',
        'rectify': 'probability',
        'teachers': [{'checkpoint': str(tmp_path / 'there.pth'), 'prototypes': 'gone.pth'}, {'checkpoint': '{cu}'}],
        'depth_guidance': {'bank': 'gone'},
        'prototypes': None,
    }
    found = [(file.key, file.path) for file in files.named_files('a.py', {'uda': uda})]
    assert found == [
        ('uda.depth_guidance.bank', 'gone'),
        ('uda.teachers.0.checkpoint', str(tmp_path / 'there.pth')),
        ('uda.teachers.0.prototypes', 'gone.pth'),
        ('uda.teachers.1.prototypes', ''),
    ]
    checked = list(files.check_files(list(files.named_files('a.py', {'uda': uda}))))
    assert [one.status for one in checked] == [MISSING, OK, MISSING, MISSING]
    assert checked[3].detail == 'uda.teachers.1.prototypes of a.py: not set'


def test_stages_are_looked_at_one_by_one(small_config, capsys):
    folder = small_config.parent
    (folder / 'all_stages.py').write_text(
        f'stages = dict(one=dict(train={str(small_config)!r}),\n'
        f"    two=dict(train={str(small_config)!r}, load_from='{{one}}'),\n"
        f"    three=dict(train={str(small_config)!r}, cfg_options={{'uda.depth_guidance.bank': 'gone'}}))\n"
    )
    assert doctor.main([str(folder / 'all_stages.py')]) == 1
    text = capsys.readouterr().out
    assert all(f'all_stages.py: {name}' in text for name in ('one', 'two', 'three'))
    assert 'load_from' not in text and 'uda.depth_guidance.bank of' in text


def test_a_broken_torch_is_a_finding(tmp_path):
    """Run as a user does, from another folder, with a PyTorch that cannot be imported."""
    (tmp_path / 'torch').mkdir()
    (tmp_path / 'torch' / '__init__.py').write_text(
        "raise OSError('libcudart.so.12: cannot open shared object file')\n"
    )
    done = subprocess.run(
        [sys.executable, ROOT / 'tools' / 'doctor.py', '--json'],
        cwd=tmp_path,
        env={'PYTHONPATH': str(tmp_path), 'PATH': '/usr/bin:/bin', 'HOME': str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert 'Traceback' not in done.stderr
    broken = {one['what']: one for one in json.loads(done.stdout)['findings'] if one['status'] == 'missing'}
    assert 'libcudart.so.12' in broken['torch']['detail']
    assert broken['torch']['run'].startswith('pip install --force-reinstall torch')
