import pytest
import torch
from mmengine.config import Config
from torch import nn

from mmseg.evaluation.adapt_batch_norm import adapt_batch_norm, spread_batches, target_images
from mmseg.evaluation.config_options import set_tta
from tests.tools.tiny_run import config, write_images


class OneNorm(nn.Module):
    def __init__(self, norm=nn.BatchNorm2d):
        super().__init__()
        self.norm = norm(3)
        self.dropout = nn.Dropout(0.5)

    def encode_decode(self, images):
        assert not self.dropout.training
        return self.norm(images)


class AsTheyAre(nn.Module):
    def forward(self, data, training):
        assert not training
        return {'inputs': torch.stack(data['inputs'])}


def images(count=11):
    generator = torch.Generator().manual_seed(0)
    return [{'inputs': torch.randn(3, 4, 5, generator=generator) * 3 + i} for i in range(count)]


def test_batches_are_even_and_span_everything():
    assert spread_batches(11, 8) == [[0, 2, 4, 6, 8, 10], [1, 3, 5, 7, 9]]
    assert spread_batches(3, 8) == [[0, 1, 2]]


def test_statistics_are_the_mean_over_batches():
    model, samples = OneNorm(), images()
    model.norm.running_mean += 100
    assert adapt_batch_norm(model, AsTheyAre(), samples) == 11
    batches = [torch.stack([samples[i]['inputs'] for i in batch]) for batch in spread_batches(11, 8)]
    mean = torch.stack([batch.mean(dim=(0, 2, 3)) for batch in batches]).mean(0)
    variance = torch.stack([batch.var(dim=(0, 2, 3)) for batch in batches]).mean(0)
    torch.testing.assert_close(model.norm.running_mean, mean)
    torch.testing.assert_close(model.norm.running_var, variance)
    assert not model.norm.training and model.norm.momentum == 0.1


def test_images_have_one_scale_whatever_is_tested(tmp_path):
    write_images(tmp_path, 'val', 2)
    tested = config(tmp_path)
    adapted = Config({'train_dataloader': {'dataset': {'target': tested.test_dataloader.dataset.to_dict()}}})
    plain = [sample['inputs'] for sample in target_images(adapted, tested)]
    set_tta(tested)
    for sample, expected in zip(target_images(adapted, tested), plain, strict=True):
        assert torch.equal(sample['inputs'], expected)
    assert 'TestTimeScales' in [step['type'] for step in tested.test_dataloader.dataset.pipeline]


def test_messages():
    with pytest.raises(ValueError, match='no batch norm with running statistics'):
        adapt_batch_norm(OneNorm(nn.InstanceNorm2d), AsTheyAre(), images())
    with pytest.raises(ValueError, match='differ in size'):
        adapt_batch_norm(OneNorm(), AsTheyAre(), [*images(2), {'inputs': torch.zeros(3, 5, 5)}])
    with pytest.raises(ValueError, match='no train_dataloader'):
        target_images(Config({}), Config({'test_dataloader': {'dataset': {'pipeline': []}}}))
