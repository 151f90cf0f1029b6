"""Exported files give what the trained network gives, tell what they are, and do not exist otherwise."""

from __future__ import annotations

import hashlib
import importlib.util
import json

import numpy as np
import pytest
import torch
from torch import nn

from mmseg.engine import export as exporting
from mmseg.engine.export import export_network
from mmseg.engine.export_check import agreement, check_batches
from mmseg.engine.export_formats import FORMATS, ONNX_PACKAGES, Format, read_torch_export, write_torch_export
from mmseg.registry import MODELS
from tests.tools import tiny_run
from tools.export import main

MEAN, STD = (10.0, 20.0, 30.0), (2.0, 4.0, 8.0)
WITH_ONNX = pytest.mark.parametrize('kind', ['torch-export', 'onnx'])


class Branching(nn.Module):
    """What no graph can hold: its path depends on the image's content."""

    out_channels = [4]

    def __init__(self, pretrained=None):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, images):
        return [self.conv(images) if images.mean() > 0 else images.repeat(1, 2, 1, 1)[:, :4]]


class SamePadded(nn.Module):
    """A convolution with TensorFlow's padding."""

    def __init__(self, pretrained=None):
        from timm.layers import Conv2dSame

        super().__init__()
        self.conv = Conv2dSame(3, 8, 5, stride=2)

    def forward(self, images):
        return [self.conv(images)]


def network(backbone, channels=8, head=None, **options):
    torch.manual_seed(0)
    head = {'type': 'FCNHead', 'channels': 4, 'num_convs': 1, 'in_channels': channels, 'num_classes': 3, **(head or {})}
    segmentor = MODELS.build({'type': 'EncoderDecoder', 'backbone': backbone, 'decode_head': head, **options})
    # Classifiers start near zero, which would hide differences.
    nn.init.normal_(segmentor.decode_head.conv_seg.weight, std=3)
    return segmentor.eval()


def preprocessor(bgr_to_rgb=True):
    return MODELS.build({'type': 'SegDataPreProcessor', 'mean': MEAN, 'std': STD, 'bgr_to_rgb': bgr_to_rgb})


def needs_onnx(kind):
    if kind == 'onnx':
        for package in ONNX_PACKAGES:
            pytest.importorskip(package)


def suffix(kind):
    return '.onnx' if kind == 'onnx' else '.pt2'


def rgb(*shape, seed=1):
    return torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def run_file(path, images):
    """Run a file as a stranger would, with nothing of this repository."""
    if path.suffix == '.pt2':
        return torch.export.load(path).module()(images)
    import onnxruntime

    return torch.tensor(onnxruntime.InferenceSession(str(path)).run(None, {'images': images.numpy()})[0])


def metadata_of(path):
    if path.suffix == '.pt2':
        extra_files = {'metadata.json': ''}
        torch.export.load(path, extra_files=extra_files)
        return json.loads(extra_files['metadata.json'])
    import onnxruntime

    return onnxruntime.InferenceSession(str(path)).get_modelmeta().custom_metadata_map


