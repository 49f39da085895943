import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prune_fair.errors import InputError
from prune_fair.pruning import Schedule


@given(st.floats(0.01, 0.99), st.integers(1, 20))
def test_geometric_removes_the_rate_of_what_remains(rate, levels):
    sparsities = Schedule("geometric", rate=rate, levels=levels).sparsity_by_level()
    assert len(sparsities) == levels + 1
    assert sparsities[0] == 0
    for before, after in itertools.pairwise(sparsities):
        assert 1 - after == pytest.approx((1 - before) * (1 - rate))


def test_linear_and_cubic_by_hand():
    linear = Schedule("linear", levels=4, sparsity=0.8)
    assert linear.sparsity_by_level() == pytest.approx((0, 0.2, 0.4, 0.6, 0.8))
    # 0.8 (1 - (1 - t)^3) at t = 1/2 and 1
    cubic = Schedule("cubic", levels=2, sparsity=0.8)
    assert cubic.sparsity_by_level() == pytest.approx((0, 0.7, 0.8))
    assert linear.iterative
    assert cubic.iterative


def test_one_shot_is_as_asked_and_starts_from_dense():
    schedule = Schedule("one-shot", sparsities=(0.0, 0.5, 0.9))
    assert schedule.sparsity_by_level() == (0.0, 0.0, 0.5, 0.9)
    assert not schedule.iterative
    assert Schedule("geometric").iterative


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rate": 0.0}, "rate 0.0: expected"),
        ({"rate": 1.0}, "rate 1.0: expected"),
        ({"levels": 0}, "levels 0: expected"),
        ({"sparsities": (0.5,)}, "'geometric' takes rate and levels"),
        ({"name": "linear", "sparsity": 1.0}, "sparsity 1.0: expected that of the last level"),
        ({"name": "cubic", "sparsity": 0.0}, "sparsity 0.0: expected"),
        ({"name": "cubic", "levels": 0}, "levels 0: expected"),
        ({"name": "linear", "sparsities": (0.5,)}, "'linear' takes sparsity and levels"),
        ({"name": "one-shot"}, "without sparsities"),
        ({"name": "one-shot", "sparsities": (0.5, 1.0)}, "sparsity 1.0: expected"),
        ({"name": "one-shot", "sparsities": (-0.1,)}, "sparsity -0.1: expected"),
        ({"name": "one-shot", "sparsities": (float("nan"),)}, "sparsity nan: expected"),
        ({"name": "one-shot", "sparsities": (0.5, 0.5)}, "expected them increasing"),
        ({"name": "oneshot"}, "did you mean 'one-shot'"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(InputError, match=message):
        Schedule(**arguments)
