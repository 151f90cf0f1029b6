"""Prototypes of a teacher from the command line, on tiny files."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmseg.engine import target_prototype_pass
from mmseg.engine.class_prototype_files import read_class_prototypes
from mmseg.engine.dataset_pass import domain_dataset
from mmseg.engine.target_prototype_pass import Epochs, TargetPrototypes, training_pipeline
from mmseg.models.uda.components.frozen_teachers import weights_hash
from mmseg.models.uda.components.prototypes import PrototypeBank
from mmseg.registry import MODELS
from tests.datasets.tiny_data import cityscapes_config, gta_config, train_pipeline, write_cityscapes, write_gta
from tests.tools.tiny_run import model_config, student
from tools.cal_prototypes import cal_prototype

NAME = 'r1_st_cu_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes'


@pytest.fixture
def run(tmp_path, monkeypatch):
    source, target = write_gta(tmp_path / 'gta'), write_cityscapes(tmp_path / 'cs')
    cfg = {
        'custom_imports': {'imports': ['tests.tools.tiny_run']},
        'model': model_config(19),
        'seed': 3,
        'train_dataloader': {
            'dataset': {'type': 'UDADataset', 'source': gta_config(source), 'target': cityscapes_config(target)}
        },
    }
    Config(cfg).dump(tmp_path / f'{NAME}.py')
    torch.save({'state_dict': {f'model.{k}': v for k, v in student(19).state_dict().items()}}, tmp_path / 'latest.pth')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(run, *more):
    return [str(run / f'{NAME}.py'), *more, '--workers', '0', '--device', 'cpu', '--epochs', '2']


def test_the_file_of_the_originals_name(run, capsys):
    cal_prototype.main(command(run, '--checkpoint', str(run / 'latest.pth')))
    found = read_class_prototypes('prototypes/gtav2cityscapes_round1/gtav2cityscapes_st-cu_dlv2.pth')
    assert found.vectors.shape == (19, 4) and found.vectors.dtype == torch.float32
    assert 0 < int(found.counts.max()) <= 2 * 3
    assert found.network == weights_hash(student(19).state_dict().values())
    assert len(found.classes) == 19
    assert '19 classes x 4 channels, from 3 images, 2 times' in capsys.readouterr().out


def test_as_the_published_loop_makes_them(run):
    cal_prototype.main(command(run, str(run), '--out', 'p.pth'))
    found = read_class_prototypes('p.pth')
    cfg = Config.fromfile(str(run / f'{NAME}.py'))
    samples = Epochs(domain_dataset(cfg, 'target', training_pipeline), 2, seed=3)
    network, preprocessor = student(19).eval(), MODELS.build(model_config(19)['data_preprocessor'])
    vectors, counts = torch.zeros(19, 4), torch.zeros(19)
    for sample in (samples[number] for number in range(len(samples))):
        assert 'label' not in sample
        images = preprocessor.normalize(sample['image'][None])
        with torch.no_grad():
            out = network(images)
        logits, feature = (
            torch.nn.functional.interpolate(x, size=images.shape[2:], mode='bilinear')[0]
            for x in (out.logits['main'], out.embedding)
        )
        labels = logits.argmax(0)
        for number in range(19):
            if int((labels == number).sum()) >= 10:
                mean = feature[:, labels == number].mean(1)
                if mean.sum() != 0:
                    vectors[number] = (counts[number] * vectors[number] + mean) / (counts[number] + 1)
                    counts[number] += 1
    assert found.counts.tolist() == counts.tolist()
    torch.testing.assert_close(found.vectors, vectors, rtol=1e-4, atol=1e-5)


def test_crops_differ_between_epochs_and_follow_from_the_seed(run):
    cfg = Config.fromfile(str(run / f'{NAME}.py'))
    dataset = domain_dataset(cfg, 'target', training_pipeline)
    first, again, other = Epochs(dataset, 4, 3), Epochs(dataset, 4, 3), Epochs(dataset, 4, 4)
    views = [first[number]['image'] for number in range(0, 12, 3)]  # of the first file
    assert any(not torch.equal(views[0], view) for view in views[1:])
    assert all(torch.equal(first[number]['image'], again[number]['image']) for number in range(12))
    assert any(not torch.equal(first[number]['image'], other[number]['image']) for number in range(12))


def test_labels_are_loaded_where_they_choose_the_crops(run):
    """Of the published crops that look at the target's labels."""
    cfg = Config.fromfile(str(run / f'{NAME}.py'))
    pipeline = train_pipeline(scale=(64, 32), cat_max_ratio=0.1)
    cfg.train_dataloader.dataset.target.pipeline = pipeline
    cfg.dump(run / f'{NAME}.py')
    cal_prototype.main(command(run, str(run), '--out', 'p.pth'))
    assert int(read_class_prototypes('p.pth').counts.max()) > 0
    chosen = Epochs(domain_dataset(cfg, 'target', training_pipeline), 4)
    as_trained = Epochs(domain_dataset(cfg, 'target', lambda steps: steps), 4)
    pipeline[3]['cat_max_ratio'] = 1.0
    cfg.train_dataloader.dataset.target.pipeline = pipeline
    others = Epochs(domain_dataset(cfg, 'target', training_pipeline), 4)
    assert 'label' not in others[0]
    boxes, trained, free = ([one[n]['meta']['crop_box'] for n in range(12)] for one in (chosen, as_trained, others))
    assert boxes == trained != free


