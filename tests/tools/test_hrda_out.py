"""``tools/test.py --hrda-out`` on a run in miniature."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmseg.evaluation.evaluate import build_networks
from tests.tools import tiny_run
from tools.test import main


@pytest.fixture
def run(tmp_path):
    """A run folder whose network is an HRDA."""
    folder, data = tmp_path / 'runs' / 'hrda', tmp_path / 'data'
    folder.mkdir(parents=True)
    tiny_run.write_images(data, 'val')
    cfg = tiny_run.config(data)
    cfg.model.type = 'HRDAEncoderDecoder'
    cfg.model.decode_head.update(type='HRDAHead', single_scale_head='FCNHead', attention_embed_dim=4, dropout_ratio=0)
    cfg.model.update(scales=[1, 0.5], hr_crop_size=[8, 8])
    cfg.dump(folder / 'hrda.py')
    torch.manual_seed(0)
    network = build_networks(Config(cfg.to_dict()))[1]
    for parameter in network.decode_head.parameters():
        torch.nn.init.normal_(parameter)
    torch.save({'state_dict': {f'model.{k}': v for k, v in network.state_dict().items()}}, folder / 'latest.pth')
    return folder


def pictures(run, folder, *options):
    main([str(run), '--show-dir', str(folder), '--opacity', '1', '--device', 'cpu', *options])
    return {file.name: np.asarray(Image.open(file)) for file in folder.rglob('*.png')}


def test_each_scale_predicts_with_the_same_checkpoint(run, tmp_path):
    fused = pictures(run, tmp_path / 'fused')
    single = {scale: pictures(run, tmp_path / scale, '--hrda-out', scale) for scale in ('LR', 'HR')}
    for name, labels in fused.items():
        versions = [labels, single['LR'][name], single['HR'][name]]
        assert all(version.shape == tiny_run.SIZE for version in versions)
        assert len({version.tobytes() for version in versions}) == 3


def test_attention_is_drawn_in_grey_levels(run, tmp_path):
    for image in pictures(run, tmp_path / 'attention', '--hrda-out', 'ATT').values():
        assert image.dtype == np.uint8 and image.shape == tiny_run.SIZE
        assert len(np.unique(image)) > 3


def test_scores_of_one_scale_have_a_file_of_their_own(run):
    main([str(run), '--eval', 'mIoU', '--hrda-out', 'LR', '--device', 'cpu'])
    assert (run / 'eval_latest_LR.json').is_file()


def test_attention_cannot_be_scored(run, capsys):
    for options in (['--eval', 'mIoU'], ['--show-dir', 'x', '--eval', 'mIoU'], ['--format-only']):
        with pytest.raises(SystemExit):
            main([str(run), '--hrda-out', 'ATT', *options])
        assert '--hrda-out ATT draws the attention' in capsys.readouterr().err


def test_other_networks_are_refused(tmp_path):
    run = tiny_run.make_run(tmp_path / 'runs' / 'tiny', tmp_path / 'data')
    with pytest.raises(ValueError, match=r'--hrda-out LR: .* no HRDA, .*EncoderDecoder with FCNHead'):
        main([str(run), '--eval', 'mIoU', '--hrda-out', 'LR', '--device', 'cpu'])
