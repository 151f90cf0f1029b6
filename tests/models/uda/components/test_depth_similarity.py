import pytest
import torch

from mmseg.models.uda.components.depth_similarity import SMALL, BankIndex

C, K = 4, 256


def bank(number, seed=0):
    """Counts of bumps at random depths; some classes are absent, crop 2 is empty."""
    generator = torch.Generator().manual_seed(seed)
    centre = 255 * torch.rand(number, C, 1, generator=generator)
    curve = torch.exp(-(((torch.arange(K) - centre) / 30) ** 2)) * torch.rand(number, C, K, generator=generator)
    counts = (300 * curve * (torch.rand(number, C, 1, generator=generator) < 0.7)).int()
    counts[2] = 0
    return counts


def direct(counts, target):
    """The formulas as they stand, in float64: totals, classes, for counts (N, C, K) and (C, K)."""
    counts, target = counts.double(), target.double()
    totals, classes = [], []
    for crop in counts:
        sizes, size = crop.sum(1), target.sum(1)
        by_class = []
        for c in range(C):
            if size[c] == 0:
                by_class.append(0.0)
                continue
            lengths = crop[c].norm() * target[c].norm()
            cosine = float(crop[c] @ target[c] / lengths) if lengths > 0 else 0.0
            distance = float((crop[c] - target[c]).abs().sum() / (sizes[c] + size[c]))
            by_class.append((cosine + 1 - distance) / 2)
        lengths = sizes.norm() * size.norm()
        totals.append(sum(by_class) * float(sizes @ size / lengths) if lengths > 0 else 0.0)
        classes.append(by_class)
    return torch.tensor(totals), torch.tensor(classes)


@pytest.mark.parametrize('number', [7, SMALL + 50])
def test_match_is_the_most_similar_by_the_formulas(number):
    counts, target = bank(number), bank(3, seed=9)[:2]
    index = BankIndex(counts)
    match = index.match(target)
    for image, one in enumerate(target):
        totals, classes = direct(counts, one)
        best = int(totals.argmax())
        present = one.sum(1) > 0
        assert match.best[image] == best
        torch.testing.assert_close(match.score[image], (totals[best] / present.sum()).float(), rtol=0, atol=1e-6)
        torch.testing.assert_close(match.classes[image], classes[best].float(), rtol=0, atol=1e-6)
        assert torch.equal(match.missing[image], ~present & (counts[best].sum(1) > 0))
        assert torch.equal(match.counts[image], counts[best].float())
    assert len(index) == number
    assert index.memory >= counts.numel() * 4


@pytest.mark.parametrize('smooth', [False, True])
def test_bounds_hold_and_change_nothing(smooth):
    counts = bank(SMALL + 300, seed=1)
    generator = torch.Generator().manual_seed(2)
    noise = torch.randint(0, 40, (2, C, K), generator=generator)
    targets = counts[[5, 900]] + noise // 4 if smooth else noise * (torch.arange(K) % 5 == 0)  # a comb fools bounds
    index = BankIndex(counts)
    index.match(targets)
    for one in targets.float().split(1):
        totals = index._totals(one)[0]
        assert (index._size_cosine(one)[0] * index._bounds(one[0]) >= totals - 1e-5).all()
        assert index.match(one).best[0] == totals.argmax()


@pytest.mark.parametrize('number', [8, SMALL + 8])
def test_of_equal_crops_the_first_is_taken(number):
    counts = bank(number)
    counts[6] = counts[1] = bank(3, seed=9)[0]
    assert BankIndex(counts).match(counts[[6]]).best.tolist() == [1]


def test_an_empty_target_is_like_nothing():
    match = BankIndex(bank(5)).match(torch.zeros(1, C, K))
    assert match.score.tolist() == [0.0]
    assert match.best.tolist() == [0]


def test_autocast_has_no_part_in_it():
    index, target = BankIndex(bank(9)), bank(3, seed=9)[:2]
    plain = index.match(target)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        cast = index.match(target)
    for ours, theirs in zip(plain, cast, strict=True):
        assert torch.equal(ours, theirs)


def test_crops_beyond_the_exact_range_of_float32_are_refused():
    with pytest.raises(ValueError, match=r'2\^24'):
        BankIndex(torch.full((1, 1, 256), 2**20))
