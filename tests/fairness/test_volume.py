import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from prune_fair.fairness import hypervolume, non_dominated

SIDE = 4
shapes = st.tuples(st.integers(0, 7), st.sampled_from([1, 2, 3, 4]))
grid = st.sampled_from([-1.0, *np.arange(SIDE + 1.0), np.nan])


def cells_below(points):
    """The volume of points on a grid above 0: the cells that at least one of them covers."""
    cells = np.indices((SIDE,) * points.shape[1]).reshape(points.shape[1], -1).T
    covered = (points[:, None, :] >= cells + 1).all(axis=2)  # a NaN covers nothing
    return covered.any(axis=0).sum()


@settings(max_examples=300)
@given(hnp.arrays(float, shapes, elements=grid))
def test_equals_counting_cells(points):
    objectives = points.shape[1]
    assert hypervolume(points, np.zeros(objectives)) == cells_below(points)
    shifted = hypervolume(points + 2.5, np.full(objectives, 2.5))
    assert shifted == cells_below(points)


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_agrees_with_monte_carlo(rng, objectives):
    points = rng.uniform(size=(12, objectives))
    darts = rng.uniform(size=(40_000, objectives))
    share = (points[:, None] >= darts).all(axis=2).any(axis=0).mean()
    error = np.sqrt(share * (1 - share) / len(darts))
    assert hypervolume(points, np.zeros(objectives)) == pytest.approx(share, abs=4 * error)


def test_rows_are_volumes_alone(rng, monkeypatch):
    monkeypatch.setattr("prune_fair.fairness.volume.NUMBERS_AT_ONCE", 20)
    points, reference = rng.normal(size=(3, 4, 6, 3)), np.array([-1.0, 0.0, -0.5])
    volumes = hypervolume(points, reference)
    assert volumes.shape == (3, 4)
    assert volumes[2, 1] == pytest.approx(hypervolume(points[2, 1], reference))
    assert hypervolume(points[:0], reference).shape == (0, 4)


def test_dominated_points_and_order_do_not_matter(rng):
    points, reference = rng.uniform(size=(30, 3)), np.zeros(3)
    whole = hypervolume(points, reference)
    assert hypervolume(points[::-1], reference) == pytest.approx(whole)
    assert hypervolume(points[non_dominated(points)], reference) == pytest.approx(whole)


def test_by_hand_in_three_dimensions():
    """Boxes of 2x1x1 and 1x2x1 share a cube: 3; one of 1x1x3 adds two cubes."""
    points = np.array([[2.0, 1, 1], [1, 2, 1], [1, 1, 3]])
    assert hypervolume(points, np.zeros(3)) == 5
    assert hypervolume(points, np.array([0.0, 0, 3])) == 0
