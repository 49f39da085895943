"""Controls are shown, and never chosen, ranked or compared; budgets count every step taken."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError, analysis, open_example
from prune_fair.analysis.controls import by_point, steps_at

CONTROL = "dense-rewind"


def with_control(results, at=2, steps=((100, 200, 300), (100, 150, 200), (100, 200, 300))):
    """Two techniques, and a control that is better than both in every metric of accuracy."""
    control = results.isel(technique=[0]).assign_coords(technique=[CONTROL])
    right = control.confusion.copy()
    right[:, :, 1:] = [[995, 5], [5, 995]]
    control = control.assign(confusion=right, sparsity=xr.zeros_like(control.sparsity))
    parts = [results.isel(technique=[0]), results.isel(technique=[1])]
    parts.insert(at, control)
    whole = xr.concat(parts, "technique")
    order = [0, 1]
    order.insert(at, 2)
    return whole.assign(
        control=("technique", np.arange(3) == at),
        retraining=("technique", np.array([0, 1, 0])[order]),
        training_steps=(("technique", "level"), np.array(steps)[order]),
    )


RULES = [
    {},
    {"require": []},
    {"require": [], "maximise": "accuracy"},
    {"require": [], "weights": {"recall_group_min": 1.0, "sparsity": 0.01}},
    {"require": ["accuracy>=0.9"], "maximise": "recall_group_min"},
    {"require": ["mean_recall_change_min>=0.01"]},
    {"require": ["accuracy_change>=0.05", "recall_change_min>=0.02"], "certify": True},
    {"require": ["accuracy>=0.99"], "maximise": "accuracy", "pooled": True},
]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("at", [0, 2])
def test_a_control_is_never_chosen(by_hand, with_predictions, rule, at):
    """Though it is better in all of these, and what it has to hold is held by it alone."""
    choice = analysis.select(with_predictions(with_control(by_hand, at)), **rule)
    own = choice.points.control.values
    assert own.sum() == 2
    places = [choice.chosen, choice.accuracy_alone, *(near.point for near in choice.nearest)]
    assert not any(own[place] for place in places if place is not None)
    assert not choice.points.qualifies.values[own].any()
    assert np.isnan(choice.points.utility.values[own]).all()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("at", [0, 2])
def test_a_control_changes_no_choice(by_hand, with_predictions, rule, at):
    both = with_control(by_hand, at), by_hand
    mine, theirs = (analysis.select(with_predictions(each), **rule) for each in both)

    def names(choice, place):
        if place is None:
            return None
        return tuple(choice.points[name].values[place] for name in ("technique", "level"))

    for name in ("chosen", "accuracy_alone"):
        assert names(mine, getattr(mine, name)) == names(theirs, getattr(theirs, name))
    one, other = ([(str(n.constraint), names(c, n.point)) for n in c.nearest]
                  for c in (mine, theirs))  # fmt: skip
    assert one == other


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_control_changes_no_ranking(by_hand, at):
    whole = with_control(by_hand, at)
    for answer in (
        analysis.price_of_accuracy,
        analysis.hypervolumes,
        analysis.ranking_change,
        lambda r: analysis.hypervolumes(r, ["sparsity", "recall_change_min"]),
        lambda r: analysis.compare(r).drop_vars("steps"),
    ):
        xr.testing.assert_identical(answer(whole), answer(by_hand))
    assert analysis.common_sparsity(whole) == 0.75
    points, alone = analysis.frontier(whole), analysis.frontier(by_hand)
    assert not points.on_frontier.values[points.control.values].any()
    assert np.isnan(points.probability.values[points.control.values]).all()
    kept = points.isel(point=~points.control.values)
    for name in ("technique", "level", "on_frontier", "probability", "accuracy"):
        assert np.array_equal(kept[name].values, alone[name].values)


def test_the_floor_of_a_point_is_its_control_at_the_same_level(by_hand):
    whole = with_control(by_hand, at=0)
    assert analysis.floors(whole).values.tolist() == [CONTROL, CONTROL, ""]
    points = analysis.operating_points(whole, ["accuracy"])
    floors = [analysis.floor_of(points, point) for point in range(points.sizes["point"])]
    names = [f"{t} {k}" for t, k in zip(points.technique.values, points.level.values, strict=True)]
    expected = {"m0 1": f"{CONTROL} 1", "m0 2": f"{CONTROL} 2",
                f"{CONTROL} 1": f"{CONTROL} 1", f"{CONTROL} 2": f"{CONTROL} 2"}  # fmt: skip
    found = {name: names[at] for name, at in zip(names, floors, strict=True) if at is not None}
    assert found == expected
    assert points.steps.values.tolist() == [100, 200, 300, 200, 300, 150, 200]
    assert points.control.values.tolist() == [False, True, True] + [False] * 4


def test_a_part_of_a_study_keeps_its_floors(by_hand):
    part = with_control(by_hand).isel(technique=[2, 0])
    assert analysis.floors(part).values.tolist() == [CONTROL, CONTROL]
    assert analysis.floors(part.isel(technique=[1])).values.tolist() == [""]


def test_studies_of_before_have_one_control_and_know_no_steps(by_hand):
    names = ["dense-long+balanced_softmax", "dense-longer"]
    old = by_hand.assign_coords(technique=names)
    assert analysis.controls(old).values.tolist() == [True, False]
    assert analysis.floors(old).values.tolist() == [names[0], ""]
    assert analysis.training_steps(old).isnull().all()
    assert not analysis.controls(open_example()["digits/mlp"]).any()
    found = analysis.compare(by_hand)
    assert found.steps.isnull().all()
    with pytest.raises(InputError, match="of an earlier version and does not say how many steps"):
        analysis.compare(by_hand, equal_budget=True)


@pytest.mark.parametrize(
    "ask",
    [
        analysis.price_of_accuracy,
        analysis.hypervolumes,
        analysis.ranking_change,
        analysis.compare,
        analysis.common_sparsity,
    ],
)
def test_controls_alone_have_no_ranking(by_hand, ask):
    with pytest.raises(InputError, match="techniques dense-rewind: all prune nothing"):
        ask(with_control(by_hand).isel(technique=[2]))


def test_controls_alone_leave_the_dense_network(by_hand):
    choice = analysis.select(with_control(by_hand).isel(technique=[2]), [], "accuracy")
    assert (choice.chosen, choice.accuracy_alone) == (0, 0)


@pytest.mark.parametrize(
    ("sparsity", "expected"),
    [(0.0, [100, 100]), (0.3, [200, 150]), (0.5, [200, 150]), (0.6, [300, 200])],
)
def test_steps_to_a_sparsity_are_those_of_the_level_that_reaches_it(by_hand, sparsity, expected):
    whole = analysis.candidates(with_control(by_hand))
    assert steps_at(whole, sparsity).values.tolist() == expected
    assert analysis.compare(whole, sparsity=sparsity).steps.values.tolist() == expected


def test_pairs_of_unequal_budgets_are_left_out(results_of, rng):
    """Of 300, 290, 200 and 200 steps: two pairs are within 5 %."""
    recall = 0.8 + rng.normal(0, 0.05, (4, 6, 2, 2)).clip(-0.15, 0.15)
    steps = np.array([[100, each] for each in (300, 290, 200, 200)])
    results = results_of(recall).assign(training_steps=(("technique", "level"), steps))
    whole, equal = (analysis.compare(results, equal_budget=each) for each in (False, True))
    assert whole.attrs["left_out"] == []
    pairs = list(zip(equal["first"].values, equal["second"].values, strict=True))
    assert pairs == [("m0", "m1"), ("m2", "m3")]
    assert equal.attrs["left_out"] == [["m0", "m2"], ["m0", "m3"], ["m1", "m2"], ["m1", "m3"]]
    kept = whole.isel(pair=[0, 5])
    assert np.array_equal(equal.difference, kept.difference)
    assert np.array_equal(equal.p, kept.p)
    assert equal.p_holm.max() <= kept.p_holm.max()  # a family of two
    assert np.sort(equal.p_holm.values)[0] == pytest.approx(min(1, 2 * equal.p.values.min()))


def test_no_pair_of_equal_budget(by_hand):
    found = analysis.compare(with_control(by_hand), equal_budget=True)
    assert found.sizes["pair"] == 0
    assert found.attrs["left_out"] == [["m0", "m1"]]
    assert found.steps.values.tolist() == [300, 200]


def test_dense_points_have_no_control(by_hand):
    found = by_point(with_control(by_hand))
    assert not found["control"].sel(level=0).any()
    assert (found["floor"].sel(level=0) == "").all()


def test_a_control_has_no_part_in_attribution(by_hand):
    known = {
        "train_count": ("true", [10, 100]),
        "complexity": (("measure", "true"), [[0.1, 0.2]]),
    }
    both = [
        each.assign({**known, "finished": each.sparsity >= 0}).assign_coords(measure=["m"])
        for each in (with_control(by_hand), by_hand)
    ]
    mine, theirs = (analysis.attribute(each, "m", covariates=["share"]) for each in both)
    xr.testing.assert_equal(mine, theirs)
    assert mine.attrs["techniques"] == ["m0", "m1"]
