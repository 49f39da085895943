"""Sentences, from small tables by hand."""

import re

import numpy as np
import pytest
import xarray as xr

from prune_fair import analysis
from prune_fair.analysis import TooFew, Uncertainty
from prune_fair.words import (
    attribution,
    caveats,
    certificates,
    choices,
    classes,
    comparisons,
    failures,
    votes,
)

MINUS = "\N{MINUS SIGN}"
ESTIMATES = ["mean", "low", "high"]
SPLITS = ["validation", "test"]


def test_a_choice_is_told(by_hand):
    """c1 of m0 falls by 1 and 10 points; of m1 by 3 and 50."""
    choice = analysis.select(by_hand)
    assert choices.headline(choice) == "Prune with m0 to 50.0 % sparsity."
    assert choices.verdict(choice) == "Prune"
    assert choices.place_and_level(choice, choice.chosen) == "m0 to 50.0 % sparsity, level 1"
    assert choices.asked(choice).startswith(
        "Asked: every class's mean recall within 5 points of dense, by the mean; of what"
    )
    (held,) = choices.holds(choice)
    assert f"{MINUS}1.0 points" in held
    assert "so does all of the interval" in held
    assert choices.rule_as_typed(choice) == "best sparsity with mean_recall_change_min>=-0.05"


def test_what_accuracy_alone_costs(by_hand):
    choice = analysis.select(by_hand, ["recall_group_min>=0.75", "accuracy>=0.7"])
    line = choices.accuracy_alone(choice)
    assert line.startswith(
        "By accuracy alone (accuracy ≥ 70 %; most sparsity) one would take m0 to"
    )
    assert "where recall would be lower: class c1 by 9.0 points" in line
    agreed = choices.accuracy_alone(choice._replace(accuracy_alone=choice.chosen))
    assert agreed.endswith("one would choose the same.")
    none = choices.accuracy_alone(choice._replace(accuracy_alone=None))
    assert none.endswith("nothing would qualify.")


def test_nothing_qualifies(by_hand):
    choice = analysis.select(by_hand, ["recall_group_min>=0.95", "sparsity>=0.3"])
    assert choices.headline(choice).startswith("No operating point holds what was asked")
    told = [choices.nearest(choice, near) for near in choice.nearest]
    assert re.search(r"^Worst class's recall ≥ 95 % binds: of the points that hold all", told[0])
    assert "level 1, which misses it by 16.0 points" in told[0]
    change = analysis.recall_change(by_hand).isel(technique=0, level=2)
    chosen = choice._replace(accuracy_alone=2)
    assert choices.accuracy_alone(chosen, change).endswith(
        f"where the recall of class c1 changes by {MINUS}10.0 points."
    )


@pytest.mark.parametrize(
    ("noise", "seeds", "ending"),
    [
        ([0, 0, 0, 0], 4, "sparsity."),
        ([-30, 0, 0, 30], 4, "sparsity; an interval reaches past the bound."),
        ([0, 0], 2, "sparsity; without an interval, how far that may be off is not known."),
    ],
)
def test_the_headline_says_what_speaks_against_it(by_hand, noise, seeds, ending):
    """c1 loses 1 point on average, of at most 1.5."""
    part = by_hand.isel(seed=slice(seeds))
    for seed, images in enumerate(noise):
        part.confusion[0, seed, 1, 1] += np.array([-images, images])
    choice = analysis.select(part, ["mean_recall_change_min>=-0.015"])
    assert choices.headline(choice).endswith(ending)
    assert ("so does all of the interval" in choices.holds(choice)[0]) == (ending == "sparsity.")


def test_the_headline_says_that_test_images_do_not_hold_it(by_hand):
    kinder = by_hand.confusion.copy(deep=True)
    kinder[:, :, 2] = kinder[:, :, 1].values
    both = by_hand.drop_vars("confusion").assign(
        confusion=xr.concat([kinder, by_hand.confusion], xr.Variable("split", SPLITS))
    )
    choice = analysis.select(both)
    assert choices.headline(choice) == (
        "Prune with m0 to 75.0 % sparsity; on test images it does not hold what was asked."
    )
    assert "test images do not" in choices.holds(choice)[0]


