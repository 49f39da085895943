"""Functions that somebody else wrote, read and rewritten by what JAX traces of them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import jax
from jax.extend import core
from jaxtyping import Array, PyTree

Convolution: TypeAlias = Callable[..., Array]
CONVOLUTION = "conv_general_dilated"
PLAIN_LAYOUT = jax.lax.ConvDimensionNumbers((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
PLAIN = {  # of a convolution as `flax.linen.Conv` asks for it, beside strides and padding
    "dimension_numbers": PLAIN_LAYOUT,
    "batch_group_count": 1,
    "feature_group_count": 1,
    "lhs_dilation": (1, 1),
    "rhs_dilation": (1, 1),
}
PRODUCTS = ("dot_general", CONVOLUTION)
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


def with_convolution(function: Callable[..., Any], convolution: Convolution) -> Callable[..., Any]:
    """The same function, its plain two-dimensional convolutions computed in another way.

    Those of images (n, h, w, c) with kernels (h, w, in, out), without groups and dilations. Others
    stay, and so do those within loops and conditions.

    Args:
        function: pure, of trees of arrays.
        convolution: of images, kernel, strides and padding, as `lowering.banded_convolution`.

    Example:
        >>> import jax.numpy as jnp
        >>> double = with_convolution(lambda x: 2 * x, jax.lax.conv_general_dilated)
        >>> double(jnp.ones(2)).tolist()
        [2.0, 2.0]
    """

    def run(*arguments: Any) -> Any:
        traced, gives = jax.make_jaxpr(function, return_shape=True)(*arguments)
        leaves = _run(traced, jax.tree.leaves(arguments), convolution)
        return jax.tree.unflatten(jax.tree.structure(gives), leaves)

    return run


def _run(traced: core.ClosedJaxpr, arguments: Sequence[Any], convolution: Convolution) -> list[Any]:
    """What a traced function gives, equation by equation."""
    known = dict(zip(traced.jaxpr.constvars, traced.consts, strict=True))
    known |= zip(traced.jaxpr.invars, arguments, strict=True)

    def value(variable: Any) -> Any:
        return variable.val if isinstance(variable, core.Literal) else known[variable]

    for equation in traced.jaxpr.eqns:
        taken, params = list(map(value, equation.invars)), equation.params
        if _is_plain(equation):
            strides, pads = params["window_strides"], params["padding"]
            given = [convolution(*taken, strides, pads, dimension_numbers=PLAIN_LAYOUT)]
        elif equation.primitive.name in ("jit", "pjit"):
            given = _run(params["jaxpr"], taken, convolution)
        else:
            variables = [each for each in equation.invars if not isinstance(each, core.Literal)]
            given = core.jaxpr_as_fun(_alone(traced.jaxpr, equation, variables))(
                *map(value, variables)
            )
        known |= zip(equation.outvars, given, strict=True)
    return list(map(value, traced.jaxpr.outvars))


def _alone(jaxpr: core.Jaxpr, equation: Any, variables: Sequence[Any]) -> core.ClosedJaxpr:
    """A program of this equation and nothing else."""
    program = jaxpr.replace(
        constvars=(), invars=variables, outvars=equation.outvars, eqns=[equation]
    )
    return core.ClosedJaxpr(program, ())


def _is_plain(equation: Any) -> bool:
    """Whether it is a convolution that another way of computing knows."""
    return equation.primitive.name == CONVOLUTION and all(
        equation.params[name] == wanted for name, wanted in PLAIN.items()
    )


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
