import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg.models.uda.components.pseudo_labels import PseudoLabeler


def scores(batch=2, classes=4, size=(6, 5), seed=0):
    return 3 * torch.randn(batch, classes, *size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_labels_and_weight_by_loops():
    logits, threshold = scores(), 0.8
    pseudo = PseudoLabeler(threshold)(logits)
    batch, _, height, width = logits.shape
    sure = 0
    for b in range(batch):
        for y in range(height):
            for x in range(width):
                values = logits[b, :, y, x].exp()
                share = (values / values.sum()).tolist()
                assert pseudo.labels[b, y, x] == share.index(max(share))
                sure += max(share) >= threshold
    assert 0 < sure < batch * height * width
    assert pseudo.weight.shape == (batch, height, width)
    torch.testing.assert_close(pseudo.weight, torch.full_like(pseudo.weight, sure / (batch * height * width)))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), low=st.floats(0.3, 0.9), step=st.floats(0, 0.1))
def test_weight_is_a_share_and_falls_with_the_threshold(seed, low, step):
    logits = scores(seed=seed)
    easy = PseudoLabeler(low)(logits).weight
    hard = PseudoLabeler(low + step)(logits).weight
    assert float(hard.min()) >= 0 and float(easy.max()) <= 1
    assert float(hard.max()) <= float(easy.min())


def test_margins_that_leave_nothing_are_said_once(monkeypatch):
    told = []
    monkeypatch.setattr('mmseg.models.uda.components.pseudo_labels.print_log', lambda text, *_: told.append(text))
    labeler = PseudoLabeler(0.1, ignore_top=2, ignore_bottom=4)
    assert labeler(scores(size=(7, 5))).weight.any() and not told
    assert not labeler(scores()).weight.any()
    labeler(scores())
    assert len(told) == 1 and 'ignore_top=2 and ignore_bottom=4 leave nothing of crops of 6 rows' in told[0]


def test_margins_count_nothing():
    logits = scores()
    plain = PseudoLabeler(0.5)(logits).weight
    cut = PseudoLabeler(0.5, ignore_top=2, ignore_bottom=1)(logits).weight
    assert not cut[:, :2].any() and not cut[:, -1:].any()
    assert torch.equal(cut[:, 2:-1], plain[:, 2:-1]) and bool((plain > 0).all())


def test_valid_mask():
    logits = scores()
    valid = torch.rand(2, 6, 5) > 0.5
    weight = PseudoLabeler(0.5)(logits, valid).weight
    assert torch.equal(weight, torch.where(valid, PseudoLabeler(0.5)(logits).weight, 0))


def test_both_margins_are_one_too_many():
    with pytest.raises(ValueError, match='exclude each other'):
        PseudoLabeler(0.5, ignore_bottom=1)(scores(), torch.ones(2, 6, 5, dtype=torch.bool))


def test_other_weightings():
    logits = scores()
    confidence = logits.softmax(1).max(1).values
    assert torch.equal(PseudoLabeler(0.8, weighting='pixel')(logits).weight, (confidence >= 0.8).double())
    assert bool((PseudoLabeler(0.8, weighting='none')(logits).weight == 1).all())
    assert bool((PseudoLabeler(None)(logits).weight == 1).all())
    with pytest.raises(ValueError, match='weighting'):
        PseudoLabeler(weighting='image')


def test_half_precision_scores_give_float32_weights():
    assert PseudoLabeler(0.5)(scores().to(torch.bfloat16)).weight.dtype == torch.float32