def test_a_certificate_is_told(by_hand, with_predictions):
    kept = with_predictions(by_hand)
    choice = analysis.select(kept, certify=True)
    assert choices.headline(choice) == "Prune with m0 to 50.0 % sparsity, certified at 95 %."
    assert choices.asked(choice).startswith(
        "Asked: every class's mean recall within 5 points of dense, certified at 95 % over 2,000 "
        "test images and 4 seeds; of what"
    )
    bound = 100 * choice.certified.bounds[choice.rule.constraints[0]][choice.chosen]
    (line,) = certificates.certificate(choice)
    assert line.startswith("Certified over 2,000 test images and 4 seeds: ")
    assert "within 5 points of dense (95 %, for all techniques, points and classes" in line
    assert line.endswith(f"By itself this point's bound is at least {MINUS}{-bound:.1f} points.")
    assert choices.rule_as_typed(choice).endswith("certified at 95 %")
    one = analysis.select(kept.isel(seed=[0]), certify=True)
    assert certificates.certified_over(one) == "2,000 test images"
    assert certificates.certificate(analysis.select(kept)) == []
    above = analysis.select(kept, ["recall_difference<=0.5"], certify=True)
    assert " is at most " in certificates.certificate(above)[0]


def test_what_blocks_a_certificate_is_told(by_hand, with_predictions):
    few = by_hand.assign(confusion=(by_hand.confusion / 20).round().astype(np.int32))
    few["confusion"][..., 1] += 50 - few.confusion.sum("predicted")
    choice = analysis.select(with_predictions(few), certify=True)
    assert choices.headline(choice) == (
        "Do not prune: only the dense network is certified to hold what was asked."
    )
    *_, line = certificates.certificate(choice)
    assert line == (
        "Class c0 has 50 images, and 1 of the others have too few: were none lost, that would not "
        "certify the bound; 72 are needed."
    )
    assert caveats.too_few([TooFew("8", 1, 59)]).startswith("Class 8 has 1 image: were none")


def test_what_was_cross_fitted_is_told(by_hand, with_predictions):
    kept = with_predictions(by_hand)
    choice = analysis.select(kept)
    said = certificates.cross_fitted(analysis.cross_fit_of(kept, choice), choice.rule)
    assert said.startswith(
        "Cross-fitted over 5 folds of the images, each reported at the point that the others "
        "chose (mean sparsity 50.0 %): "
    )
    assert f"{MINUS}1.0" in said
    bare = choice.rule._replace(constraints=())
    assert certificates.cross_fitted(analysis.cross_fit_of(kept, choice), bare).endswith(
        "nothing was asked."
    )


def test_weights_are_told(by_hand):
    choice = analysis.select(by_hand, [], weights={"accuracy": 2.0, "sparsity": 0.5})
    assert choices.rule_as_typed(choice) == "most of 2 accuracy + 0.5 sparsity with no constraint"
    assert choices.objective(choice.rule) == "most of 2 x accuracy + 0.5 x sparsity"


def recalls(change):
    dense = np.full((len(change), 3), 0.9)
    columns = {"dense": dense, "pruned": dense + change, "change": np.asarray(change, float)}
    return xr.Dataset(
        {name: (("true", "estimate"), values) for name, values in columns.items()},
        {"true": [f"c{row}" for row in range(len(change))], "estimate": ESTIMATES},
    )


def test_who_pays():
    found = recalls([[-0.01, -0.02, 0.01], [-0.1, -0.2, -0.05], [-0.03, -0.04, -0.02]])
    line = classes.payers(found)
    assert line.startswith("Class c1 pays most: its recall falls from 90.0 %")
    assert "by 10.0 points [5.0, 20.0]; next class c2 by 3.0 points [2.0, 4.0]" in line
    assert line.endswith("In 2 of 3 classes the whole interval of the change lies below 0.")
    without = recalls([[-0.1, np.nan, np.nan], [0.1, np.nan, np.nan]])
    assert classes.payers(without).endswith("1 of 2 classes lose recall.")
    assert classes.payers(recalls([[0, -1, 1]])) == "That recall falls is resolved of no class."


