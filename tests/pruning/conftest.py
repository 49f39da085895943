import jax
import pytest

from prune_fair.models import build
from prune_fair.pruning import full_mask
from prune_fair.types import Batch


@pytest.fixture(scope="session")
def model():
    return build("mlp", (3, 3, 1), 4, widths=(6, 5))


@pytest.fixture(scope="session")
def variables(model):
    return jax.jit(model.init)(jax.random.key(0))


@pytest.fixture(scope="session")
def params(variables):
    return variables.params


@pytest.fixture(scope="session")
def apply(model):
    return model.in_evaluation({})


@pytest.fixture(scope="session")
def mask(params):
    return full_mask(params)


@pytest.fixture(scope="session")
def batch():
    keys = jax.random.split(jax.random.key(7))
    images = jax.random.normal(keys[0], (16, 3, 3, 1))
    return Batch(images, jax.random.randint(keys[1], (16,), 0, 4))
