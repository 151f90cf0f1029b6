import pytest
import torch

from mmseg.models.uda.components.block_mask import BlockMask, blank_out


@pytest.mark.parametrize(
    ('size', 'block', 'grid'),
    [
        ((128, 160), 32, (4, 5)),
        ((100, 150), 32, (3, 5)),  # 3.125 and 4.69
        ((80, 112), 32, (2, 4)),  # 2.5 and 3.5: halves to the even number
        ((20, 64), 64, (1, 1)),  # 0.31: never without a block
    ],
)
def test_grid(size, block, grid):
    assert BlockMask(0.7, block).grid_size(size) == grid
    assert BlockMask(0.7, block).draw(3, size, torch.Generator()).shape == (3, 1, *grid)


def test_blocks_are_square_and_their_share_is_the_ratio():
    masks = BlockMask(0.7, 8)
    kept = masks.draw(64, (128, 128), torch.Generator().manual_seed(0))
    assert kept.float().mean() == pytest.approx(0.3, abs=0.01)
    images = blank_out(torch.ones(64, 3, 128, 128), kept)
    assert torch.equal(images, kept.float().repeat_interleave(8, 2).repeat_interleave(8, 3).expand(-1, 3, -1, -1))


def test_each_image_has_its_own_mask():
    kept = BlockMask(0.5, 4).draw(2, (64, 64), torch.Generator().manual_seed(0))
    assert not torch.equal(kept[0], kept[1])


@pytest.mark.parametrize(('ratio', 'value'), [(0.0, 1.0), (1.0, 0.0)])
def test_nothing_and_everything_masked(ratio, value):
    kept = BlockMask(ratio, 16).draw(1, (32, 32), torch.Generator().manual_seed(0))
    assert torch.equal(blank_out(torch.ones(1, 3, 32, 32), kept), torch.full((1, 3, 32, 32), value))


def test_kept_pixels_and_the_number_format_stay():
    images = torch.randn(2, 3, 24, 24, dtype=torch.float64)
    kept = torch.tensor([1, 0, 0, 1]).view(1, 1, 2, 2).expand(2, -1, -1, -1)  # decisions may be integers
    masked = blank_out(images, kept)
    assert masked.dtype == torch.float64
    assert torch.equal(masked[:, :, :12, :12], images[:, :, :12, :12]) and not masked[:, :, :12, 12:].any()


@pytest.mark.parametrize(
    ('settings', 'words'), [({'mask_ratio': 1.2}, 'mask_ratio'), ({'mask_block_size': 0}, 'mask_block_size')]
)
def test_wrong_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        BlockMask(**settings)