@pytest.mark.parametrize(
    ("swapped", "resolved", "bounds", "first", "words"),
    [
        (
            True,
            True,
            (-1, 1),
            0.4,
            rf"changes the order of m0 and m1: .*tau is {MINUS}1.00 \[{MINUS}1",
        ),
        (True, True, (-1, 1), 0.4, r"\. In 40 % of .* another technique is first"),
        (True, False, (-1, 1), 0.0, r"changes no order that is resolved: .*places: m0 and m1\."),
        (False, False, (1, 1), 0.0, r"leaves the order of the means as it is"),
        (False, False, (np.nan, np.nan), 0.0, "tied"),
        (True, True, (np.nan, np.nan), np.nan, rf"m0 and m1: Kendall's tau is {MINUS}1.00\.$"),
    ],
)
def test_ranking_in_words(swapped, resolved, bounds, first, words):
    pair = np.array([[0, 1], [1, 0]], bool)
    ranking = xr.Dataset(
        {
            "swapped": (("technique", "other"), pair & swapped),
            "resolved": (("technique", "other"), pair & resolved),
            "tau": ("estimate", [np.nan if words == "tied" else -1.0, *bounds]),
            "first_place_changes": first,
        },
        {"technique": ["m0", "m1"], "estimate": ESTIMATES},
    )
    assert re.search(words, comparisons.ranking_in_words(ranking))
    assert comparisons.ranking_in_words(None).startswith("No change of ranks: it takes two")


@pytest.mark.parametrize(
    ("chosen", "cost", "fair", "words"),
    [
        (0.9, -0.07, 0.8, "class b would pay with 7.0 points of its recall.*only up to 80.0 %"),
        (0.9, -0.02, 0.95, "class b would pay with 2.0 points.*within 5 points.*there too"),
        (0.9, 0.01, 0.95, "no class has lost recall"),
    ],
)
def test_the_price_in_words(chosen, cost, fair, words):
    by_estimate = {"accuracy_sparsity": chosen, "cost": cost, "fair_sparsity": fair}
    price = xr.Dataset(
        {name: (("technique", "estimate"), [[v, v, v]]) for name, v in by_estimate.items()},
        {"technique": ["random-global-rewind"], "estimate": ESTIMATES},
    ).assign(worst_class=("technique", ["b"]))
    assert re.search(words, classes.price_in_words(price))
    assert "random-global-rewind to 90.0 % sparsity" in classes.price_in_words(price)
    cells = classes.price_cells(price.isel(technique=0))
    assert cells[0] == "90.0"
    assert cells[1].startswith("class b: ")


def test_a_loss_is_said_with_its_sign():
    row = {"estimate": 2.0, "low": -0.01, "high": 4.0}
    assert attribution.lost(row, -1.0) == "2.0 points more [0.0, 4.0]"
    assert attribution.lost(row, 1.0) == "2.0 points less [0.0, 4.0]"


def effects(**attributes):
    row = {"estimate": 2.0, "low": 1.0, "high": 3.0, "p": 0.01, "least": 1.5, "most": 2.5}
    row |= {"least_without": "8", "most_without": "3", "needs": "", "meaning": ""}
    known = {"sparsity": 0.9, "complexity": "hardness", "confidence": 0.95, "classes": 10}
    known |= {"rarity": "rotated", "rare_classes": [*"0123456789"], "tasks": [*"abcdefghij"]}
    own = {name: ("term", [attributes.pop(name, value)]) for name, value in row.items()}
    return xr.Dataset(own, {"term": ["share"]}, known | attributes)


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({}, "Rarity was rotated over 10 classes in 10 tasks: each class is compared with itself."),
        ({"rare_classes": ["3", "8"]}, "Rarity was rotated over 2 of 10 classes in 10 tasks"),
        ({"rare_classes": ["8"]}, "Rarity was varied in class 8 alone"),
        (
            {"rarity": "fixed", "rare_classes": ["3", "8"]},
            "Classes 3 and 8 were made rare in every",
        ),
        ({"rarity": "fixed", "rare_classes": ["8"]}, "what else is special about it;"),
        (
            {"rarity": "long tail", "rare_classes": []},
            "cannot be told from which classes come last",
        ),
        ({"rarity": "as found", "rare_classes": []}, "Shares are those of the data"),
    ],
)
def test_what_was_varied_is_said(attributes, sentence):
    assert sentence in attribution.attribution_in_words(effects(**attributes))[0]


