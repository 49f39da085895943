"""Aggregators against SciPy, and how they answer to scale."""

import numpy as np
import pytest
import references
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import variation

from prune_fair.fairness import AGGREGATORS, generalised_entropy

rates = st.lists(st.integers(0, 100).map(lambda percent: percent / 100), min_size=5, max_size=5)
RELATIVE = ("cv", "gini", "theil", "entropy")


def of(name: str, values) -> float:
    return float(AGGREGATORS[name].function(np.asarray(values, float)))


@settings(max_examples=200, deadline=None)
@given(rates, st.sampled_from([0.1, 0.7, 3.0]))
def test_relative_aggregators_do_not_see_scale(values, scale):
    scaled = [scale * value for value in values]
    for name in RELATIVE:
        assert of(name, values) == pytest.approx(of(name, scaled), rel=1e-4, abs=1e-6, nan_ok=True)
    assert of("std", scaled) == pytest.approx(scale * of("std", values), abs=1e-6)


@settings(max_examples=200, deadline=None)
@given(rates)
def test_spread_equals_numpy_and_scipy(values):
    assert of("std", values) == pytest.approx(np.std(values), abs=1e-6)
    if any(values):
        assert of("cv", values) == pytest.approx(variation(values), rel=1e-4, abs=1e-6)
        assert of("entropy", values) == pytest.approx(of("cv", values) ** 2 / 2, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("alpha", [-1, 0, 0.5, 1, 2, 3])
@settings(max_examples=200, deadline=None)
@given(rates)
def test_generalised_entropy_equals_its_formula(alpha, values):
    ours = float(generalised_entropy(np.asarray(values, float), alpha))
    theirs = references.entropy(values, alpha)
    assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("alpha", [0, 1])
def test_the_limits_are_limits(alpha):
    x = np.array([0.3, 0.5, 0.9])
    near = generalised_entropy(x, alpha + 1e-3)
    assert float(generalised_entropy(x, alpha)) == pytest.approx(float(near), rel=2e-3)


@pytest.mark.parametrize("name", ["theil", "entropy", "gini", "cv"])
def test_small_inequalities_do_not_drown_in_rounding(name):
    """Recalls half a percent apart, in float32 too."""
    values = np.array([0.975, 0.97, 0.98, 0.9725])
    exact = references.AGGREGATORS[name](values.tolist(), np.nan)
    assert of(name, values) == pytest.approx(exact, rel=1e-12)
    single = AGGREGATORS[name].function(values.astype(np.float32))
    assert float(single) == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("name", AGGREGATORS)
def test_equal_rates_are_even(name):
    equal = np.full(7, 0.1)
    row = AGGREGATORS[name]
    value = row.function(equal, np.asarray(0.1)) if row.against_overall else row.function(equal)
    even = {"group_min": 0.1, "group_max": 0.1, "ratio": 1, "ratio_to_overall": 1}.get(name, 0)
    assert float(value) == pytest.approx(even, abs=1e-6)
