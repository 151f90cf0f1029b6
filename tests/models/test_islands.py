"""Sums over many pixels, distances and softmaxes over pixels are float32 inside of autocast, whatever comes in."""

import pytest
import torch

from mmseg.models.decode_heads.prototype_matching import image_prototypes
from mmseg.models.losses.lovasz import LovaszLoss
from mmseg.models.losses.symmetric import mrent, mrkld, reverse_cross_entropy
from mmseg.models.uda.components.contrast import prototype_contrast, prototype_logits
from mmseg.models.uda.components.depth_similarity import BankIndex
from mmseg.models.uda.components.feature_distance import FeatureDistance
from mmseg.models.uda.components.prototype_distance import prototype_distances
from mmseg.models.uda.components.prototypes import class_sums, resized_class_sums
from mmseg.models.uda.components.pseudo_labels import PseudoLabeler
from mmseg.models.uda.components.transport import transport_costs

C, A, SIZE = 5, 16, (24, 32)
FLOATS = torch.Generator().manual_seed(0)
FEATURES = torch.randn(2, A, *SIZE, generator=FLOATS) + 4  # a mean above the differences shows lost digits
OTHERS = FEATURES + 0.1 * torch.randn(FEATURES.shape, generator=FLOATS)
LOGITS = 3 * torch.randn(2, C, *SIZE, generator=FLOATS)
PROTOTYPES = torch.randn(C, A, generator=FLOATS) + 4
LABELS = torch.randint(0, C, (2, *SIZE), generator=FLOATS)
LARGE = LABELS.repeat_interleave(4, 1).repeat_interleave(4, 2)
COUNTS = torch.randint(0, 900, (6, C, 256), generator=FLOATS).float()

ISLANDS = {
    'prototypes of an image (PMDAv2)': lambda x, y, z: image_prototypes(x, z),
    'transport (PBAL)': lambda x, y, z: torch.stack(list(transport_costs(x, z, PROTOTYPES))),
    'contrast': lambda x, y, z: prototype_contrast(x, LABELS, PROTOTYPES, 0.1),
    'cosines': lambda x, y, z: prototype_logits(x, PROTOTYPES, 0.1),
    'class sums': lambda x, y, z: class_sums(x, LABELS, C).sums,
    'resized class sums': lambda x, y, z: resized_class_sums(x, LARGE, C).sums,
    'distances': lambda x, y, z: prototype_distances(x, PROTOTYPES),
    'distances at another size': lambda x, y, z: prototype_distances(x, PROTOTYPES, LARGE.shape[1:]),
    'feature distance': lambda x, y, z: FeatureDistance(1.0)(x, y, LARGE, C)['loss_imnet_feat_dist'],
    'Lovasz': lambda x, y, z: LovaszLoss()(z, LABELS),
    'reverse cross entropy': lambda x, y, z: reverse_cross_entropy(z, LABELS),
    'regularisers': lambda x, y, z: torch.stack([mrkld(z), mrent(z)]),
    'confidence': lambda x, y, z: PseudoLabeler(0.9)(z).weight,
    'depth similarity (CDDA)': lambda x, y, z: BankIndex(COUNTS).match(COUNTS[2:4].flip(2)).score,
}


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
@pytest.mark.parametrize('name', ISLANDS)
def test_autocast_changes_nothing(name, dtype):
    inputs = [x.to(dtype) for x in (FEATURES, OTHERS, LOGITS)]
    expected = ISLANDS[name](*(x.float() for x in inputs))
    with torch.autocast('cpu', dtype=dtype):
        found = ISLANDS[name](*inputs)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=2e-5, atol=1e-6)
