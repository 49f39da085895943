import jax
import pytest

from prune_fair.models import build
from prune_fair.pruning import full_mask
from prune_fair.types import Batch, Network


@pytest.fixture(scope="session")
def model():
    return build("mlp", (3, 3, 1), 4, widths=(6, 5))


@pytest.fixture(scope="session")
def variables(model):
    return jax.jit(model.init)(jax.random.key(0))


@pytest.fixture(scope="session")
def initial(model):
    """Of another key than `variables`, as if those were trained."""
    return jax.jit(model.init)(jax.random.key(5))


@pytest.fixture(scope="session")
def params(variables):
    return variables.params


@pytest.fixture(scope="session")
def apply(model):
    return model.in_evaluation({})


@pytest.fixture(scope="session")
def network(apply, params, mask, initial):
    return Network(apply, params, mask, initial.params, apply, lambda logits, labels: labels)


@pytest.fixture(scope="session")
def mask(params):
    return full_mask(params)


@pytest.fixture(scope="session")
def batches():
    """Two of eight images."""
    keys = jax.random.split(jax.random.key(7))
    images = jax.random.normal(keys[0], (2, 8, 3, 3, 1))
    return Batch(images, jax.random.randint(keys[1], (2, 8), 0, 4))
