"""Quotas: by hand, and what every scope must hold."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prune_fair.errors import InputError
from prune_fair.pruning import SCOPES, quota
from prune_fair.pruning.scopes import by_hand

LENET5 = {
    "conv_0": (5, 5, 1, 6),
    "conv_1": (5, 5, 6, 16),
    "dense_0": (400, 120),
    "dense_1": (120, 84),
}
sizes = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=5)


def test_quota_by_hand():
    # torch removes round(sparsity * n): of 7 + 4 at 0.5, round(5.5) = 6 (half to even)
    layers = {"a": (7, 1), "b": (2, 2)}
    assert quota("global", 0.5, layers).tolist() == [5]
    assert quota("layerwise", 0.5, layers).tolist() == [3, 2]
    assert quota("global", 0.0, layers).tolist() == [11]


def test_erk_on_lenet5_by_hand():
    # sizes 150, 2400, 48000, 10080 (60,630); sums of their dimensions
    # 5+5+1+6 = 17, 5+5+6+16 = 32, 400+120 = 520, 120+84 = 204 (773)
    # At 0.9, 6,063 weights stay, 6063 / 773 = 7.8435 for each unit of dimension:
    # 133.3, 251.0, 4078.6, 1600.1, and no layer overflows.
    assert quota("erk", 0.9, LENET5).tolist() == [133, 251, 4079, 1600]
    # At 0.8, 12,126 stay: 15.687 each would give conv_0 266.7 of its 150, so it stays dense, and
    # the others share 11,976 over 756, 15.841 each.
    assert quota("erk", 0.8, LENET5).tolist() == [150, 507, 8237, 3232]


@pytest.mark.parametrize("scope", SCOPES)
@given(sizes, st.floats(0, 0.99))
def test_every_scope_keeps_what_is_asked_and_no_more_than_there_is(scope, sizes, sparsity):
    layers = {str(number): shape for number, shape in enumerate(sizes)}
    kept, total = quota(scope, sparsity, layers), sum(map(math.prod, sizes))
    assert kept.sum() == pytest.approx((1 - sparsity) * total, abs=0.5 * len(kept) + 1e-6)
    if scope != "global":
        assert all(0 <= k <= math.prod(shape) for k, shape in zip(kept, sizes, strict=True))


def test_layers_by_hand_get_there_at_the_last_level():
    scope, layers = "a=0.75,b=0.5", {"a": (10, 10), "b": (10, 10), "c": (10, 10)}
    assert quota(scope, 0.96, layers, last_sparsity=0.96).tolist() == [25, 50, 100]
    # halfway there the schedule's density is 0.2 = sqrt(0.04): of a sqrt(0.25), of b sqrt(0.5)
    assert quota(scope, 0.8, layers, last_sparsity=0.96).tolist() == [50, 71, 100]
    assert quota(scope, 0.0, layers, last_sparsity=0.96).tolist() == [100, 100, 100]


@pytest.mark.parametrize("scope", ["a=1.0", "a=x", "=0.5", "a=0.5,a=0.6", "a=nan", "a=0.5,"])
def test_refused_by_hand(scope):
    with pytest.raises(InputError, match="expected LAYER=SPARSITY"):
        by_hand(scope)
