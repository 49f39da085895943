import jax
import jax.numpy as jnp
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from techniques_drawn import any_technique

from prune_fair.errors import InputError
from prune_fair.models import build
from prune_fair.pruning import (
    CRITERIA,
    GRANULARITIES,
    SCOPES,
    TREATMENTS,
    Technique,
    all_techniques,
    full_mask,
    pruner,
    quota,
)
from prune_fair.types import Variables


def no_loss(logits, batch):
    return optax.softmax_cross_entropy_with_integer_labels(logits, batch.labels)


@pytest.mark.parametrize(
    "name",
    [
        "magnitude-global-rewind@100",
        "saliency@16-global-gradual@5,0.5-output+balanced_softmax",
        "magnitude-layerwise-channel-finetune@0.00001-skipfirst",
        "random-erk-rigl@20,0.5,100+balanced_softmax",
        "random-layerwise-set@10,0.2",
        "magnitude-global-straight_through@5,100-output",
        "dense-long",
        "dense-long+balanced_softmax",
        "dense-long@100",
        "dense-finetune@0.2,100+balanced_softmax",
        "dense-reinit",
        "dense-none",
        "dense",
    ],
)
def test_a_name_shows_what_differs_from_the_defaults(name):
    assert Technique.parse(name).name == name


def test_defaults_are_left_out_of_a_name():
    asked = "saliency@8-global-gradual@10,0.75", "saliency-global-rewind@0"
    names = [Technique.parse(name).name for name in asked]
    assert names == ["saliency-global-gradual", "saliency-global-rewind"]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_settings_are_parsed_back(data):
    technique = any_technique(data)
    assert Technique.parse(technique.name) == technique


