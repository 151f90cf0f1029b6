import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg.models.uda.components.feature_distance import FeatureDistance, downscale_label


def downscale_by_loops(labels, factor, min_ratio, num_classes):
    batch, height, width = labels.shape
    small = torch.full((batch, height // factor, width // factor), 255)
    for b in range(batch):
        for y in range(height // factor):
            for x in range(width // factor):
                cell = labels[b, y * factor : (y + 1) * factor, x * factor : (x + 1) * factor].flatten().tolist()
                counts = [cell.count(c) for c in range(num_classes)] + [cell.count(255)]
                winner = counts.index(max(counts))
                if winner < num_classes and counts[winner] / factor**2 >= min_ratio:
                    small[b, y, x] = winner
    return small


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    factor=st.integers(2, 4),
    min_ratio=st.sampled_from([0.0, 0.5, 0.75, 1.0]),
    height=st.integers(4, 11),
    width=st.integers(4, 11),
)
def test_downscale_by_loops(seed, factor, min_ratio, height, width):
    labels = torch.randint(0, 4, (2, height, width), generator=torch.Generator().manual_seed(seed))
    labels[labels == 3] = 255
    expected = downscale_by_loops(labels, factor, min_ratio, 3)
    assert torch.equal(downscale_label(labels, factor, min_ratio, 3), expected)


def test_downscale_needs_larger_labels():
    with pytest.raises(ValueError, match='factor 1'):
        downscale_label(torch.zeros(1, 4, 4, dtype=torch.long), 1, 0.75, 3)


def features(seed, requires_grad=False):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 5, 4, 6, generator=generator, dtype=torch.float64).requires_grad_(requires_grad)


def blocky(values):
    return torch.tensor(values).repeat_interleave(8, 1).repeat_interleave(8, 2)


def test_mean_over_wanted_classes():
    labels = blocky(torch.randint(0, 4, (2, 4, 6), generator=torch.Generator().manual_seed(0)).tolist())
    student, imagenet = features(1, requires_grad=True), features(2)
    out = FeatureDistance(0.1, classes=[1, 3])(student, imagenet, labels, 4)
    small, expected, count = labels[:, ::8, ::8], 0.0, 0
    for b in range(2):
        for y in range(4):
            for x in range(6):
                if small[b, y, x] in (1, 3):
                    expected += (student[b, :, y, x] - imagenet[b, :, y, x]).square().sum().sqrt()
                    count += 1
    assert 0 < count < 48
    torch.testing.assert_close(out['loss_imnet_feat_dist'], 0.1 * expected / count)
    assert out['fd_valid'] == 1


def test_empty_mask_is_zero_with_zero_gradients():
    student = features(1, requires_grad=True)
    out = FeatureDistance(0.1, classes=[2])(student, features(2), blocky([[[0] * 6] * 4] * 2), 4)
    out['loss_imnet_feat_dist'].backward()
    assert out['loss_imnet_feat_dist'] == 0 and out['fd_valid'] == 0
    assert not student.grad.any()


def test_equal_features_have_finite_gradients():
    student = features(1, requires_grad=True)
    FeatureDistance(0.1)(student, features(1), blocky([[[0] * 6] * 4] * 2), 4)['loss_imnet_feat_dist'].backward()
    assert bool(student.grad.isfinite().all())


def test_all_positions_without_classes():
    labels = torch.full((2, 4, 6), 255)
    student, imagenet = features(1), features(2)
    out = FeatureDistance(0.5, classes=None)(student, imagenet, labels, 4)
    torch.testing.assert_close(out['loss_imnet_feat_dist'], 0.5 * (student - imagenet).norm(dim=1).mean())


def test_sizes_that_do_not_fit():
    labels = torch.zeros(2, 40, 49, dtype=torch.long)
    with pytest.raises(ValueError, match='crop size'):
        FeatureDistance(classes=[0])(features(1), features(2), labels, 4)


def test_half_precision_features():
    student = features(1).to(torch.bfloat16)
    out = FeatureDistance(classes=None)(student, features(2).to(torch.bfloat16), torch.zeros(2, 32, 48).long(), 4)
    assert out['loss_imnet_feat_dist'].dtype == torch.float32
