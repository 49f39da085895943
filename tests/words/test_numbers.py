"""Formats of numbers, by hand; and that no other room has any."""

import math
import re
from pathlib import Path

import pytest

import prune_fair
from prune_fair.analysis import Constraint
from prune_fair.fairness import METRICS
from prune_fair.words import numbers
from prune_fair.words.metrics import bound, constraint, figure, told, unit
from prune_fair.words.numbers import Estimate

NAN = math.nan
MINUS = "\N{MINUS SIGN}"
ROOMS = ("auditing", "cli", "console", "plots", "report")
SOURCES = [
    path for room in ROOMS for path in sorted((Path(prune_fair.__path__[0]) / room).glob("*.py"))
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_decimals_and_percent_are_formatted_in_words_alone(path):
    assert re.findall(r"\{[^{}\n]*:[^{}\n]*\.\{?\w+\}?[fg%]\}", path.read_text()) == []


@pytest.mark.parametrize(
    ("value", "as_typed", "as_points"),
    [
        (
            Estimate(-0.0481, -0.0692, -0.0303),
            "-0.048 [-0.069, -0.030]",
            f"{MINUS}4.8 [{MINUS}6.9, {MINUS}3.0]",
        ),
        (Estimate(0.25, NAN, NAN), "0.250", "+25.0"),
        (Estimate(0.5, 0.5, 0.5), "0.500", "+50.0"),
        (Estimate(-0.0001, -0.0004, 0.0004), "0.000 [0.000, 0.000]", "0.0 [0.0, 0.0]"),
        (Estimate(NAN, NAN, NAN), "undefined", "undefined"),
    ],
)
def test_estimates(value, as_typed, as_points):
    assert numbers.fraction(value) == as_typed
    assert numbers.change(value) == as_points


def test_whether_it_falls_or_rises_is_said_by_the_interval_where_there_is_one():
    assert Estimate(-1.0, -2.0, -0.1).falls
    assert not Estimate(-1.0, -2.0, 0.1).falls
    assert Estimate(-1.0, NAN, NAN).falls
    assert Estimate(1.0, 0.1, 2.0).rises
    assert not Estimate(1.0, -0.1, 2.0).rises
    assert not Estimate(NAN, NAN, NAN).rises


def test_what_a_command_takes_can_be_read_back():
    assert float(numbers.typed(-0.05)) == -0.05
    with pytest.raises(ValueError, match=MINUS):
        float(numbers.fixed(-0.05))


def test_sparsities_and_their_ticks():
    levels = (0.0, 0.5, 0.9423, 0.99, 0.9986, 0.9995, 1.0)
    long = ("0.0", "50.0", "94.2", "99.00", "99.86", "99.950", "100.000")
    assert tuple(map(numbers.sparsity, levels)) == long
    short = ("0", "50", "94.2", "99", "99.86", "99.95", "100")
    assert tuple(map(numbers.short, long)) == short


def test_no_number_is_a_dash():
    assert numbers.p_value(NAN) == numbers.plain(NAN) == numbers.plain(math.inf) == numbers.NONE
    assert numbers.p_value(0.0001) == "< 0.001"
    assert numbers.p_value(0.05) == "0.050"


def test_counts_and_times():
    assert numbers.counted(1, "class") == "1 class"
    assert numbers.counted(2880, "class") == "2,880 classes"
    assert [numbers.duration(seconds) for seconds in (12.2, 62.7, 7290.0)] == [
        *("12 s", "1 min 3 s", "2 h 2 min")
    ]


def test_every_metric_has_a_unit():
    units = {name: unit(name) for name in METRICS}
    assert {*units.values()} == {"%", "points", ""}
    assert units["recall_ratio_to_overall"] == units["cev"] == units["sde"] == ""
    assert units["recall_difference_to_overall"] == units["by_group_accuracy_difference"]
    assert units["fpr_group_max"] == units["balanced_accuracy"] == "%"


def test_figures():
    assert figure("accuracy", Estimate(NAN, NAN, NAN)).mean == "undefined"
    assert figure("sparsity", Estimate(0.9995, 0.9995, 0.9995)) == ("99.950", "")
    assert figure("accuracy_change", Estimate(-0.0001, NAN, NAN)).mean == "0.0"
    assert told("recall_gini", Estimate(0.1234, 0.1, 0.2)) == "0.123 [0.100, 0.200]"
    assert bound("accuracy_change", -0.01) == f"{MINUS}1 point"
    assert bound("cev", 3.0) == "3"


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ("mean_recall_change_min>=-0.05", "every class's mean recall within 5 points of dense"),
        ("accuracy_change>=-0.01", "mean accuracy within 1 point of dense"),
        ("accuracy_change>=0.01", "change of accuracy ≥ 1 point"),
        (
            "recall_change_min>=-0.05",
            f"change of recall, worst class of each network ≥ {MINUS}5 points",
        ),
        ("recall_gini<=0.2", "Gini coefficient of recall ≤ 0.2"),
    ],
)
def test_constraints(stated, words):
    assert constraint(Constraint.parse(stated)) == words