@pytest.mark.parametrize(
    ("attributes", "end"),
    [
        ({}, "loses 2.0 points more [1.0, 3.0], and 1.5 without class 8."),
        ({"p": 0.06}, "without class 8: not resolved."),
        ({"low": -0.1}, f"[{MINUS}0.1, 3.0], and 1.5 without class 8: not resolved."),
        ({"least": -0.5}, f"and {MINUS}0.5 without class 8: not resolved."),
        ({"needs": "8"}, "; without class 8 nothing can be said: not resolved."),
        (
            {"low": np.nan, "high": np.nan},
            "2.0 points more, and 1.5 without class 8: not resolved.",
        ),
    ],
)
def test_an_effect_is_told_where_classes_tell_it(attributes, end):
    assert attribution.attribution_in_words(effects(**attributes))[1].endswith(end)


def exemplars(number, seeds=5, across=3.0):
    over = [[3.0, 1.5, 5.0], [0.5, 0.1, 0.9], [2.0, 0.9, 3.0]]
    values = {"number": number, "share": number / 60, "seeds": seeds, "across": across}
    values |= {"taxicab": 0.25, "dense_accuracy": 0.5, "pruned_accuracy": 0.25}
    return xr.Dataset(
        {
            **values,
            "over_index": (("true", "estimate"), over),
            "class_number": ("true", [1, 0, 2]),
        },
        {"true": ["a", "b", "c"], "estimate": ESTIMATES},
    )


def test_exemplars():
    row, dense = exemplars(3), exemplars(0, across=2.0)
    first, second, third = votes.exemplars_in_words(row, dense, 60)
    assert first.startswith("On 3 of 60 test images (5.0 %) most pruned networks say another")
    assert "number 3.0 from dense to pruned, and 2.0 from dense to dense" in second
    assert third.endswith("share of images: a 3.000 [1.500, 5.000] times.")
    alone = votes.exemplars_in_words(exemplars(3, seeds=1, across=np.nan), dense, 60)
    assert alone[0].endswith("the pruned network says another class than the dense one.")
    assert len(alone) == 2
    assert votes.cells(row) == (
        *("3 (5.0 %)", "3.0", "0.250", "50 % -> 25 %", "a: 3.0 [1.5, 5.0], 1 image"),
    )
    assert votes.cells(exemplars(0))[3:] == ("", "")


def test_failures():
    assert failures.unfinished(1.0) == failures.diverged(0) == failures.collapsed(0) == ""
    assert failures.unfinished(0.4).startswith("The study is still running: 40 % of its networks")
    assert failures.diverged(1).startswith("1 network diverged and is counted as a failure")
    assert failures.diverged(2).startswith("2 networks diverged and are counted as failures")
    assert failures.diverged(2, failures.MISVOTED).startswith("2 networks diverged and vote for")
    assert failures.collapsed(1).startswith("1 network lost every weight of a layer: no point")
    assert failures.without_images(["a", "b"]).startswith("Classes a, b have no test image")
    assert failures.undefined("cev", 3).startswith("cev is undefined for some networks at 3 points")


def test_caveats():
    seeds, images = Uncertainty("seeds", 8, 0), Uncertainty("images", 1, 500)
    nothing = Uncertainty("nothing", 2, 0)
    both = Uncertainty("both", 16, 540)
    assert caveats.interval(0.95, seeds) == "95 % interval over 8 seeds"
    assert caveats.interval(0.9, nothing) == ""
    assert caveats.brackets(0.9, [(nothing, ["accuracy"])]) == nothing.covers
    assert caveats.brackets(0.9, [(images, ["accuracy"])]) == (
        "[low, high]: 90 % interval over 500 test images of one network."
    )
    two = [(both, ["accuracy", "classes"]), (seeds, ["cev"])]
    assert caveats.brackets(0.95, two) == (
        "[low, high]: 95 % intervals; of accuracy, classes over 16 seeds and 540 test images; of "
        "cev over 8 seeds."
    )
    assert caveats.intervals(0.95, [(nothing, ["accuracy"])]) == ""
    assert caveats.intervals(0.95, [(both, ["accuracy"]), (nothing, ["cev"])]) == (
        "95 % interval over 16 seeds and 540 test images"
    )
    assert "fewer than 16 seeds" in caveats.narrow(seeds, 10)[0]
    assert "few test images" in caveats.narrow(images, 199)[0]
    assert caveats.narrow(images, 200) == caveats.narrow(nothing, 1) == []
    assert caveats.grain("8", 52).endswith(
        "one image of it is 1.9 points of the recall of one network."
    )
    assert caveats.grain("8", 0) == failures.without_images(["8"])
    assert "nothing here allows" in caveats.many_intervals(10, tested=False)
