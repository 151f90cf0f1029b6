import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg.apis import inference_model, init_model
from mmseg.visualization import colorize, overlay
from tests.datasets.tiny_data import picture, save
from tests.tools import tiny_run
from tools.image_demo import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp('demo')
    return tiny_run.make_run(folder / 'tiny', folder / 'data')


@pytest.fixture
def photos(tmp_path):
    for number, name in enumerate(('a.png', 'sub/b.png', 'sub/c.png', 'sub/d.png')):
        save(tmp_path / 'photos' / name, picture(20 if number else 13, 31, seed=number))
    return tmp_path / 'photos'


def write_video(path, frames, code='MJPG', fps=12.5):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), fps, frames[0].shape[1::-1])
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame)
    writer.release()


def read_video(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (frame := capture.read())[0]:
        frames.append(frame[1])
    return frames, capture.get(cv2.CAP_PROP_FPS)


def written(folder):
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob('*') if file.is_file())


def load(path):
    return np.asarray(Image.open(path))


def test_every_kind_of_picture_is_that_of_the_prediction(run, photos, tmp_path):
    out = tmp_path / 'out'
    kinds = ['overlay', 'colour', 'labels', 'side-by-side']
    main([str(run), str(photos), '--out-dir', str(out), '--batch-size', '2', '--opacity', '0.25', '--what', *kinds])
    names = written(photos)
    assert written(out) == sorted(f'{kind}/{name}' for kind in kinds for name in names)
    model = init_model(run)
    for name in names:
        label = inference_model(model, photos / name).pred_sem_seg.data[0].numpy()
        image = load(photos / name)
        np.testing.assert_array_equal(load(out / 'labels' / name), label)
        np.testing.assert_array_equal(load(out / 'colour' / name), colorize(label, tiny_run.PALETTE))
        laid = overlay(image, label, tiny_run.PALETTE, 0.25)
        np.testing.assert_array_equal(load(out / 'overlay' / name), laid)
        np.testing.assert_array_equal(load(out / 'side-by-side' / name)[:, [*range(31), *range(-31, 0)]],
                                      np.hstack([image, laid]))  # fmt: skip


def test_config_and_checkpoint_and_options_reach_the_network(run, photos, tmp_path):
    def labels(name, *options):
        main([str(run / 'tiny.py'), str(run / 'latest.pth'), str(photos / 'a.png'), '--out-dir',
              str(tmp_path / name), '--what', 'labels', *options])  # fmt: skip
        return load(tmp_path / name / 'a.png')

    plain = labels('plain')
    options = {'ema': ['--ema'], 'slide': ['--inference-mode', 'slide'], 'tta': ['--tta'],
               'cfg': ['--cfg-options', 'test_dataloader.dataset.pipeline.1.scale=(160,120)']}  # fmt: skip
    for name, option in options.items():
        assert (labels(name, *option) != plain).any(), name
    assert (labels('bf16', '--precision', 'bf16', '--device', 'cpu') == plain).mean() > 0.9


def test_legend_makes_room(run, photos, tmp_path):
    for name, options in (('none', []), ('auto', ['--legend']), ('right', ['--legend-at', 'right'])):
        main([str(run), str(photos / 'a.png'), '--out-dir', str(tmp_path / name), *options])
    none, auto, right = (load(tmp_path / name / 'a.png') for name in ('none', 'auto', 'right'))
    assert none.shape == (13, 31, 3)
    assert auto.shape[0] > 13
    assert right.shape[1] > 31
    np.testing.assert_array_equal(auto[:13, :31], none)


def test_jpg(run, photos, tmp_path):
    main([str(run), str(photos / 'a.png'), '--out-dir', str(tmp_path / 'out'), '--jpg', '--what', 'labels', 'colour'])
    assert written(tmp_path / 'out') == ['colour/a.jpg', 'labels/a.png']
    with Image.open(tmp_path / 'out/colour/a.jpg') as stored:
        assert stored.format == 'JPEG'


def test_broken_files_are_named_and_counted_and_lose_nothing(run, photos, tmp_path, capsys):
    (photos / 'sub' / 'empty.png').touch()
    (photos / 'text.jpg').write_text('hello')
    (photos / 'clip.mp4').write_text('hello')
    with pytest.raises(ValueError, match='3 of 7 inputs could not be used'):
        main([str(run), str(photos), '--out-dir', str(tmp_path / 'out')])
    printed = capsys.readouterr()
    assert '4 of 7 inputs predicted' in printed.out
    problems = [line for line in printed.err.splitlines() if line.startswith('  ')]
    assert len(problems) == 3
    assert all(any(name in line for line in problems) for name in ('empty.png is an empty', 'text.jpg', 'clip.mp4'))
    assert written(tmp_path / 'out') == ['a.png', 'sub/b.png', 'sub/c.png', 'sub/d.png']


