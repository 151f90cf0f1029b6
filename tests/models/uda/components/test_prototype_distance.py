import pytest
import torch
import torch.nn.functional as F

from mmseg.models.uda.components.prototype_distance import bilinear_weights, prototype_distances, prototype_weights


def case(size=(5, 7), channels=6, classes=4, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, channels, *size, generator=generator, dtype=torch.float64) + 3
    prototypes = torch.randn(classes, channels, generator=generator, dtype=torch.float64) + 3
    return features.to(dtype), prototypes.to(dtype)


def explicit(features, prototypes, size):
    """Distances of features that are really resized."""
    large = F.interpolate(features, size=size, mode='bilinear', align_corners=False)
    return torch.linalg.vector_norm(large[:, None] - prototypes[None, :, :, None, None], dim=2)


@pytest.mark.parametrize('size', [(40, 56), (11, 9), (5, 20), (3, 4), (1, 1)])
def test_equal_to_distances_of_resized_features(size):
    features, prototypes = case()
    torch.testing.assert_close(prototype_distances(features, prototypes, size), explicit(features, prototypes, size))


def test_without_a_size_the_features_own():
    features, prototypes = case()
    expected = explicit(features, prototypes, (5, 7))
    torch.testing.assert_close(prototype_distances(features, prototypes), expected)
    torch.testing.assert_close(prototype_distances(features, prototypes, (5, 7)), expected)


def test_one_row_or_column_of_features():
    features, prototypes = case(size=(1, 4))
    torch.testing.assert_close(
        prototype_distances(features, prototypes, (6, 9)), explicit(features, prototypes, (6, 9))
    )


def test_a_feature_on_its_prototype_has_distance_zero():
    features, prototypes = case(dtype=torch.float32)
    features[0, :, 2, 3] = prototypes[1]
    distance = prototype_distances(features, prototypes)[0, 1, 2, 3]
    assert 0 <= distance < 5e-3


def test_float32_is_accurate_and_half_precision_is_raised():
    features, prototypes = case(channels=256)
    expected = explicit(features, prototypes, (40, 56))
    single = prototype_distances(features.float(), prototypes.float(), (40, 56))
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), expected, rtol=0, atol=2e-5)
    half = features.bfloat16()
    raised = prototype_distances(half, prototypes.float())
    torch.testing.assert_close(raised, prototype_distances(half.float(), prototypes.float()))


def test_no_gradient():
    features, prototypes = case()
    assert not prototype_distances(features.requires_grad_(), prototypes, (8, 8)).requires_grad


def test_weights_of_bilinear_resizing():
    values = torch.randn(1, 1, 6, dtype=torch.float64)
    resized = F.interpolate(values, size=17, mode='linear', align_corners=False)[0, 0]
    torch.testing.assert_close(bilinear_weights(6, 17, values) @ values[0, 0], resized)


def test_the_nearest_class_gets_the_largest_weight():
    distances = torch.tensor([1.0, 2.0, 4.0]).view(1, 3, 1, 1)
    weights = prototype_weights(distances).flatten()
    expected = torch.exp(-distances.flatten())
    torch.testing.assert_close(weights, expected / expected.sum())
    assert prototype_weights(distances, tau=5.0)[0, 0] > weights[0]
