"""Which parameters of a function are kernels: what its products multiply, in forward order."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend import core
from jaxtyping import PyTree

PRODUCTS = ("dot_general", "conv_general_dilated")
CONSTANT, MIXED = -1, -2  # beside the position of the only leaf that a value comes from


def kernel_leaves(function: Callable[..., Any], variables: PyTree, images: Any) -> list[int]:
    """Positions among the leaves of `variables` of those that a product multiplies.

    A leaf counts where a matrix product or convolution takes it, alone or after what involves no
    other leaf and no image, such as a cast or a transposition. They are in the order of their first
    use, which is the forward order of what JAX traces.

    Args:
        function: of variables and images.
        variables: their tree, of arrays or shapes.
        images: likewise.

    Example:
        >>> import jax.numpy as jnp
        >>> variables = {"scale": jnp.ones(()), "w": jnp.zeros((4, 3))}
        >>> kernel_leaves(lambda v, x: v["scale"] * (x @ v["w"]), variables, jnp.zeros((2, 4)))
        [1]
    """
    traced = jax.make_jaxpr(function)(variables, images).jaxpr
    leaves = len(jax.tree.leaves(variables))
    sources = [*range(leaves), *[MIXED] * (len(traced.invars) - leaves)]
    found: dict[int, None] = {}
    _follow(traced, sources, found)
    return [*found]


def _follow(jaxpr: core.Jaxpr, sources: Sequence[int], found: dict[int, None]) -> list[int]:
    """What the outputs come from; adds to what is found on the way."""
    known: dict[Any, int] = dict(zip(jaxpr.invars, sources, strict=True))

    def source(variable: Any) -> int:
        return CONSTANT if isinstance(variable, core.Literal) else known.get(variable, CONSTANT)

    for equation in jaxpr.eqns:
        taken = [source(variable) for variable in equation.invars]
        if equation.primitive.name in PRODUCTS:
            found.update(dict.fromkeys(each for each in taken if each >= 0))
            given = [MIXED]
        else:
            inner = [
                _follow(part, taken[len(taken) - len(part.invars) :], found)
                for part in _programs(equation)
            ]
            given = inner[-1] if inner else [_joined(taken)]
        if len(given) != len(equation.outvars):
            given = [_joined(given)] * len(equation.outvars)
        known |= zip(equation.outvars, given, strict=True)
    return [source(variable) for variable in jaxpr.outvars]


def _programs(equation: Any) -> list[core.Jaxpr]:
    """The programs within an equation.

    Each takes the last operands: what is not handed on, a condition's index or a loop's other
    constants, stands first.
    """
    parts = jax.tree.leaves(
        [*equation.params.values()], is_leaf=lambda part: isinstance(part, core.ClosedJaxpr)
    )
    programs = [getattr(part, "jaxpr", part) for part in parts]
    return [
        program
        for program in programs
        if isinstance(program, core.Jaxpr) and len(program.invars) <= len(equation.invars)
    ]


def _joined(sources: Sequence[int]) -> int:
    """What a value comes from that is made of values from these."""
    others = {*sources} - {CONSTANT}
    return CONSTANT if not others else others.pop() if len(others) == 1 else MIXED
