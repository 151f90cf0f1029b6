"""Prototypes of an image and the attention to them, against loops over pixels and classes."""

import math

import torch

from mmseg.models.decode_heads.prototype_matching import PrototypeMatching, image_prototypes

CONV = {'norm_cfg': {'type': 'BN'}, 'act_cfg': {'type': 'ReLU'}}


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_prototypes_equal_the_sums_of_the_definition():
    features, logits = random(2, 3, 4, 5), random(2, 6, 4, 5, seed=1)
    ours = image_prototypes(features, logits, scale=2)
    assert ours.shape == (2, 3, 6, 1)
    for b in range(2):
        for k in range(6):
            weights = (2 * logits[b, k]).exp()
            expected = (weights * features[b]).sum(dim=(1, 2)) / weights.sum()
            torch.testing.assert_close(ours[b, :, k, 0], expected)


def test_a_constant_on_a_class_and_the_other_images_change_nothing():
    features, logits = random(3, 4, 5, 6), 3 * random(3, 2, 5, 6, seed=1)
    ours = image_prototypes(features, logits)
    torch.testing.assert_close(image_prototypes(features, logits + random(3, 2, 1, 1, seed=2)), ours)
    torch.testing.assert_close(image_prototypes(features[1:2], logits[1:2]), ours[1:2])


def test_a_class_that_is_sure_of_one_pixel_takes_its_feature():
    features, logits = random(1, 4, 5, 6), torch.zeros(1, 1, 5, 6, dtype=torch.float64)
    logits[0, 0, 2, 3] = 1000
    torch.testing.assert_close(image_prototypes(features, logits)[0, :, 0, 0], features[0, :, 2, 3])


def test_bfloat16_maps_give_float32_prototypes():
    """Differences of 0.3 per cent between classes, as at the start of training, survive."""
    features = 1 + 0.1 * random(1, 8, 16, 16)
    logits = 0.05 * random(1, 5, 16, 16, seed=1)
    half, half_logits = features.bfloat16(), logits.bfloat16()
    with torch.autocast('cpu', torch.bfloat16):
        ours = image_prototypes(half, half_logits)
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours.double(), image_prototypes(half.double(), half_logits.double()), rtol=1e-6, atol=0)


@torch.no_grad()
def test_matching_equals_attention_pixel_by_pixel():
    torch.manual_seed(0)
    matching = PrototypeMatching(6, 4, **CONV).double().eval()
    features, prototypes = random(2, 6, 3, 5), random(2, 6, 7, 1, seed=1)
    ours = matching(features, prototypes)
    query, key = matching.query_project(features), matching.key_project(prototypes)
    value = matching.value_project(prototypes)
    context = torch.zeros(2, 4, 3, 5, dtype=torch.float64)
    for b in range(2):
        for y in range(3):
            for x in range(5):
                scores = [float(query[b, :, y, x] @ key[b, :, k, 0]) / math.sqrt(4) for k in range(7)]
                attention = torch.tensor(scores, dtype=torch.float64).softmax(0)
                context[b, :, y, x] = sum(attention[k] * value[b, :, k, 0] for k in range(7))
    expected = matching.bottleneck(torch.cat([matching.out_project(context), features], dim=1))
    torch.testing.assert_close(ours, expected)
    assert ours.std() > 0.01
