"""The chosen operating point, by hand."""

import numpy as np
import pytest

from prune_fair import InputError, analysis


def place(choice, point):
    at = choice.points.isel(point=point)
    return at["technique"].item(), at["level"].item()


def test_fairness_stops_where_accuracy_alone_goes_on(by_hand):
    """m0 at level 2 costs 5 points of accuracy and 10 of class c1; at level 1, 0.25 and 1."""
    choice = analysis.select(by_hand, ["accuracy_change>=-0.06", "recall_change_min>=-0.05"])
    assert place(choice, choice.chosen) == ("m0", 1)
    assert place(choice, choice.accuracy_alone) == ("m0", 2)
    assert [str(each) for each in choice.accuracy_rule.constraints] == ["accuracy_change>=-0.06"]
    mean = choice.price.sel(estimate="mean")
    assert mean.chosen.values == pytest.approx([0.005, -0.01], abs=1e-6)
    assert mean.accuracy_alone.values == pytest.approx([0, -0.1], abs=1e-6)
    assert mean.spared.values == pytest.approx([0.005, 0.09], abs=1e-6)
    assert choice.nearest == ()


def test_accuracy_alone_stays_within_a_point_where_nothing_is_said_of_it(by_hand):
    choice = analysis.select(by_hand, ["recall_change_min>=-0.5"])
    assert [str(each) for each in choice.accuracy_rule.constraints] == ["accuracy_change>=-0.01"]
    assert place(choice, choice.accuracy_alone) == ("m0", 1)
    assert place(choice, choice.chosen) == ("m0", 2)  # as sparse as m1 there, and more accurate


def test_by_weights(by_hand):
    choice = analysis.select(by_hand, [], weights={"recall_group_min": 1.0, "sparsity": 0.1})
    # dense 0.8; m0 level 1 0.79 + 0.05, level 2 0.7 + 0.075
    assert place(choice, choice.chosen) == ("m0", 1)
    assert choice.points.utility.values[choice.chosen] == pytest.approx(0.84, abs=1e-6)
    worse = analysis.select(by_hand, [], weights={"recall_difference": 1.0})
    assert place(worse, worse.chosen) == ("dense", 0)  # the least difference: less is better
    assert worse.accuracy_rule.worth == {"accuracy": 1.0}


@pytest.mark.parametrize("weight", [-5.0, 0.0, float("inf"), float("nan")])
def test_weights_are_above_0(by_hand, weight):
    message = f"weight accuracy={weight:g}: expected a finite number above 0"
    with pytest.raises(InputError, match=message):
        analysis.select(by_hand, [], weights={"sparsity": 1.0, "accuracy": weight})


def test_an_unknown_metric_to_maximise_is_refused_beside_weights(by_hand):
    with pytest.raises(InputError, match="unknown objective 'NONSENSE'"):
        analysis.select(by_hand, [], "NONSENSE", weights={"accuracy": 1.0})


def test_a_constraint_holds_for_the_bad_end(by_hand, with_predictions, rng):
    noise = rng.integers(-60, 60, 4)
    for seed, step in enumerate(noise):
        by_hand.confusion[0, seed, 1, 1] += np.array([step, -step])
    results, asked = with_predictions(by_hand), ["recall_group_min>=0.77"]
    mean = analysis.select(results, asked)
    assert place(mean, mean.chosen) == ("m0", 1)
    certified = analysis.select(results, asked, certify=True)
    low = certified.certified.bounds[analysis.Constraint.parse(asked[0])]
    assert (low[certified.points.qualifies.values] >= 0.77).all()
    assert low[1] < 0.77
    assert place(certified, certified.chosen) == ("dense", 0)


def test_what_binds_and_how_near_it_is(by_hand):
    choice = analysis.select(by_hand, ["recall_group_min>=0.795", "sparsity>=0.4"])
    assert choice.chosen is None
    assert choice.price is None
    worst, sparsity = choice.nearest
    assert worst.binds
    assert place(choice, worst.point) == ("m0", 1)
    assert worst.slack == pytest.approx(-0.005, abs=1e-6)
    assert place(choice, sparsity.point) == ("dense", 0)
    assert sparsity.slack == pytest.approx(-0.4)
    neither = analysis.select(by_hand, ["accuracy>=2", "sparsity>=1"]).nearest
    assert [each.binds for each in neither] == [False, False]


def test_undefined_points_never_qualify(by_hand):
    by_hand.confusion[:, :, 0] = np.diag([1000, 1000])
    choice = analysis.select(by_hand, ["cev<=1000000"])
    assert choice.chosen is None
    assert choice.nearest[0].slack == -np.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"require": ["accuracy>0.9"]}, "constraint 'accuracy>0.9': expected a metric, >= or <="),
        ({"require": ["accuracy>=high"]}, "constraint 'accuracy>=high'"),
        ({"require": ["accuracy>=nan"]}, "constraint 'accuracy>=nan'"),
        ({"require": ["recal_gini<=1"]}, "unknown metric 'recal_gini': did you mean 'recall_gini'"),
        ({"maximise": "sparse"}, "unknown objective 'sparse': did you mean 'sparsity'"),
        ({"weights": {"acuracy": 1.0}}, "unknown objective 'acuracy'"),
        ({"weights": {}}, "no weights"),
        ({"confidence": 2.0}, "confidence 2.0"),
    ],
)
def test_refusals(by_hand, arguments, message):
    with pytest.raises(InputError, match=message):
        analysis.select(by_hand, **arguments)


def test_certainty_needs_predictions_of_one_network_or_three(by_hand, with_predictions):
    few = by_hand.isel(seed=[0, 1])
    assert analysis.select(few).chosen is not None
    with pytest.raises(InputError, match="the spread over seeds cannot be had from 2 seeds"):
        analysis.select(with_predictions(few), certify=True)
    with pytest.raises(InputError, match="run it with --predictions"):
        analysis.select(by_hand, certify=True)
    assert analysis.select(with_predictions(few.isel(seed=[0])), certify=True).certified
