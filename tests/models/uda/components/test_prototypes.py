import pytest
import torch

from mmseg.models.uda.components.prototypes import PrototypeBank, class_sums, resized_class_sums

C, A = 4, 3


def batch(seed=0, size=(2, 5, 6), dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, C - 1, size, generator=generator)  # class 3 is absent
    labels[0, 0] = 255
    return torch.randn(size[0], A, *size[1:], generator=generator, dtype=dtype), labels


def pixels(features, labels, class_id):
    return features.movedim(1, -1)[labels == class_id]


def test_class_sums_image_by_image():
    features, labels = batch()
    sums, counts = class_sums(features, labels, C)
    for image in range(2):
        for class_id in range(C):
            own = pixels(features[image : image + 1], labels[image : image + 1], class_id)
            torch.testing.assert_close(sums[image, class_id], own.sum(0))
            assert counts[image, class_id] == len(own)


def test_single_positions_are_one_image():
    features, labels = batch()
    flat = class_sums(features.movedim(1, -1).flatten(0, 2), labels.flatten(), C)
    whole = class_sums(features, labels, C)
    torch.testing.assert_close(flat.sums[0], whole.sums.sum(0))
    assert torch.equal(flat.counts[0], whole.counts.sum(0))


def test_sums_are_exact_under_autocast():
    features = torch.full((1, 1, 64, 64), 1.0078125).bfloat16()  # 4096 of them are no bfloat16
    with torch.autocast('cpu', dtype=torch.bfloat16):
        sums, _ = class_sums(features, torch.zeros(1, 64, 64, dtype=torch.int64), 1)
    assert sums.dtype == torch.float32
    assert float(sums) == 4096 * 1.0078125


def test_labels_of_another_grid_are_refused():
    features, labels = batch()
    with pytest.raises(ValueError, match='labels of'):
        class_sums(features, labels[:, :3], C)


def test_pixel_mean_is_the_mean_of_everything():
    bank = PrototypeBank(C, A).double()
    parts = [batch(seed) for seed in range(3)]
    for features, labels in parts:
        bank.update(features, labels)
    for class_id in range(3):
        own = torch.cat([pixels(features, labels, class_id) for features, labels in parts])
        torch.testing.assert_close(bank.vectors[class_id], own.mean(0))
        assert bank.counts[class_id] == len(own)
    assert not bank.vectors[3].any() and bank.counts[3] == 0


def test_counts_beyond_float32_still_grow():
    bank = PrototypeBank(1, 1)
    bank.set(torch.zeros(1, 1), torch.tensor([2**30]))
    bank.update(torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, dtype=torch.int64))
    assert int(bank.counts) == 2**30 + 1


def test_momentum_weighs_the_new_mean_and_leaves_absent_classes():
    bank = PrototypeBank(C, A, {'type': 'momentum', 'momentum': 0.9}).double()
    bank.set(torch.ones(C, A, dtype=torch.float64), torch.zeros(C))
    features, labels = batch()
    bank.update(features, labels)
    for class_id in range(3):
        torch.testing.assert_close(bank.vectors[class_id], 0.9 * pixels(features, labels, class_id).mean(0) + 0.1)
    assert torch.equal(bank.vectors[3], torch.ones(A, dtype=torch.float64))


def test_image_mean_counts_images_up_to_a_cap():
    bank = PrototypeBank(C, A, {'type': 'image_mean', 'min_pixels': 8, 'cap': 2}).double()
    vectors, counts = torch.zeros(C, A, dtype=torch.float64), [0] * C
    for seed in range(3):
        features, labels = batch(seed)
        bank.update(features, labels)
        for image in range(2):
            for class_id in range(C):
                own = pixels(features[image : image + 1], labels[image : image + 1], class_id)
                if len(own) >= 8:
                    n = counts[class_id]
                    vectors[class_id] = (n * vectors[class_id] + own.mean(0)) / (n + 1)
                    counts[class_id] = min(n + 1, 2)
    torch.testing.assert_close(bank.vectors, vectors)
    assert bank.counts.tolist() == counts and max(counts) == 2


def test_image_mean_without_a_cap_is_the_mean_of_all_images():
    capped, free = (
        PrototypeBank(1, A, {'type': 'image_mean', 'min_pixels': 1, **more}) for more in ({}, {'cap': None})
    )
    features = torch.randn(4, A, 2, 2, generator=torch.Generator().manual_seed(0)).double()
    for bank in (capped, free):
        bank.double().set(torch.ones(1, A, dtype=torch.float64), torch.tensor([3000]))
        bank.update(features, torch.zeros(4, 2, 2, dtype=torch.int64))
    means = features.mean((2, 3))
    torch.testing.assert_close(free.vectors, (3000 + means.sum(0, keepdim=True)) / 3004, rtol=0, atol=1e-12)
    assert int(free.counts) == 3004 and int(capped.counts) == 3000
    assert (capped.vectors - free.vectors).abs().max() > 1e-8


def test_vectors_are_saved_and_counts_go_with_the_training_state():
    bank, other = PrototypeBank(C, A).double(), PrototypeBank(C, A).double()
    bank.update(*batch())
    assert list(bank.state_dict()) == ['vectors']
    other.load_state_dict(bank.state_dict())
    other.load_training_state(bank.training_state())
    assert torch.equal(other.counts, bank.counts)


@pytest.mark.parametrize(
    ('rule', 'message'),
    [
        ('median', 'does not exist'),
        ({'type': 'momentum', 'momentum': 2}, '0 to 1'),
        ({'type': 'image_mean', 'cap': 0}, 'at least 1'),
        ({'type': 'momentum', 'mu': 0.5}, 'has no setting'),
    ],
)
def test_wrong_rules(rule, message):
    with pytest.raises(ValueError, match=message):
        PrototypeBank(C, A, rule)


def test_prototypes_of_another_network_are_refused():
    with pytest.raises(ValueError, match=r'4x7 \(classes x channels\), the network has 4x3'):
        PrototypeBank(C, A).set(torch.zeros(4, 7), torch.zeros(4))


@pytest.mark.parametrize('size', [(17, 22), (4, 5), (3, 9)])
def test_sums_of_resized_features_without_resizing_them(size):
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 6, 4, 5, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 4, (2, *size), generator=generator)
    labels[0, 0] = 255
    large = torch.nn.functional.interpolate(features, size=size, mode='bilinear', align_corners=False)
    ours, expected = resized_class_sums(features, labels, 4), class_sums(large, labels, 4)
    torch.testing.assert_close(ours.sums, expected.sums)
    assert torch.equal(ours.counts, expected.counts)
