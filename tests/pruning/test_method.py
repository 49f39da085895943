import jax
import jax.numpy as jnp
import pytest

from prune_fair.errors import InputError
from prune_fair.pruning import TREATMENTS, Method, all_methods, pruner
from prune_fair.types import Variables


def test_names_are_parsed_back():
    methods = all_methods()
    assert len({method.name for method in methods}) == len(methods)
    assert [Method.parse(method.name) for method in methods] == list(methods)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("magnitud-global-rewind", "did you mean 'magnitude-global-rewind'"),
        ("magnitude-global-channel-rewind-output", "unknown method"),
        ("", "unknown method ''"),
    ],
)
def test_unknown_method(name, message):
    with pytest.raises(InputError, match=message):
        Method.parse(name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"criterion": "magnitudes"}, "unknown criterion 'magnitudes': did you mean 'magnitude'"),
        ({"scope": "local"}, "unknown scope 'local'"),
        ({"granularity": "block"}, "unknown granularity 'block'"),
        ({"treatment": "reset"}, "unknown treatment 'reset'"),
        ({"granularity": "channel", "output": True}, "channels are the classes"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(InputError, match=message):
        Method(**arguments)


def test_output_layer_is_part_of_the_method(model, variables, mask, batch):
    for output in (False, True):
        method = Method("magnitude", output=output)
        prune = jax.jit(pruner(method, model))
        after = prune(variables, mask, batch, jax.random.key(0), jnp.array([10]))
        assert bool(after["output"]["kernel"].all()) is not output
        assert (model.layers[-1] in method.prunable(model.layers)) is output


@pytest.mark.parametrize(
    "method", [m for m in all_methods() if m.treatment == "rewind"], ids=lambda method: method.name
)
def test_every_method_prunes_one_network_and_many_alike(method, model, mask, batch):
    prune, quotas = jax.jit(pruner(method, model)), jnp.full(3, 12)
    keys = jax.random.split(jax.random.key(3), 2)
    members = jax.jit(jax.vmap(model.init))(keys)
    masks = jax.tree.map(lambda leaf: jnp.stack([leaf] * 2), mask)
    many = jax.jit(jax.vmap(prune, in_axes=(0, 0, None, 0, None)))(
        members, masks, batch, keys, quotas
    )
    for row in range(2):
        member, expected = (
            jax.tree.map(lambda leaf, row=row: leaf[row], t) for t in (members, many)
        )
        alone = prune(member, mask, batch, keys[row], quotas)
        assert jax.tree.all(jax.tree.map(jnp.array_equal, alone, expected))


def test_treatments_start_from_what_they_say():
    initial, trained, fresh = (
        Variables({"w": jnp.full(1, value)}, {"mean": jnp.full(1, -value)})
        for value in (1.0, 2.0, 3.0)
    )
    starts = {name: row.start(initial, trained, fresh) for name, row in TREATMENTS.items()}
    assert starts == {"finetune": trained, "rewind": initial, "reinit": fresh}
    assert not TREATMENTS["finetune"].full_learning_rate
