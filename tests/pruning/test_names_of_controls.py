"""Controls: which one is whose, under which name, and which of them a study lacks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from techniques_drawn import any_technique

from prune_fair.pruning import (
    TREATMENTS,
    Technique,
    control_of,
    controls_for,
    retrained_alike,
)
from prune_fair.types import Variables


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_control_is_retrained_alike_and_parses_back(data):
    technique = any_technique(data)
    control = control_of(technique)
    assert not control.prunes
    assert control_of(control) == control
    assert Technique.parse(control.name) == control
    for name in ("loss", "rewind_step", "finetune_learning_rate"):
        assert getattr(control, name) == getattr(technique, name)
    ours, theirs = control.retraining, technique.retraining
    for trait in ("full_learning_rate", "trains", "rewinds", "begins_anew"):
        assert getattr(ours, trait) == getattr(theirs, trait)
    starts = [Variables({}, {"at": at}) for at in range(3)]
    assert ours.start(*starts) is theirs.start(*starts)
    assert not ours.gradual
    assert ours.mask_update is None


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_every_treatment_has_a_control_of_its_name(treatment):
    control = Technique.parse(f"dense-{treatment}")
    assert control == control_of(Technique(treatment=treatment))
    assert control in [Technique.parse(f"dense-{each}") for each in ("long", *TREATMENTS)]


def test_names_of_controls():
    names = {name: control_of(Technique(treatment=name)).name for name in TREATMENTS}
    long = dict.fromkeys(("lr_rewind", "gradual"), "dense-long")
    own = {name: f"dense-{name}" for name in ("finetune", "rewind", "reinit", "none")}
    dynamic = dict.fromkeys(("set", "rigl", "straight_through"), "dense-rewind")
    assert names == {**long, **own, **dynamic}
    # without pruning the settings of gradual say nothing, but for its first step
    assert Technique.parse("dense-gradual@5,0.5,100").name == "dense-long@100"
    assert Technique.parse("dense-rigl@5,0.5,100").name == "dense-rewind@100"


def named(*names):
    return [Technique.parse(name) for name in names]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (["magnitude-global-rewind"], ["dense-rewind", "dense-long"]),
        (["magnitude-global-lr_rewind", "fisher-global-gradual"], ["dense-long"]),
        (["magnitude-global-none"], []),
        (["magnitude-global-rewind", "dense-long"], ["dense-rewind"]),
        (
            ["magnitude-global-rewind@9", "random-global-finetune@0.5,4+balanced_softmax"],
            ["dense-rewind@9", "dense-finetune@0.5,4+balanced_softmax", "dense-long@4"],
        ),
    ],
)
def test_what_controls_a_study_lacks(asked, expected):
    assert [control.name for control in controls_for(named(*asked))] == expected


def test_what_is_retrained_alike():
    techniques = named("dense-long", "random-global-rewind", "random-global-gradual", "dense-none")
    assert retrained_alike(techniques) == [0, 1, 0, 3]
