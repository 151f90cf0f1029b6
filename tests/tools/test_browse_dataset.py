import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmseg.engine.preview import open_preview
from mmseg.engine.runner import Runner
from mmseg.engine.seen_classes import count_seen, dataset_shares
from tests.datasets.tiny_data import gta_config, write_cityscapes, write_gta
from tests.engine.test_resume_dacs import dacs_config
from tools.browse_dataset import main, origin

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp('data')
    write_gta(folder / 'gta')
    write_cityscapes(folder / 'cityscapes')
    return folder


@pytest.fixture
def cfg(data, tmp_path):
    return dacs_config(data, tmp_path / 'run')


@pytest.fixture
def source_only(cfg, data):
    cfg.train_dataloader.dataset = gta_config(str(data / 'gta'))
    cfg.pop('uda')
    return cfg


def config_file(cfg, folder):
    folder.mkdir(parents=True, exist_ok=True)
    cfg.dump(folder / 'tiny.py')
    return str(folder / 'tiny.py')


def pictures(folder):
    return {file.name: np.asarray(Image.open(file)) for file in sorted(Path(folder).iterdir())}


def first_panel_of_training(cfg):
    cfg.default_hooks = {'panels': None, 'checkpoint': None}
    cfg.train_cfg.max_iters, cfg.val_dataloader, cfg.val_evaluator = 1, None, None
    run = Runner.from_cfg(cfg)
    run.model.panel_interval = 1
    run.train()
    return run.model.panel


def test_first_iteration_is_that_of_the_training(cfg):
    with open_preview(cfg) as preview:
        [step] = preview.steps(1)
    trained = first_panel_of_training(cfg)
    # What the passes add to the training's panel, such as predictions, has not been computed.
    assert {'source_image', 'source_label', 'pseudo_label', 'mixed_image', 'mixed_weight'} <= set(step.panel)
    for name, tensor in step.panel.items():
        assert torch.equal(trained[name], tensor), name
    assert [Path(meta['img_path']).parent.name for meta in step.source] == ['images', 'images']
    for label, mixed, pasted in zip(step.panel['source_label'], step.panel['mixed_label'], step.pasted, strict=True):
        assert set(pasted) <= set(label.unique().tolist())
        for class_id in pasted:
            assert (mixed[label == class_id] == class_id).all()


def test_an_iteration_looks_the_same_whatever_was_drawn_before(cfg, tmp_path):
    config = config_file(cfg, tmp_path / 'config')
    main([config, '--out-dir', str(tmp_path / 'a'), '--number', '3', '--interval', '2'])
    main([config, '--out-dir', str(tmp_path / 'b'), '--number', '1', '--start', '5'])
    first, second = pictures(tmp_path / 'a'), pictures(tmp_path / 'b')
    assert list(first) == ['iter_000001.png', 'iter_000003.png', 'iter_000005.png']
    np.testing.assert_array_equal(first['iter_000005.png'], second['iter_000005.png'])
    assert not np.array_equal(first['iter_000003.png'], first['iter_000005.png'])
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize('with_teacher', [True, False])
def test_checkpoint_labels_the_target(cfg, tmp_path, with_teacher):
    with open_preview(cfg) as preview:
        torch.manual_seed(5)
        student, teacher = (
            {key: torch.randn_like(value) * 0.1 if value.is_floating_point() else value for key, value in state.items()}
            for state in [preview.method.student.state_dict()] * 2
        )
    state = {f'model.{key}': value for key, value in student.items()}
    if with_teacher:
        state |= {f'ema_model.{key}': value for key, value in teacher.items()}
    torch.save({'state_dict': state}, tmp_path / 'latest.pth')
    with open_preview(cfg, tmp_path / 'latest.pth') as preview:
        [step] = preview.steps(4)
        method = preview.method
        expected = teacher if with_teacher else student
        head = 'decode_head.conv_seg.weight'
        assert torch.equal(method.ema_model.state_dict()[head], expected[head])
        assert preview.networks == f'the {"teacher" if with_teacher else "student"} in {tmp_path / "latest.pth"}'
        with torch.no_grad():
            labels = method.ema_model.encode_decode(step.panel['target_image']).argmax(1)
    assert torch.equal(step.panel['pseudo_label'], labels)


def test_source_only(source_only, tmp_path, capsys):
    main([config_file(source_only, tmp_path / 'config'), '--out-dir', str(tmp_path / 'out'), '--number', '1'])
    [picture] = pictures(tmp_path / 'out').values()
    assert picture.shape[1] < 800
    assert 'untrained' not in capsys.readouterr().out


def test_accumulated_batches_are_pictures_of_their_own(cfg, tmp_path):
    cfg.train_cfg.accumulate = 2
    main([config_file(cfg, tmp_path / 'config'), '--out-dir', str(tmp_path / 'out'), '--number', '1'])
    assert list(pictures(tmp_path / 'out')) == ['iter_000001_part_1.png', 'iter_000001_part_2.png']