def test_names_are_parsed_back():
    techniques = all_techniques()
    assert len({technique.name for technique in techniques}) == len(techniques)
    assert [Technique.parse(technique.name) for technique in techniques] == list(techniques)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("magnitud-global-rewind", "did you mean 'magnitude-global-rewind'"),
        ("magnitude-global-rewind-skipfirst-output", "unknown technique"),
        ("magnitude-global-channel-rewind-output", "channels are the classes"),
        ("magnitude-dense_0=2-rewind", "expected LAYER=SPARSITY"),
        ("magnitude-dense_0=0.5,dense_0=0.6-rewind", "each layer once"),
        ("", "unknown technique ''"),
        ("output", "unknown technique 'output'"),
        ("magnitude-global-rewind+", "unknown technique"),
        ("magnitude-global-rewind+hinge", "unknown loss 'hinge'"),
        ("magnitude@4-global-rewind", "settings 4: expected none there"),
        ("magnitude-global@4-rewind", "settings 4: expected none there"),
        ("magnitude-global-rewind@4,5", "settings 4,5: expected at most 1 .rewind_step."),
        ("magnitude-global-rewind@soon", "rewind_step 'soon': expected a whole number"),
        ("magnitude-global-rewind@0.5", "rewind_step '0.5': expected a whole number"),
        ("dense-rewind-output", "unknown technique"),
        ("dense-rewnd", "did you mean 'dense-rewind'"),
        ("dense-global-rewind", "unknown technique"),
        ("dense@4-rewind", "unknown technique"),
        ("dense-none@4", "settings 4: expected none there"),
        ("dense-rewind@4,5", "settings 4,5: expected at most 1 .rewind_step."),
        ("magnitude-global-finetune@nan", "finetune_learning_rate nan: expected a share"),
    ],
)
def test_unknown_technique(name, message):
    with pytest.raises(InputError, match=message):
        Technique.parse(name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"criterion": "magnitudes"}, "unknown criterion 'magnitudes': did you mean 'magnitude'"),
        ({"scope": "local"}, "unknown scope 'local'"),
        ({"granularity": "block"}, "unknown granularity 'block'"),
        ({"treatment": "reset"}, "unknown treatment 'reset'"),
        ({"granularity": "channel", "output": True}, "channels are the classes"),
        ({"finetune_learning_rate": 0.0, "treatment": "finetune"}, "finetune_learning_rate 0.0"),
        ({"gradual_prunings": 0, "treatment": "gradual"}, "gradual_prunings 0: expected at least"),
        ({"gradual_share": 1.0, "treatment": "gradual"}, "gradual_share 1.0: expected a share"),
        ({"rewind_step": 4, "treatment": "none"}, "rewind_step 4 is of another criterion or"),
        ({"score_batches": 4}, "score_batches 4 is of another criterion or treatment"),
        (
            {"criterion": "nothing", "treatment": "gradual"},
            "dense-gradual.*is lr_rewind without pruning; expected that",
        ),
        ({"criterion": "nothing", "scope": "layerwise"}, "nothing is pruned, so it has no scope"),
        ({"granularity": "channel", "scope": "erk"}, "takes weights of the next kernel too"),
        ({"granularity": "channel_l2", "scope": "dense_0=0.5"}, "expected global or layerwise"),
        ({"granularity": "2:4"}, "leaves every layer the same share"),
        ({"granularity": "4:8", "scope": "erk"}, "expected the scope layerwise"),
        (
            {"granularity": "2:4", "scope": "layerwise", "treatment": "gradual"},
            "2:4 has one sparsity, and no others on the way to it that gradual could prune to",
        ),
        (
            {"granularity": "2:4", "scope": "layerwise", "treatment": "rigl"},
            "rigl brings back single weights, which breaks up what 2:4 removes together; leave out",
        ),
        ({"granularity": "channel", "treatment": "set"}, "set brings back single weights"),
        ({"granularity": "channel_l2", "treatment": "straight_through"}, "single weights"),
        ({"criterion": "nothing", "treatment": "rigl"}, "dense-rigl.*is rewind without pruning"),
        ({"mask_updates": 0, "treatment": "set"}, "mask_updates 0: expected at least 1"),
        ({"drop_share": 0.0, "treatment": "rigl"}, "drop_share 0.0: expected a share of the"),
        ({"drop_share": 0.5, "treatment": "straight_through"}, "drop_share 0.5 is of another"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(InputError, match=message):
        Technique(**arguments)


@pytest.mark.parametrize("output", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_end_layers_are_part_of_the_technique(
    output, first, model, variables, mask, initial, batches
):
    technique = Technique("magnitude", output=output, first=first)
    prune = jax.jit(pruner(technique, model, no_loss))
    after = prune(variables, mask, initial, batches, jax.random.key(0), jnp.array([10]))
    assert bool(after["output"]["kernel"].all()) is not output
    assert bool(after["dense_0"]["kernel"].all()) is not first
    ends = "-output" * output + "-skipfirst" * (not first)
    assert technique.name == f"magnitude-global-rewind{ends}"
    assert Technique.parse(technique.name) == technique


def test_channels_may_spare_the_first_layer(model, variables, mask, initial, batches):
    technique = Technique(granularity="channel", first=False)
    prune = jax.jit(pruner(technique, model, no_loss))
    after = prune(variables, mask, initial, batches, jax.random.key(0), jnp.array([18]))
    assert bool(after["dense_0"]["kernel"].all())
    assert after["dense_1"]["bias"].tolist().count(True) == 3  # of 5 channels of 6 weights
    assert (after["output"]["kernel"].all(axis=1) == after["dense_1"]["bias"]).all()


def test_layers_by_hand(model, variables, mask, initial, batches):
    technique = Technique.parse("magnitude-dense_1=0.5-rewind")
    kept = quota(technique.scope, 0.9, technique.shapes(model))
    assert kept.tolist() == [54, 15]
    prune = jax.jit(pruner(technique, model, no_loss))
    after = prune(variables, mask, initial, batches, jax.random.key(0), jnp.asarray(kept))
    assert int(after["dense_1"]["kernel"].sum()) == 15
    assert bool(after["dense_0"]["kernel"].all())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("magnitude-dense_7=0.5-rewind", "unknown prunable layer .* 'dense_7'.*'dense_"),
        ("magnitude-output=0.5-rewind", "unknown prunable layer"),
        ("magnitude-layerwise-2:4-rewind", "layer dense_0 has 9 inputs, no multiple of 4"),
        ("magnitude-layerwise-2:4-rewind-skipfirst", "layer dense_1 has 6 inputs"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(name, message, model):
    with pytest.raises(InputError, match=message):
        Technique.parse(name).check_fits(model)


def test_nothing_left_to_prune_is_refused():
    two_layers = build("mlp", (3, 3, 1), 4, widths=(6,))
    with pytest.raises(InputError, match="no layer of this model is left"):
        Technique(first=False).check_fits(two_layers)


TECHNIQUES = [
    *(Technique(criterion) for criterion in CRITERIA),
    *(Technique(scope=scope) for scope in SCOPES),
    *(Technique(scope="layerwise", granularity=granularity) for granularity in GRANULARITIES),
    *(Technique(granularity=name) for name, row in GRANULARITIES.items() if row.channels),
    Technique("saliency", "dense_0=0.5,dense_1=0.9"),
    Technique("fisher", "layerwise", "channel", first=False),
]


@pytest.mark.parametrize(
    "technique", dict.fromkeys(TECHNIQUES), ids=lambda technique: technique.name
)
def test_techniques_prune_one_network_and_many_alike(technique, batches, wide):
    """In float64: which of two weights is pruned is then a matter of rounding to one in 1e8."""
    model = build("mlp", (3, 8, 1), 4, widths=(8, 5), dtype="float64")
    batches = wide(batches)._replace(images=jnp.tile(batches.images, (1, 1, 1, 3, 1))[..., :8, :])
    prune = jax.jit(pruner(technique, model, no_loss))
    quotas = jnp.asarray(quota(technique.scope, 0.5, technique.shapes(model)))
    keys = jax.random.split(jax.random.key(3), 2)
    members, initial = (wide(jax.jit(jax.vmap(model.init))(k)) for k in (keys, keys[::-1]))
    masks = jax.jit(jax.vmap(full_mask))(members.params)
    many = jax.jit(jax.vmap(prune, in_axes=(0, 0, 0, None, 0, None)))(
        members, masks, initial, batches, keys, quotas
    )
    for row in range(2):
        *one, expected = (
            jax.tree.map(lambda leaf, row=row: leaf[row], tree)
            for tree in (members, masks, initial, many)
        )
        alone = prune(*one, batches, keys[row], quotas)
        assert jax.tree.all(jax.tree.map(jnp.array_equal, alone, expected))


def test_treatments_start_from_what_they_say():
    initial, trained, fresh = (
        Variables({"w": jnp.full(1, value)}, {"mean": jnp.full(1, -value)})
        for value in (1.0, 2.0, 3.0)
    )
    starts = {name: row.start(initial, trained, fresh) for name, row in TREATMENTS.items()}
    from_trained = dict.fromkeys(("finetune", "lr_rewind", "gradual", "none"), trained)
    dynamic = dict.fromkeys(("set", "rigl", "straight_through"), initial)
    assert starts == {**from_trained, **dynamic, "rewind": initial, "reinit": fresh}
    assert [n for n, row in TREATMENTS.items() if not row.full_learning_rate] == ["finetune"]
    assert [n for n, row in TREATMENTS.items() if not row.trains] == ["none"]
    assert [n for n, row in TREATMENTS.items() if row.rewinds] == ["rewind", *dynamic]
    assert [n for n, row in TREATMENTS.items() if row.mask_update] == [*dynamic]
    assert [n for n, row in TREATMENTS.items() if row.gradual] == ["gradual"]
    assert [n for n, row in TREATMENTS.items() if not row.takes] == ["none"]
    assert {n: row.unpruned for n, row in TREATMENTS.items() if row.unpruned} == {
        "gradual": "lr_rewind",
        **dict.fromkeys(dynamic, "rewind"),
    }


@pytest.mark.parametrize("treatment", TREATMENTS.values(), ids=TREATMENTS)
def test_fresh_variables_are_drawn_for_treatments_that_start_from_them(treatment):
    rewound, trained, fresh = Variables({}, {"at": 0}), Variables({}, {"at": 1}), Variables({}, {})
    start = treatment.start(rewound, trained, fresh)
    assert (start is fresh) == treatment.begins_anew
