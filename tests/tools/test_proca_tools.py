"""Prototypes and pseudo-labels from the command line, on tiny files."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmseg.datasets.transforms import Compose
from mmseg.engine.class_thresholds import ClassThresholds, hard_labels
from mmseg.engine.prototype_files import FILES, read_prototypes
from mmseg.engine.prototype_pass import plain_pipeline
from tests.datasets.tiny_data import cityscapes_config, gta_config, write_cityscapes, write_gta
from tests.tools.tiny_run import model_config, student
from tools import init_prototypes, make_pseudo_labels


@pytest.fixture
def run(tmp_path):
    source, target = write_gta(tmp_path / 'gta'), write_cityscapes(tmp_path / 'cs')
    test = [{'type': 'LoadImageFromFile'}, {'type': 'Resize', 'scale': (32, 16), 'keep_ratio': True}]
    cfg = {
        'custom_imports': {'imports': ['tests.tools.tiny_run']},
        'model': model_config(19),
        'train_dataloader': {
            'dataset': {'type': 'UDADataset', 'source': gta_config(source), 'target': cityscapes_config(target)}
        },
        'test_dataloader': {'dataset': cityscapes_config(target, pipeline=[*test, {'type': 'PackSegInputs'}])},
    }
    Config(cfg).dump(tmp_path / 'config.py')
    torch.save({'state_dict': student(19).state_dict()}, tmp_path / 'latest.pth')
    return tmp_path


def command(run, *more):
    return [str(run / 'config.py'), str(run), '--out-dir', str(run / 'out'), '--workers', '0', '--device', 'cpu', *more]


def test_prototypes(run, capsys):
    init_prototypes.main(command(run))
    vectors, counts = read_prototypes(run / 'out' / FILES['feature'])
    assert vectors.shape == (19, 4)
    # Images of 60x40 become 60x40; the network halves twice. No crop, no flip, 255 is left out.
    assert 0 < int(counts.sum()) <= 4 * 15 * 10
    assert read_prototypes(run / 'out' / FILES['output'])[0].shape == (19, 19)
    assert '19 classes x 4 channels' in capsys.readouterr().out


def test_a_broken_image_is_named_and_does_not_lose_the_rest(run, capsys):
    (run / 'gta' / 'images' / '00002.png').write_bytes(b'no image')
    init_prototypes.main(command(run))
    assert int(read_prototypes(run / 'out' / FILES['feature'])[1].sum()) > 0


def test_pseudo_labels_bear_the_images_names(run, capsys):
    make_pseudo_labels.main(command(run, '--share', '0.5'))
    images = sorted(path.relative_to(run / 'cs/leftImg8bit/train') for path in (run / 'cs').rglob('*leftImg8bit.png'))
    written = sorted(path.relative_to(run / 'out') for path in (run / 'out').rglob('*.png'))
    assert written == images and len(written) == 3
    labels = np.stack([np.asarray(Image.open(run / 'out' / path)) for path in written])
    assert labels.shape == (3, 32, 64)
    assert 0.2 < (labels == 255).mean() < 0.8
    assert np.load(run / 'out' / 'thres_const.npy').shape == (19,)


def test_a_config_without_target_is_refused(run):
    cfg = Config.fromfile(str(run / 'config.py'))
    cfg.train_dataloader.dataset = cfg.train_dataloader.dataset.source
    cfg.dump(str(run / 'config.py'))
    with pytest.raises(ValueError, match='trains without a target domain'):
        make_pseudo_labels.main(command(run))


@pytest.mark.parametrize('cap', [0.9, 1.0])
def test_thresholds_are_quantiles_by_class(cap):
    measured = ClassThresholds(3, share=0.6, cap=cap)
    generator = torch.Generator().manual_seed(0)
    probabilities = (2 * torch.randn(2, 2, 9, 11, generator=generator, dtype=torch.float64)).softmax(1)
    probabilities = torch.cat([probabilities, torch.zeros_like(probabilities[:, :1])], dim=1)  # class 2 never wins
    for image in probabilities:
        measured.add(image[None])
    thresholds = measured.thresholds()
    confidence, prediction = probabilities.max(dim=1)
    exact = torch.zeros(3, dtype=torch.float64)
    for class_id in range(2):
        own = confidence[prediction == class_id].sort().values
        exact[class_id] = min(cap, float(own[min(round(len(own) * 0.6), len(own) - 1)]))
        assert float(thresholds[class_id]) == pytest.approx(float(exact[class_id]), abs=1e-6)
    assert thresholds[2] == 0
    labels = hard_labels(probabilities, thresholds)
    assert torch.equal(labels == 255, confidence < exact[prediction])
    with pytest.raises(ValueError, match='share must lie between 0 and 1'):
        ClassThresholds(3, share=60)


def test_prototypes_need_one_training_size():
    load = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}]

    def steps(**resize):
        return plain_pipeline([*load, {'type': 'Resize', **resize}, {'type': 'RandomFlip', 'prob': 0.5}])

    for scale in ((60, 40), [60, 40], [(60, 40)]):
        kept = steps(scale=scale, ratio_range=(0.5, 2))
        assert kept == [*load, {'type': 'Resize', 'scale': scale}]
        assert not any(transform.random for transform in Compose(kept).transforms)
    for mode in ('value', 'range'):
        with pytest.raises(ValueError, match=r'one of several scales.*\(30, 20\).*: prototypes need one training size'):
            steps(scale=[(60, 40), (30, 20)], multiscale_mode=mode)