def test_missing_imagenet_weights_are_said_in_one_line(cfg, tmp_path, capsys):
    cfg.model.pretrained = str(tmp_path / 'mit_b9.pth')
    cfg.uda.feature_distance = {'classes': [6, 7], 'weight': 0.005}
    main([config_file(cfg, tmp_path / 'config'), '--out-dir', str(tmp_path / 'out'), '--number', '1'])
    said = capsys.readouterr()
    assert said.err.strip().endswith('mit_b9.pth is not there: random weights; data are those of the training')
    assert '--checkpoint shows those of trained ones' in said.out
    assert len(pictures(tmp_path / 'out')) == 1


def test_statistics_are_those_of_the_samples(cfg, capsys, tmp_path):
    seen = count_seen(cfg, samples=5, start=2)
    dataset = Runner.build_dataloader(
        {**cfg.train_dataloader, 'sampler': {'type': 'SampleNumberSampler'}}, seed=cfg.seed
    ).dataset
    samples = [dataset[number]['source'] for number in range(2, 7)]
    for class_id in (0, 7, 18):
        counts = [int((sample['label'] == class_id).sum()) for sample in samples]
        assert seen.pixels[class_id] == sum(counts)
        assert seen.images[class_id] == sum(count > 0 for count in counts)
    assert seen.ignored == sum(int((sample['label'] == 255).sum()) for sample in samples)
    assert seen.drawn.tolist() == np.bincount([s['meta']['sampled_class'] for s in samples], minlength=19).tolist()
    whole = np.concatenate([np.asarray(Image.open(file)).flatten() for file in
                            (Path(dataset.source.seg_map_dir)).glob('*TrainIds.png')])  # fmt: skip
    np.testing.assert_allclose(seen.dataset, np.bincount(whole, minlength=256)[:19] / (whole < 255).sum())

    main([config_file(cfg, tmp_path / 'config'), '--stats', '3'])
    out = capsys.readouterr().out
    assert '3 labelled samples from iteration 1 on' in out
    assert 'traffic light' in out


def test_statistics_without_a_file_to_compare_with(source_only, tmp_path, capsys):
    root = write_gta(tmp_path / 'gta')
    for file in Path(root).glob('*.json'):
        file.unlink()
    source_only.train_dataloader.dataset.data_root = root
    assert count_seen(source_only, samples=2).drawn is None
    main([config_file(source_only, tmp_path / 'config'), '--stats', '2'])
    assert 'no sample_class_stats.json to compare with' in capsys.readouterr().out


def test_shares_count_only_files_of_the_dataset(data):
    from mmseg.registry import DATASETS

    whole, first = (DATASETS.build(gta_config(str(data / 'gta'), indices=indices)) for indices in (None, 1))
    label = np.asarray(Image.open(Path(first.seg_map_dir) / first.label_names[0]))
    np.testing.assert_allclose(dataset_shares(first)[3], (label == 3).sum() / (label < 255).sum())
    assert not np.allclose(dataset_shares(whole), dataset_shares(first))


def test_origin_says_what_happened_to_an_image():
    meta = {'img_path': 'a/b/7.png', 'ori_shape': (1052, 1914), 'scale_factor': (0.5, 0.5), 'flip': True,
            'crop_box': (10, 522, 0, 1024), 'sampled_class': 1, 'img_shape': (512, 957)}  # fmt: skip
    assert origin(meta, ['road', 'bus']) == (
        '7.png, 1914x1052 scaled to 957x526, crop x 0 to 957, y 10 to 522, mirrored, drawn for bus'
    )
    plain = {'img_path': '7.png', 'ori_shape': (5, 6), 'scale_factor': (1.0, 1.0), 'flip': False}
    assert origin(plain, []) == '7.png, 6x5'


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([], 'give at least one of --out-dir, --stats'),
        (['--stats', '0'], '--stats 0: expected at least 1'),
        (['--out-dir', 'x', '--start', '0'], '--start 0: expected at least 1'),
        (['--out-dir', 'x', '--opacity', '3'], '--opacity 3.0: expected'),
    ],
)
def test_wrong_use(arguments, message, capsys):
    with pytest.raises(SystemExit):
        main(['config.py', *arguments])
    assert message in capsys.readouterr().err


def test_config_that_trains_nothing(cfg, tmp_path):
    cfg.pop('train_dataloader')
    config = config_file(cfg, tmp_path / 'config')
    for arguments in (['--out-dir', str(tmp_path / 'out')], ['--stats']):
        with pytest.raises(ValueError, match='describes no training: it has no .*train_dataloader'):
            main([config, *arguments])


def test_unknown_type_is_one_line(cfg, tmp_path):
    cfg.train_dataloader.dataset.source.pipeline[0].type = 'LoadImageFrom'
    config = config_file(cfg, tmp_path / 'config')
    for arguments in (['--out-dir', str(tmp_path / 'out')], ['--stats']):
        with pytest.raises(ValueError, match="unknown transform type 'LoadImageFrom'; did you mean LoadImageFromFile"):
            main([config, *arguments])


def test_command_from_another_folder_says_errors_in_one_line(cfg, tmp_path):
    cfg.train_dataloader.dataset.source.data_root = 'nowhere'
    arguments = [config_file(cfg, tmp_path / 'config'), '--stats']
    command = [sys.executable, str(ROOT / 'tools' / 'browse_dataset.py'), *arguments]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert result.returncode == 1
    assert result.stderr.startswith('error: GTADataset: image folder nowhere/images does not exist')
    assert result.stderr.count('\n') == 1