def expected_logits(segmentor, images, mean, std):
    """Normalised by hand, in the channel order of ``mean``."""
    array = (images.numpy().astype(np.float64) - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    with torch.no_grad():
        return segmentor.encode_decode(torch.tensor(array, dtype=torch.float32))


@pytest.fixture
def run(tmp_path):
    return tiny_run.make_run(tmp_path / 'runs' / 'tiny', tmp_path / 'data')


@WITH_ONNX
def test_file_of_a_run_is_the_student_from_rgb_bytes(kind, run, capsys):
    needs_onnx(kind)
    path = main([str(run), '--format', kind, '--batch-size', '2'])
    assert path == run / f'latest{suffix(kind)}'
    images = rgb(2, 3, 12, 16)
    expected = expected_logits(tiny_run.student().eval(), images, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    torch.testing.assert_close(run_file(path, images), expected, rtol=1e-4, atol=1e-4)

    metadata = metadata_of(path)
    assert metadata['checkpoint_sha256'] == hashlib.sha256((run / 'latest.pth').read_bytes()).hexdigest()
    assert (metadata['output'], metadata['network']) == ('logits', 'student')
    assert 'RGB' in metadata['input']
    classes, palette, shape = (metadata[key] for key in ('classes', 'palette', 'shape'))
    if kind == 'onnx':
        classes, palette, shape = json.loads(classes), json.loads(palette), json.loads(shape)
    assert (tuple(classes), palette, shape) == (tiny_run.CLASSES, tiny_run.PALETTE, [2, 3, 12, 16])
    assert 'equal labels 100.0000 %' in capsys.readouterr().out
    assert b'site-packages' not in path.read_bytes(), 'names files of whoever exports'
    assert not list(run.glob('.*')), 'partial files are left'


def test_teacher_labels_and_probabilities(run):
    images = rgb(1, 3, 12, 16)
    logits = expected_logits(
        tiny_run.student(seed=1).eval(), images, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    )
    labels = run_file(main([str(run), '--format', 'torch-export', '--ema', '--labels']), images)
    assert labels.dtype == torch.uint8
    assert torch.equal(labels.long(), logits.argmax(1))
    path = main([str(run), '--format', 'torch-export', '--ema', '--probabilities'])
    assert path.name == 'latest_ema_probabilities.pt2'
    torch.testing.assert_close(run_file(path, images), logits.softmax(1), rtol=1e-4, atol=1e-5)


def test_bgr_networks_take_rgb_too(tmp_path):
    segmentor = network({'type': 'TwoLevelBackbone'})
    path = tmp_path / 'net.pt2'
    export_network(preprocessor(False), segmentor, path, 'torch-export', {'output': 'logits'}, shape=(16, 24))
    images = rgb(1, 3, 16, 24)
    torch.testing.assert_close(run_file(path, images), expected_logits(segmentor, images.flip(1), MEAN, STD))


@WITH_ONNX
def test_dynamic_network_with_same_padding_takes_multiples_of_32_only(kind, tmp_path):
    """Its padding depends on the size; sizes it is not exported for must fail, not differ."""
    needs_onnx(kind)
    segmentor, path = network({'type': SamePadded}), tmp_path / f'net{suffix(kind)}'
    export_network(preprocessor(), segmentor, path, kind, {'output': 'logits'}, shape=(60, 60), dynamic=True)
    for shape in ((1, 3, 64, 96), (3, 3, 128, 64)):
        images = rgb(*shape)
        torch.testing.assert_close(
            run_file(path, images), expected_logits(segmentor, images, MEAN, STD), rtol=1e-4, atol=1e-4
        )
    assert int(metadata_of(path)['size_divisor']) == 32
    with pytest.raises(Exception, match=r'32'):
        run_file(path, rgb(1, 3, 33, 64))


def test_dynamic_network_takes_any_size(tmp_path):
    needs_onnx('onnx')
    import onnxruntime

    segmentor = network({'type': 'TwoLevelBackbone'}, head={'align_corners': True})
    path = tmp_path / 'net.onnx'
    export_network(preprocessor(), segmentor, path, 'onnx', {'output': 'logits'}, shape=(24, 32), dynamic=True)
    for shape in ((1, 3, 17, 45), (4, 3, 40, 23)):
        images = rgb(*shape)
        torch.testing.assert_close(
            run_file(path, images), expected_logits(segmentor, images, MEAN, STD), rtol=1e-4, atol=1e-4
        )
    session = onnxruntime.InferenceSession(str(path))
    assert session.get_inputs()[0].shape == ['batch', 3, 'height', 'width']
    assert session.get_outputs()[0].shape == ['batch', 3, 'height', 'width']


def test_transformer_with_attention(tmp_path):
    kind = 'onnx' if all(map(importlib.util.find_spec, ONNX_PACKAGES)) else 'torch-export'
    widths = (4, 4, 8, 8)
    backbone = {'type': 'MixVisionTransformer', 'embed_dims': widths, 'num_heads': (1, 1, 2, 2), 'depths': (1, 1, 1, 1)}
    head = {
        'type': 'SegFormerHead',
        'in_channels': widths,
        'in_index': [0, 1, 2, 3],
        'channels': 4,
        'num_classes': 3,
        'norm_cfg': {'type': 'BN'},
        'decoder_params': {'embed_dim': 6},
    }
    torch.manual_seed(0)
    segmentor = MODELS.build({'type': 'EncoderDecoder', 'backbone': backbone, 'decode_head': head}).eval()
    results = []
    path = tmp_path / f'net{suffix(kind)}'
    export_network(preprocessor(), segmentor, path, kind, {'output': 'logits'}, shape=(32, 48), report=results.append)
    assert path.is_file()
    assert len(results) == 3
    assert all(result.holds(1e-4) for result in results)


def test_windows_are_exported_one_by_one_and_it_is_said(run, capsys):
    cfg = ['model.test_cfg.mode=slide', 'model.test_cfg.crop_size=(8,12)', 'model.test_cfg.stride=(4,6)']
    path = main([str(run), '--format', 'torch-export', '--cfg-options', *cfg])
    assert 'windows of 8x12 pixels, 4 down and 6 right' in capsys.readouterr().out
    metadata = metadata_of(path)
    assert metadata['inference'] == {'mode': 'slide', 'crop_size': [8, 12], 'stride': [4, 6]}
    assert run_file(path, rgb(1, 3, 8, 12)).shape == (1, 3, 8, 12)


def test_file_that_disagrees_is_not_left(tmp_path, monkeypatch):
    """As if an exporter translated a layer wrongly: the written weights differ."""

    def write_wrongly(program, path, metadata):
        program.state_dict['segmentor.decode_head.conv_seg.bias'].add_(torch.tensor([1.0, 0, 0]))
        write_torch_export(program, path, metadata)

    monkeypatch.setitem(FORMATS, 'torch-export', Format('.pt2', write_wrongly, read_torch_export))
    path = tmp_path / 'net.pt2'
    path.write_text('an older export')
    segmentor = network({'type': 'TwoLevelBackbone'})
    # The program shares its weights with the network; a copy goes wrong alone.
    trained = network({'type': 'TwoLevelBackbone'})
    monkeypatch.setattr(exporting, 'trained_logits', lambda pre, _, x: _trained(pre, trained, x))
    with pytest.raises(ValueError, match=r'net.pt2: not written, as the exported network differs .* by 1'):
        export_network(preprocessor(), segmentor, path, 'torch-export', {'output': 'logits'}, shape=(16, 24))
    assert path.read_text() == 'an older export'
    assert [file.name for file in tmp_path.iterdir()] == ['net.pt2']


def _trained(pre, segmentor, images):
    from mmseg.engine.export_check import trained_logits

    return trained_logits(pre, segmentor, images)


def test_network_that_cannot_be_traced_is_one_line(tmp_path):
    with pytest.raises(ValueError, match=r'^torch.export cannot trace this EncoderDecoder: [^\n]+$'):
        export_network(
            preprocessor(), network({'type': Branching}, 4), tmp_path / 'net.pt2', 'torch-export',
            {'output': 'logits'}, shape=(16, 24),
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_networks_that_follow_the_size_or_show_no_scores_are_refused(tmp_path):
    segmentor, path = network({'type': 'TwoLevelBackbone'}), tmp_path / 'net.pt2'
    segmentor.draw_crop_box = None
    with pytest.raises(ValueError, match='detail windows of EncoderDecoder are as many as the size asks for'):
        export_network(preprocessor(), segmentor, path, 'torch-export', {'output': 'logits'}, dynamic=True)
    segmentor.shows_attention = True
    with pytest.raises(ValueError, match="test_output='ATT' shows attention"):
        export_network(preprocessor(), segmentor, path, 'torch-export', {'output': 'logits'})


def test_what_agrees():
    logits = torch.tensor([[1.0, 2.0], [1.5, 0.0]]).reshape(1, 2, 1, 2)
    images = torch.zeros(1, 3, 1, 2, dtype=torch.uint8)
    same = agreement(images, logits + 0.001, logits, 'logits')
    assert (same.equal_labels, same.scale) == (1, 2)
    assert same.holds(1e-3)
    assert not same.holds(4e-4)
    assert not agreement(images, logits * float('nan'), logits, 'logits').holds(1)
    # A label may differ where scores nearly tie, by as much as they do.
    wrong = agreement(images, torch.tensor([[[0, 0]]], dtype=torch.uint8), logits, 'labels')
    assert (wrong.difference, wrong.equal_labels) == (0.5, 0.5)
    with pytest.raises(ValueError, match=r'gives torch.float32 \(1, 2, 1, 1\)'):
        agreement(images, logits[..., :1], logits, 'logits')


def test_checked_batches_of_a_dynamic_network_differ_in_all_sizes():
    shapes = {tuple(images.shape) for images in check_batches(1, 64, 96, dynamic=True, divisor=32)}
    assert len({shape[0] for shape in shapes}) >= 3
    assert any(shape[2] > shape[3] for shape in shapes)
    assert all(side % 32 == 0 for shape in shapes for side in shape[2:])
    assert any(side % 2 for images in check_batches(1, 64, 96, dynamic=True) for side in images.shape[2:])
    assert {tuple(images.shape) for images in check_batches(2, 8, 9, dynamic=False)} == {(2, 3, 8, 9)}


def test_missing_packages_are_named(run, monkeypatch):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None if name == 'onnxscript' else 'there')
    with pytest.raises(ImportError, match=r'needs onnxscript; run: pip install onnx onnxscript onnxruntime'):
        main([str(run), '--format', 'onnx'])


def test_wrong_use_is_told(run, capsys):
    with pytest.raises(ValueError, match=r'ends with .pt2'):
        main([str(run), '--format', 'torch-export', '--output', str(run / 'net.onnx')])
    with pytest.raises(ValueError, match=r'give --shape H W'):
        main([str(run), '--format', 'torch-export', '--cfg-options', 'test_dataloader.dataset.pipeline=[]'])
    for arguments in (['config.py', '--format', 'onnx'], [str(run), '--format', 'onnx', '--shape', '0', '8']):
        with pytest.raises(SystemExit):
            main(arguments)
    assert 'a CHECKPOINT is needed' in capsys.readouterr().err
