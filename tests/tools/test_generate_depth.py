"""tools/generate_depth.py with a tiny network of random weights."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmseg.apis.depth_model import FLAT_ROAD, DepthAnything, FlatRoad, input_size, stretched
from mmseg.datasets.depth_files import check_depth_maps
from mmseg.datasets.depth_layouts import depth_tasks
from mmseg.datasets.gta import GTADataset
from mmseg.datasets.image_io import read_depth, read_image
from tools import generate_depth

transformers = pytest.importorskip('transformers')


@pytest.fixture(scope='module')
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Depth Anything network of 137 thousand random weights, as a folder."""
    folder = tmp_path_factory.mktemp('model')
    torch.manual_seed(0)
    backbone = transformers.Dinov2Config(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=4,
        image_size=56,
        patch_size=14,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
        initializer_range=0.2,
    )
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=32,
        neck_hidden_sizes=[8, 16, 32, 32],
        fusion_hidden_size=16,
        head_hidden_size=8,
        initializer_range=0.2,
    )
    network = transformers.DepthAnythingForDepthEstimation(config)
    with torch.no_grad():
        network.head.conv3.bias += 1  # else the last ReLU cuts most of it off
    network.save_pretrained(folder)
    transformers.DPTImageProcessor(
        size={'height': 56, 'width': 56},
        keep_aspect_ratio=True,
        ensure_multiple_of=14,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    ).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def gta(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    (tmp_path / 'images').mkdir()
    for number, size in enumerate(((40, 80), (40, 80), (32, 60))):
        cv2.imwrite(str(tmp_path / 'images' / f'{number}.png'), random.integers(0, 256, (*size, 3), np.uint8))
    return tmp_path


def run(root: Path, model: str, *options: str, dataset: str = 'gta') -> None:
    generate_depth.main(
        [str(root), '--dataset', dataset, '--model', model, '--workers', '0', '--device', 'cpu', *options]
    )


@pytest.mark.parametrize(
    ('size', 'expected'),
    [((1024, 2048), (518, 1036)), ((1052, 1914), (518, 938)), ((1046, 1914), (518, 952)), ((760, 1280), (518, 868))],
)
def test_input_sizes_are_those_of_the_authors_script(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert input_size(*size) == expected


def test_maps_are_what_the_network_gives(gta: Path, model: str) -> None:
    run(gta, model)
    network = transformers.DepthAnythingForDepthEstimation.from_pretrained(model).eval()
    image = cv2.cvtColor(read_image(str(gta / 'images/2.png')), cv2.COLOR_BGR2RGB) / np.float32(255)
    resized = cv2.resize(image, (112, 56), interpolation=cv2.INTER_CUBIC)
    pixels = (resized - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    with torch.no_grad():
        depth = network(torch.from_numpy(pixels).permute(2, 0, 1)[None].float()).predicted_depth
    depth = torch.nn.functional.interpolate(depth[None], (32, 60), mode='bilinear', align_corners=True)[0, 0].numpy()
    found = read_depth(str(gta / 'depth_any/2.png'))
    assert found.min() == 0 and found.max() == 255
    expected = np.floor(255 * (depth - depth.min()) / (depth.max() - depth.min()))
    assert np.abs(found - expected).max() <= 1  # rounding
    assert (found == expected).mean() > 0.99


def test_maps_suit_the_dataset_and_batches_make_no_difference(gta: Path, model: str) -> None:
    run(gta, model, '--batch-size', '1')
    run(gta, model, '--batch-size', '3', '--depth-dir', 'others')
    prefix = {'img_path': 'images', 'depth_path': 'depth_any'}
    check_depth_maps(GTADataset(data_root=str(gta), data_prefix=prefix))
    for number in range(3):
        one, three = (read_depth(str(gta / folder / f'{number}.png')) for folder in ('depth_any', 'others'))
        assert np.abs(one.astype(int) - three).max() <= 1


def test_maps_that_are_there_stay(gta: Path, model: str, capsys: pytest.CaptureFixture) -> None:
    (gta / 'depth_any').mkdir()
    (gta / 'depth_any/1.png').write_bytes(b'mine')
    run(gta, model)
    assert (gta / 'depth_any/1.png').read_bytes() == b'mine'
    assert '2 depth maps made, 1 were there already' in capsys.readouterr().out
    run(gta, 'a model that does not exist')  # nothing to do


def test_broken_image_is_named_and_the_rest_is_done(gta: Path, model: str) -> None:
    (gta / 'images/0.png').write_bytes(b'broken')
    with pytest.raises(ValueError, match='1 of 3 images have no depth map, as they cannot be read: image .*0.png'):
        run(gta, model)
    assert (gta / 'depth_any/1.png').is_file() and (gta / 'depth_any/2.png').is_file()


def test_maps_of_two_models_are_not_mixed(gta: Path, model: str) -> None:
    run(gta, model)
    (gta / 'depth_any/1.png').unlink()
    with pytest.raises(ValueError, match='depth_any holds depth maps of .*, not of flat-road'):
        run(gta, 'flat-road', '--depth-dir', 'depth_any')


def test_models_that_do_not_suit(gta: Path, model: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='is no folder of a whole model'):
        run(gta, str(gta / 'images'))
    config = transformers.AutoConfig.from_pretrained(model)
    config.depth_estimation_type = 'metric'
    config.save_pretrained(tmp_path / 'metric')
    with pytest.raises(ValueError, match='gives metres'):
        DepthAnything(str(tmp_path / 'metric'), 'cpu')
    transformers.Dinov2Config().save_pretrained(tmp_path / 'dino')
    with pytest.raises(ValueError, match='is of type dinov2, expected depth_anything'):
        DepthAnything(str(tmp_path / 'dino'), 'cpu')


def test_flat_road_is_far_above_the_horizon_and_near_at_the_bottom(gta: Path, capsys: pytest.CaptureFixture) -> None:
    run(gta, 'flat-road')
    depth = read_depth(str(gta / 'depth_stand_in/0.png'))
    assert (depth[:18] == 0).all() and (depth[-1] == 255).all() and (np.diff(depth[18:, 0].astype(int)) > 0).all()
    assert '3 stand-ins for depth maps made' in capsys.readouterr().out
    assert len(FlatRoad()(torch.zeros(2, 0), (4, 8))) == 2


def test_mistakes_are_said_before_anything_is_written(gta: Path) -> None:
    before = sorted(gta.rglob('*'))
    with pytest.raises(ValueError, match='cannot lie in the folder of the images'):
        generate_depth.main([str(gta), '--dataset', 'gta', '--model', FLAT_ROAD, '--depth-dir', 'images'])
    with pytest.raises(ValueError, match="'gpu' is no device"):
        generate_depth.main([str(gta), '--dataset', 'gta', '--model', FLAT_ROAD, '--device', 'gpu'])
    assert sorted(gta.rglob('*')) == before


def test_stretching() -> None:
    assert stretched(np.float32([[1, 2, 3]])).tolist() == [[0, 127, 255]]
    assert stretched(np.full((2, 2), 7.0)).tolist() == [[0, 0], [0, 0]]
    with pytest.raises(ValueError, match='no finite depth'):
        stretched(np.float32([[1, np.nan]]))


def test_layouts(tmp_path: Path) -> None:
    files = {
        'synthia': ('RGB/0.png', 'depth_any/0.png'),
        'cityscapes': ('leftImg8bit/train/ulm/x_leftImg8bit.png', 'depth_any/train/ulm/x_depth.png'),
        'camvid': ('train/0001TP_1.png', 'depth_any/train/0001TP_1.png'),
        'folder': ('images/town/y.jpg', 'depth_any/town/y.png'),
    }
    for dataset, (image, depth) in files.items():
        path = tmp_path / dataset / image
        path.parent.mkdir(parents=True)
        path.touch()
        root = tmp_path / dataset
        assert depth_tasks(str(root), dataset, 'depth_any') == [(str(path), str(root / depth))]