@pytest.mark.parametrize('legend', [[], ['--legend']])
def test_video_keeps_size_rate_and_number_of_frames(run, tmp_path, legend):
    frames = [np.full((48, 64, 3), 20 * i, np.uint8) for i in range(5)]
    write_video(tmp_path / 'drive.avi', frames)
    out = tmp_path / 'out'
    main([str(run), str(tmp_path / 'drive.avi'), '--out-dir', str(out), '--what', 'overlay', 'labels',
          '--batch-size', '2', '--opacity', '0', *legend])  # fmt: skip
    assert written(out) == [*(f'labels/drive/{i:06d}.png' for i in range(5)), 'overlay/drive.mp4']
    drawn, fps = read_video(out / 'overlay' / 'drive.mp4')
    assert fps == 12.5
    assert [int(np.median(frame[:48, :64])) for frame in drawn] == pytest.approx([20 * i for i in range(5)], abs=6)
    height, width = drawn[0].shape[:2]
    assert (height > 48) == bool(legend)
    assert width >= 64 and (legend or width == 64)
    assert load(out / 'labels/drive/000003.png').shape == (48, 64)


def test_cut_video_is_predicted_as_far_as_it_goes(run, tmp_path, capsys):
    write_video(tmp_path / 'cut.avi', [picture(48, 64, seed=i) for i in range(20)])
    content = (tmp_path / 'cut.avi').read_bytes()
    (tmp_path / 'cut.avi').write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match='1 of 1 inputs'):
        main([str(run), str(tmp_path / 'cut.avi'), '--out-dir', str(tmp_path / 'out')])
    assert 'it should hold 20' in capsys.readouterr().err
    assert 5 <= len(read_video(tmp_path / 'out' / 'cut.mp4')[0]) <= 12


def test_interrupted_video_leaves_nothing_half_written(tmp_path):
    from mmseg.apis.video import VideoWriter

    with pytest.raises(KeyboardInterrupt), VideoWriter(tmp_path / 'a.mp4', 5) as writer:
        writer.write(np.zeros((33, 17, 3), np.uint8))
        raise KeyboardInterrupt
    assert written(tmp_path) == []
    with VideoWriter(tmp_path / 'a.mp4', 5) as writer:
        writer.write(np.zeros((33, 17, 3), np.uint8))
    assert read_video(tmp_path / 'a.mp4')[0][0].shape == (34, 18, 3)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['{run}', '{image}'], 'required: --out-dir'),
        (['{image}', '{run}/tiny.py', '{run}/latest.pth', '--out-dir', 'x'], 'the network comes first'),
        (['{run}/tiny.py', '{image}', '--out-dir', 'x'], 'its checkpoint is expected, not'),
        (['{run}', '{run}/latest.pth', '--out-dir', 'x'], 'nothing to predict'),
        (['{run}', '{image}', '--out-dir', 'x', '--opacity', '3'], '--opacity 3.0: expected'),
        (['{run}', '{image}', '--out-dir', 'x', '--batch-size', '0'], '--batch-size 0: expected'),
    ],
)
def test_wrong_use(run, photos, capsys, arguments, message):
    with pytest.raises(SystemExit):
        main([argument.format(run=run, image=photos / 'a.png') for argument in arguments])
    assert message in capsys.readouterr().err


def test_runs_from_another_folder_and_tells_errors_in_one_line(run, photos, tmp_path):
    command = [sys.executable, str(ROOT / 'tools' / 'image_demo.py'), str(run)]
    result = subprocess.run([*command, 'photos/no.png', '--out-dir', 'x'], cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode, result.stderr.strip()) == (1, 'error: photos/no.png: no such file or folder')
    assert not (tmp_path / 'x').exists()


@pytest.mark.parametrize(
    ('inputs', 'options', 'replaced'),
    [
        (['a.png', 'drive.mp4'], [], 'a.png'),
        (['drive.mp4'], ['--what', 'overlay'], 'drive.mp4'),
        (['a.jpg'], ['--jpg'], 'a.jpg'),
        (['a.jpg', 'a.png'], ['--what', 'labels', 'colour'], None),
        (['link.png'], [], 'link.png'),
        (['drive.mp4', 'drive/000001.png'], ['--what', 'labels'], '000001.png'),
    ],
)
def test_no_result_may_replace_an_input(run, tmp_path, monkeypatch, inputs, options, replaced):
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(('a.png', 'a.jpg', 'sub/a.jpg', 'drive/000001.png')):
        save(tmp_path / name, picture(20, 31, seed=number))
    write_video(tmp_path / 'drive.mp4', [picture(48, 64)] * 2, code='mp4v')
    (tmp_path / 'link.png').symlink_to('a.png')
    before = {name: (tmp_path / name).read_bytes() for name in written(tmp_path)}
    command = [str(run), *inputs, '--out-dir', '.', *options]
    if replaced is None:
        main(command)
    else:
        with pytest.raises(ValueError, match=f'would replace the input .*{replaced}: choose another --out-dir'):
            main(command)
        assert written(tmp_path) == sorted(before)
    assert all((tmp_path / name).read_bytes() == content for name, content in before.items())
