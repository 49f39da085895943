"""Calibration by hand, and against scikit-learn and SciPy."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from prune_fair import fairness
from prune_fair.fairness import BINS, TEMPERATURES, Reliability


def drawn(seed=0, images=2000, classes=5, sharp=2.0, temperature=1.0):
    """Logits whose labels are drawn from their probabilities over a temperature."""
    rng = np.random.default_rng(seed)
    logits = sharp * rng.normal(size=(images, classes))
    ends = softmax(logits / temperature, axis=1).cumsum(axis=1)
    return logits, (rng.random((images, 1)) > ends[:, :-1]).sum(axis=1)


def test_the_error_by_hand():
    """Two bins of two: |1 - 0.9| + |0.5 - 0.6| weighted by half each; the gap has a sign."""
    probability = np.array([0.88, 0.92, 0.61, 0.59])
    found = fairness.reliability(probability, np.array([True, True, True, False]), bins=5)
    assert found.images.tolist() == [0, 0, 1, 1, 2]
    assert found.hits.tolist() == [0, 0, 0, 1, 2]
    error = (abs(2 - 1.8) + abs(1 - 0.61) + abs(0 - 0.59)) / 4
    assert fairness.calibration_error(found) == pytest.approx(error)
    assert fairness.confidence_gap(found) == pytest.approx(0.75 - 0.75)


def test_bins_hold_their_upper_edge():
    edges = np.arange(BINS + 1) / BINS
    found = fairness.reliability(edges, np.ones(BINS + 1, bool))
    assert found.images.tolist() == [2, *[1] * (BINS - 1)]


def test_curve_equals_scikit_learn():
    logits, labels = drawn()
    own = softmax(logits, axis=1)[:, 2]
    found = fairness.reliability(own, labels == 2)
    shares, promised = calibration_curve(labels == 2, own, n_bins=BINS, strategy="uniform")
    known = found.images > 0
    np.testing.assert_allclose(found.hits[known] / found.images[known], shares)
    np.testing.assert_allclose(found.probability[known] / found.images[known], promised)
    weighted = (found.images[known] * np.abs(shares - promised)).sum() / len(labels)
    assert fairness.calibration_error(found) == pytest.approx(weighted)


def test_a_calibrated_network_has_little_error_and_an_overconfident_one_more():
    logits, labels = drawn(images=50_000)
    errors = []
    for sharper in (1.0, 2.0):
        probabilities = softmax(sharper * logits, axis=1)
        top, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
        found = fairness.reliability(top, right)
        errors.append((fairness.calibration_error(found), fairness.confidence_gap(found)))
    assert errors[0][0] < 0.01
    assert abs(errors[0][1]) < 0.01
    assert errors[1][0] == pytest.approx(errors[1][1], abs=0.01)
    assert errors[1][1] > 0.08


def test_what_has_no_images_is_undefined():
    nothing = Reliability(*(np.zeros((2, BINS)) for _ in range(3)))
    assert np.isnan(fairness.calibration_error(nothing)).all()
    assert np.isnan(fairness.confidence_gap(nothing)).all()


def test_scores_equal_scikit_learn():
    logits, labels = drawn()
    probabilities, images = softmax(logits, axis=1), np.array(float(len(labels)))
    brier = np.asarray(np.square(probabilities - np.eye(5)[labels]).sum())
    theirs = brier_score_loss(labels, probabilities, scale_by_half=False)
    assert fairness.mean_score(brier, images) == pytest.approx(theirs)
    total = np.asarray(-log_softmax(logits, axis=1)[np.arange(len(labels)), labels].sum())
    assert fairness.mean_score(total, images) == pytest.approx(log_loss(labels, probabilities))


def losses_of(logits, labels, temperatures):
    own = np.arange(len(labels)), labels
    return np.array([-log_softmax(logits / t, axis=1)[own].sum() for t in temperatures])


@pytest.mark.parametrize("temperature", [0.4, 0.7, 1.0, 1.3, 2.6, 5.0])
def test_temperature_is_that_of_a_search_without_a_grid(temperature):
    logits, labels = drawn(temperature=temperature, sharp=4.0)
    losses = losses_of(logits, labels, TEMPERATURES)
    search = minimize_scalar(
        lambda log: losses_of(logits, labels, [np.exp(log)])[0], bounds=(-1.3, 2.0),
        method="bounded", options={"xatol": 1e-6},
    )  # fmt: skip
    best = fairness.best_temperature(losses)
    assert best == pytest.approx(np.exp(search.x), rel=0.04)
    # What the grid costs of the likelihood is far less than a network gains by a temperature.
    assert losses_of(logits, labels, [best])[0] == pytest.approx(search.fun, rel=1e-3)
    at_best = fairness.at_temperature(losses, best)
    assert at_best == pytest.approx(losses_of(logits, labels, [best])[0], rel=2e-3)


def test_a_cubic_is_interpolated_exactly_and_grid_points_are_kept():
    logs = np.log2(TEMPERATURES)
    losses = 3 + logs**3 - 2 * logs
    asked = np.array([0.25, 0.3, 1.0, 1.7, 7.9, 8.0])
    found = fairness.at_temperature(np.broadcast_to(losses, (6, len(losses))), asked)
    np.testing.assert_allclose(found, 3 + np.log2(asked) ** 3 - 2 * np.log2(asked))


@pytest.mark.parametrize(("slope", "end"), [(1, 0.25), (-1, 8.0)])
def test_beyond_the_grid_the_temperature_is_its_end(slope, end):
    assert fairness.best_temperature(slope * np.log2(TEMPERATURES)) == end


def test_losses_that_are_not_finite_have_no_temperature():
    losses = np.stack([np.full(len(TEMPERATURES), value) for value in (np.inf, np.nan, 1.0)])
    best = fairness.best_temperature(losses)
    assert np.isnan(best[:2]).all()
    assert np.isnan(fairness.at_temperature(losses, best)[:2]).all()


def test_student_intervals_equal_scipy():
    from scipy import stats

    values = np.random.default_rng(0).normal(size=(6, 3))
    found = fairness.student_interval(values, 0.9)
    error = stats.sem(values)
    low, high = stats.t.interval(0.9, 5, loc=values.mean(axis=0), scale=error)
    np.testing.assert_allclose([found.low, found.high], [low, high])
    assert np.isnan(fairness.student_interval(values[:2]).low).all()
    assert fairness.student_interval(np.ones(4)).high == 1
