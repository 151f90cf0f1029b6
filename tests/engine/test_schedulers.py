import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmseg.engine.schedulers import Poly10, Poly10Warm, poly_rate
from mmseg.registry import PARAM_SCHEDULERS
from tests.engine.toy import rows, toy_runner


def optimizer(*rates):
    groups = [{'params': [torch.nn.Parameter(torch.zeros(1))], 'lr': rate} for rate in rates]
    return torch.optim.SGD(groups, lr=1.0)


def rates_of(scheduler, groups, iterations):
    """The rates with which the steps of all iterations run."""
    rates = []
    for _ in range(iterations):
        rates.append([group['lr'] for group in groups.param_groups])
        groups.step()
        scheduler.step()
    return rates


def test_poly10warm_against_the_published_formula():
    sgd = optimizer(6e-5, 6e-4)
    for t, rates in enumerate(rates_of(Poly10Warm(sgd, max_iters=4000), sgd, 4000)):
        warm = 1 - (1 - t / 1500) * (1 - 1e-6) if t < 1500 else 1
        assert rates == pytest.approx([base * (1 - t / 4000) * warm for base in (6e-5, 6e-4)], rel=1e-12)


def test_poly10_rises_to_1e_4_from_below():
    sgd = optimizer(6e-5, 6e-4)
    for t, rates in enumerate(rates_of(Poly10(sgd, max_iters=100), sgd, 100)):
        assert rates == pytest.approx([(base - 1e-4) * (1 - t / 100) + 1e-4 for base in (6e-5, 6e-4)], rel=1e-12)


def test_equals_mmengine_with_its_own_counting():
    """LinearLR(end=1501) and PolyLR(end=40001) are the same curve in mmengine (specification section 11)."""
    linear, poly = PARAM_SCHEDULERS.get('LinearLR'), PARAM_SCHEDULERS.get('PolyLR')
    ours, theirs = optimizer(6e-5), optimizer(6e-5)
    scheduler = Poly10Warm(ours, max_iters=400, warmup_iters=15)
    others = [
        linear(theirs, start_factor=1e-6, by_epoch=False, begin=0, end=16),
        poly(theirs, power=1, eta_min=0, by_epoch=False, begin=0, end=401),
    ]
    for _ in range(400):
        assert ours.param_groups[0]['lr'] == pytest.approx(theirs.param_groups[0]['lr'], rel=1e-6)
        ours.step()
        theirs.step()
        for each in (scheduler, *others):
            each.step()


@given(st.integers(1, 500), st.integers(0, 600), st.floats(0.5, 2.0))
def test_never_negative_and_never_above_base(max_iters, iteration, power):
    rate = poly_rate(1e-3, iteration, max_iters, power, warmup_iters=50)
    assert 0 <= rate <= 1e-3


def test_state_restores_the_position():
    sgd = optimizer(1.0)
    scheduler = Poly10Warm(sgd, max_iters=100, warmup_iters=10)
    reference = rates_of(scheduler, sgd, 40)
    other = optimizer(1.0)
    restored = Poly10Warm(other, max_iters=100, warmup_iters=10)
    half = optimizer(1.0)
    first = Poly10Warm(half, max_iters=100, warmup_iters=10)
    rates_of(first, half, 17)
    restored.load_state_dict(first.state_dict())
    assert rates_of(restored, other, 23) == reference[17:]


def test_the_run_gives_the_length(tmp_path):
    toy_runner(tmp_path, param_scheduler=[{'type': 'Poly10', 'min_lr': 0.0}], train_cfg__max_iters=8).train()
    logged = {row['iter']: row['lr'] for row in rows(tmp_path, 'train')}
    assert logged == pytest.approx({1: 0.01, 4: 0.01 * 5 / 8, 8: 0.01 / 8})


def test_length_must_be_positive():
    with pytest.raises(ValueError, match='max_iters=0'):
        Poly10(optimizer(1.0), max_iters=0)
