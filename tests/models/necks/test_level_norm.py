import torch

from mmseg.models.necks import LevelNorm


def test_one_level_is_normalised_and_the_others_stay():
    levels = [torch.randn(4, 3, 8, 8), 100 + 50 * torch.randn(4, 5, 4, 4)]
    fine, deep = LevelNorm(channels=5)(levels)
    assert fine is levels[0]
    torch.testing.assert_close(deep.mean(dim=(0, 2, 3)), torch.zeros(5), atol=1e-4, rtol=0)
    torch.testing.assert_close(deep.std(dim=(0, 2, 3), correction=0), torch.ones(5), atol=1e-4, rtol=0)
    assert levels[1].mean() > 50
    first = LevelNorm(channels=3, level=0)(levels)
    assert first[1] is levels[1]
