"""ProDA's rule from the command line: one threshold, the mirrored image, confidences and soft labels."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from mmseg.datasets.transforms import LoadPseudoLabels
from mmseg.engine.config import load_config
from mmseg.engine.dataset_pass import load_networks
from mmseg.engine.pseudo_label_pass import Labeller
from tests.tools.test_proca_tools import command, run  # noqa: F401
from tools import make_pseudo_labels

NAME = 'leftImg8bit'


def labels_below(folder):
    return {path.relative_to(folder): np.asarray(Image.open(path)) for path in sorted(folder.rglob('*.png'))}


def expected(run, path, flip):  # noqa: F811
    """Softmax of the small logits, then up-sampling with the network's rule, then the mean."""
    preprocessor, student = load_networks(load_config(str(run / 'config.py'), {}), str(run / 'latest.pth'), 'cpu')
    with Image.open(path) as image:
        small = np.asarray(image.convert('RGB'))
    import cv2

    small = cv2.resize(small, (32, 16))
    pixels = torch.from_numpy(small[..., ::-1].copy()).permute(2, 0, 1)[None]
    images = preprocessor.normalize(pixels)
    total = 0
    for mirrored in (False, True) if flip else (False,):
        shown = images.flip(-1) if mirrored else images
        probabilities = student.head_logits(shown).softmax(1).detach()
        full = torch.nn.functional.interpolate(
            probabilities, size=(32, 64), mode='bilinear', align_corners=student.align_corners
        )
        total = total + (full.flip(-1) if mirrored else full)
    return total / (2 if flip else 1)


@pytest.mark.parametrize('flip', [False, True])
def test_threshold(run, flip, capsys):  # noqa: F811
    more = ['--flip'] if flip else []
    make_pseudo_labels.main(command(run, '--threshold', '0', '--confidence', '--soft', *more))
    whole = labels_below(run / 'out')
    assert len(whole) == 3 and not any((labels == 255).any() for labels in whole.values())
    confidence = {name: np.load(run / 'out' / f'{name.with_suffix("")}_conf.npy') for name in whole}
    threshold = float(np.median(np.concatenate([values.ravel() for values in confidence.values()])))
    make_pseudo_labels.main(command(run, '--threshold', str(threshold), *more))
    kept = labels_below(run / 'out')
    for name, labels in kept.items():
        image = run / 'cs/leftImg8bit/train' / name
        probabilities = expected(run, image, flip)
        highest, prediction = (value[0].numpy() for value in probabilities.max(dim=1))
        np.testing.assert_allclose(confidence[name].astype(float), highest, atol=1e-3)
        clear = np.sort(probabilities[0].numpy(), axis=0)[-2] < highest - 1e-5
        assert (whole[name] == prediction)[clear].all()
        rejected = confidence[name] <= np.float16(threshold)
        np.testing.assert_array_equal(labels, np.where(rejected, 255, whole[name]))
        record = {'seg_map_path': str(run / 'out' / name), 'num_classes': 19}
        np.testing.assert_array_equal(LoadPseudoLabels(threshold)(record)['gt_seg_map'], labels)
        soft = np.load((run / 'out' / name).with_suffix('.npy'))
        assert soft.shape[0] == 19 and soft.shape[1] < 32 and soft.dtype == np.float16
        np.testing.assert_allclose(soft.astype(np.float32).sum(0), 1, atol=0.01)
    report = json.loads((run / 'out/pseudo_labels.json').read_text())
    count = sum(entry['kept'] for entry in report['classes'].values())
    assert count == sum(int((labels != 255).sum()) for labels in kept.values())
    assert sum(entry['predicted'] for entry in report['classes'].values()) == 3 * 32 * 64
    assert report['threshold'] == threshold and report['flip'] is flip and len(report['checkpoint_sha256']) == 64
    assert '3 label maps' in capsys.readouterr().out


def test_class_rule_with_a_mirrored_image(run):  # noqa: F811
    make_pseudo_labels.main(command(run, '--flip', '--share', '0.5', '--confidence'))
    report = json.loads((run / 'out/pseudo_labels.json').read_text())
    shares = [entry['share'] for entry in report['classes'].values() if entry['predicted'] > 200]
    assert shares and all(0.3 < share <= 1 for share in shares)
    assert report['share'] == 0.5 and (run / 'out/thres_const.npy').is_file()


def test_mistakes(run):  # noqa: F811
    with pytest.raises(ValueError, match='threshold must lie between 0 and 1, got 95.0'):
        make_pseudo_labels.main(command(run, '--threshold', '95'))
    for option, value, message in (
        ('--device', 'gpu', "'gpu' is no device; there are cpu"),
        ('--device', 'cuda:99', 'device cuda:99: this machine has'),
        ('--workers', '-1', '--workers -1: expected 0 or more'),
    ):
        with pytest.raises(ValueError, match=message):
            make_pseudo_labels.main(command(run, option, value))
    broken = next((run / 'cs/leftImg8bit/train').rglob('*.png'))
    broken.write_bytes(b'no image')
    with pytest.raises(ValueError, match='1 times an image could not be read'):
        make_pseudo_labels.main(command(run, '--threshold', '0.1'))
    assert len(labels_below(run / 'out')) == 2


def test_images_and_ground_truth_are_not_replaced(run, tmp_path):  # noqa: F811
    def make(folder):
        make_pseudo_labels.main([*command(run, '--threshold', '0'), '--out-dir', str(folder)])

    (run / 'link').symlink_to(run / 'cs/leftImg8bit')
    truth = run / 'truth'
    first = next((run / 'cs/leftImg8bit/train').rglob('*.png')).relative_to(run / 'cs/leftImg8bit/train')
    (truth / first).parent.mkdir(parents=True)
    (truth / first).write_bytes(b'labels of somebody')
    before = {path: path.read_bytes() for path in run.rglob('*.*') if path.is_file()}
    for folder in ('cs/leftImg8bit/train', 'link/train', 'cs/leftImg8bit/train/more'):
        with pytest.raises(ValueError, match='would replace images of .* or be taken for such: name another --out-dir'):
            make(run / folder)
    with pytest.raises(ValueError, match=f'would replace .*{first.name}, which is not of this tool'):
        make(truth)
    assert {path: path.read_bytes() for path in run.rglob('*.*') if path.is_file()} == before


def test_a_killed_run_leaves_no_report_of_an_earlier_one(run, monkeypatch):  # noqa: F811
    make_pseudo_labels.main(command(run))
    report = run / 'out/pseudo_labels.json'
    assert json.loads(report.read_text())['finished'] is True
    write, done = Labeller.write, []

    def killed(self, sample, *arguments):
        if done:
            raise KeyboardInterrupt
        done.append(write(self, sample, *arguments))
        return done[0]

    monkeypatch.setattr(Labeller, 'write', killed)
    with pytest.raises(KeyboardInterrupt):
        make_pseudo_labels.main(command(run, '--threshold', '0'))
    assert json.loads(report.read_text()) == {'finished': False}
    assert not (run / 'out/thres_const.npy').exists()
    monkeypatch.undo()
    make_pseudo_labels.main(command(run, '--threshold', '0'))
    assert json.loads(report.read_text())['images'] == 3