@pytest.mark.parametrize(('words', 'cap'), [((), 3000), (('--cap', '20'), 20), (('--cap', 'none'), None)])
def test_the_cap_of_the_mean(run, monkeypatch, words, cap):
    banks = []

    def bank(*arguments, **settings):
        banks.append(PrototypeBank(*arguments, **settings))
        return banks[-1]

    monkeypatch.setattr(target_prototype_pass, 'PrototypeBank', bank)
    cal_prototype.main(command(run, str(run), '--out', 'p.pth', *words))
    assert banks[0].rule.cap == cap
    assert 1 < int(read_class_prototypes('p.pth').counts.max()) <= 6
    cal_prototype.main(command(run, str(run), '--out', 'one.pth', '--cap', '1'))
    assert int(read_class_prototypes('one.pth').counts.max()) == 1


@pytest.mark.parametrize('cap', ['0', '-3', '2.5', 'all'])
def test_a_wrong_cap_is_said(cap, capsys):
    with pytest.raises(SystemExit):
        cal_prototype.parse_arguments(['c', 'k', f'--cap={cap}'])
    assert f'--cap: {cap}: expected a number of images from 1, or none' in capsys.readouterr().err


def test_an_unreadable_image_is_named_once_and_the_rest_is_used(run, caplog):
    broken = next((run / 'cs').rglob('*leftImg8bit.png'))
    broken.write_bytes(b'no image')
    cal_prototype.main(command(run, str(run), '--out', 'p.pth'))
    assert int(read_class_prototypes('p.pth').counts.max()) <= 2 * 2


def test_a_checkpoint_of_another_layout_is_not_silently_ignored(run):
    torch.save({'state_dict': {'net.x': torch.ones(1)}}, run / 'other.pth')
    with pytest.raises(ValueError, match='other.pth: does not fit the network'):
        cal_prototype.main(command(run, str(run / 'other.pth')))


def test_one_checkpoint_is_needed(run, capsys):
    for more in ((), (str(run), '--checkpoint', str(run))):
        with pytest.raises(SystemExit):
            cal_prototype.main(command(run, *more))
        assert 'one checkpoint is needed' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('config', 'options', 'expected'),
    [
        (f'{NAME}.py', {}, 'prototypes/gtav2cityscapes_round1/gtav2cityscapes_st-cu_dlv2.pth'),
        ('r1_st_cu_net_a2b.py', {'number': 2, 'postfix': 'x'}, 'prototypes/a2b_round2/a2b_st-cu_net_x.pth'),
        ('r2_st_ca_dlv2_gta+syns2city.py', {}, 'prototypes/gta+syns2city_round2/gta+syns2city_st-ca_dlv2.pth'),
        ('mine.py', {}, 'work/prototypes.pth'),
    ],
)
def test_default_file(config, options, expected):
    assert cal_prototype.default_file(Path(config), Path('work/latest.pth'), **options) == Path(expected)


def test_taking_part_without_an_image_changes_nothing():
    found = TargetPrototypes(student(19).eval())
    found.add(torch.randn(1, 3, 24, 32))
    before = found.result()
    found.add_nothing()
    assert torch.equal(found.result().vectors, before.vectors) and torch.equal(found.result().counts, before.counts)
