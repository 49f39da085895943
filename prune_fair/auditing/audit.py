"""An audit: a network that somebody else trained, pruned and judged as a study's networks are."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import PyTree

from prune_fair.auditing.config import AuditConfig
from prune_fair.config import DataConfig, ModelConfig, RecipeConfig, TaskConfig
from prune_fair.data import GIVEN, SPLITS, Dataset
from prune_fair.datasets import from_arrays, with_shifts
from prune_fair.engine.images import Pixels
from prune_fair.engine.machine import set_up_jax
from prune_fair.engine.plan import Plan, PlanConfig
from prune_fair.engine.task import Task
from prune_fair.errors import check
from prune_fair.models import Apply, ApplyTrain, Given, check_alike, given
from prune_fair.pruning import Schedule, Technique
from prune_fair.study import Progress, Subject, carry_out, silent
from prune_fair.types import leaves_by_path

Data = DataConfig | Dataset | Mapping[str, np.ndarray]
TECHNIQUES = (
    "magnitude-global-none",
    "magnitude-layerwise-none",
    "saliency-global-none",
)
SPARSITIES = (0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98)
SCHEDULE = Schedule("one-shot", sparsities=SPARSITIES)
HANDED_OVER = "dataset (x_ are its images, y_ its labels, g_ its groups)"


def audit(
    apply: Apply,
    networks: PyTree,
    data: Data,
    path: str | Path,
    *,
    name: str = "network",
    techniques: Sequence[str] = TECHNIQUES,
    schedule: Schedule = SCHEDULE,
    recipe: RecipeConfig | None = None,
    pixels: str = "unit",
    apply_train: ApplyTrain | None = None,
    plan: PlanConfig = PlanConfig(),
    progress: Progress = silent,
) -> xr.DataTree:
    """Prunes trained networks of your own with many techniques to many sparsities, and counts.

    Writes a study's directory, or goes on where it holds this audit half done; `metrics`,
    `frontier`, `select` and the report take its results as those of any study. From 3 networks on
    intervals are over networks; of a single one they are over test images, which
    `analysis.uncertainty` says of the results.

    Args:
        apply: a pure function of variables and images (n, h, w, c) float32 to logits (n, classes)
            in evaluation: Flax Linen's `module.apply`, NNX by `nnx.split` and `nnx.merge`, or plain
            JAX.
        networks: a list of the variables of trained networks of that architecture; one is enough.
        data: a dataset of ours, or arrays x_train, y_train, x_test, y_test (and class_names) as
            `datasets.from_arrays` takes them, floats of any range. Training images are what
            gradients of a criterion are taken on, and what sizes of classes are counted in.
        path: the directory.
        name: what to call the architecture in the results.
        techniques: as `Technique.parse` takes them; with the treatment `none` where no recipe is
            given.
        schedule: the sparsities; one-shot, each from the dense network, unless said otherwise.
        recipe: how pruned networks are trained on, where a technique's treatment trains.
        pixels: `unit` or `standardised`, how bytes reach `apply`.
        apply_train: as `apply`, giving logits and new variables, in training; without it training
            runs `apply`, and BatchNorm's running statistics stay as they are.
        plan: what is asked of the plan that lays networks over the machine.
        progress: told of networks as they are finished.

    Returns:
        The results, as `open_study` gives them.

    Raises:
        InputError: for networks that do not fit `apply` or each other or are not finite, images of
            a wrong shape,
            labels without an output, techniques that an audit cannot do, or a directory that cannot
            be used.

    Example:
        >>> import tempfile
        >>> from prune_fair import datasets
        >>> digits = datasets.load("digits")
        >>> means = [digits.train_images[digits.train_labels == c].mean(0) for c in range(10)]
        >>> centres = np.stack(means, axis=-1).reshape(64, 10).astype(np.float32) / 255
        >>> def nearest(variables, images):
        ...     kernel, flat = variables["kernel"], images.reshape(len(images), 64)
        ...     return flat @ kernel - (kernel**2).sum(0, keepdims=True) / 2
        >>> schedule = Schedule("one-shot", sparsities=(0.5, 0.9))
        >>> asked = {"techniques": ["magnitude-global-none-output"], "schedule": schedule}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     results = audit(nearest, [{"kernel": centres}], digits, folder, **asked)
        >>> results["arrays/network"].sparsity.values.round(2).tolist()
        [[[0.0, 0.5, 0.9]]]
    """
    set_up_jax()
    data = data.as_trained_on() if isinstance(data, DataConfig) else data
    dataset, architecture = _prepare(apply, networks, data, apply_train)
    standardise = pixels == "standardised"
    scaled = Pixels.of(dataset) if standardise else Pixels.as_they_are(dataset[0].shape[-1])
    check(
        plan.dtype == "float32",
        f"plan's dtype {plan.dtype}: an audited network computes in its own; leave it out",
    )
    if not isinstance(data, DataConfig):
        data = DataConfig(f"{GIVEN}arrays", shift=dataset.shifts)
    task = TaskConfig(data, ModelConfig(f"{GIVEN}{name}"), recipe or RecipeConfig())
    config = AuditConfig(
        tasks=(task,),
        techniques=tuple(techniques),
        schedule=schedule,
        seeds=len(networks),
        seeds_per_piece=len(networks),
        predictions=True,
        pixels=pixels,
        networks_sha256=digest_of(networks),
    )
    _check_recipe(techniques, recipe)
    subject = _subject(dataset, architecture, networks, task.recipe, scaled)
    return carry_out(config, path, lambda: {task.node: subject}, plan, progress)


def _subject(
    dataset: Dataset,
    architecture: Given,
    networks: Sequence[PyTree],
    recipe: RecipeConfig,
    pixels: Pixels,
) -> Subject:
    """What a study is about whose dense networks are these."""
    taken = [architecture.take(variables) for variables in networks]
    dense = jax.tree.map(lambda *leaves: np.stack(list(map(np.asarray, leaves))), *taken)

    def made(plan: Plan) -> Task:
        """As a study's, of the network that was handed over."""
        model, counts = architecture.model(plan.lowering), tuple(dataset.train_count().tolist())
        shared = recipe, counts, plan.shuffling, len(dataset.group_names)
        own = dataset.counted, dataset.train_group_count()
        return Task(model, pixels, *shared, True, *own)

    return Subject(dataset, architecture.model(), made, dense)


def _check_recipe(techniques: Sequence[str], recipe: RecipeConfig | None) -> None:
    """Raises `InputError` for a technique that trains where nothing says how."""
    for technique in map(Technique.parse, techniques):
        check(
            recipe is not None or not technique.retraining.trains,
            f"technique {technique.name!r}: {technique.treatment} trains, and no recipe is given; "
            "give one, or use none",
        )


def _prepare(
    apply: Apply, networks: PyTree, data: Data, apply_train: ApplyTrain | None = None
) -> tuple[Dataset, Given]:
    """An audit's images and its architecture, known to fit each other.

    Raises:
        InputError: as `audit`.
    """
    check(
        not isinstance(networks, Mapping) and len(networks) > 0,
        f"networks are a {type(networks).__name__}: expected a list of the variables of each "
        "trained network, [variables] for one",
    )
    if isinstance(data, DataConfig):
        dataset = data.load()
        architecture = given(apply, networks[0], dataset.train_images.shape[1:], apply_train)
    else:
        handed = isinstance(data, Dataset)
        source, arrays = (HANDED_OVER, _arrays_of(data)) if handed else ("arrays", data)
        groups = "g" if handed and data.group_names else ""
        shape = np.shape(arrays.get("x_test", ()))[1:]
        shape = (*shape, 1) if len(shape) == 2 else shape
        check(len(shape) == 3, f"x_test has images of {shape}: expected arrays (n, h, w[, c])")
        architecture = given(apply, networks[0], shape, apply_train)
        dataset = from_arrays(arrays, source, groups, architecture.classes, as_they_are=True)
        dataset = with_shifts(dataset, data.shifts if isinstance(data, Dataset) else ())
    for number, variables in enumerate(networks):
        check_alike(variables, networks[0], f"network {number}")
        _check_finite(variables, f"network {number}")
    _check_outputs(dataset, architecture.classes)
    return dataset, architecture


def _arrays_of(dataset: Dataset) -> dict[str, np.ndarray]:
    """A dataset's arrays as `from_arrays` takes them, which sees whether they fit each other.

    Groups of training images, which may be unknown and no audit counts, are left out.
    """
    arrays = {
        f"{letter}_{part}": array
        for part in ("train", *SPLITS)
        for letter, array in zip("xyg", dataset.part(part), strict=True)
        if array is not None
    }
    arrays.pop("g_train", None)
    names = {"class_names": dataset.class_names, "group_names": dataset.group_names}
    return {**arrays, **{key: np.array(each, str) for key, each in names.items()}}


def _check_finite(variables: PyTree, source: str) -> None:
    """Raises `InputError` for a network with numbers that are NaN or infinite."""
    arrays = {path: np.asarray(leaf) for path, leaf in leaves_by_path(variables).items()}
    lost = {
        path: np.count_nonzero(~np.isfinite(array))
        for path, array in arrays.items()
        if jnp.issubdtype(array.dtype, jnp.inexact)
    }
    broken = [path for path, count in lost.items() if count]
    check(
        not broken,
        f"{source}: {sum(lost.values()):,} numbers are NaN or infinite, the first in "
        f"{(broken or [''])[0]!r}; expected a trained network whose numbers are all finite",
    )


def _check_outputs(dataset: Dataset, outputs: int) -> None:
    """Raises `InputError` unless a dataset's classes are the network's outputs."""
    last, classes = max(map(np.max, (dataset[1], dataset[3]))), len(dataset.class_names)
    check(
        last < outputs == classes,
        f"labels run up to {last} of {classes} classes, and the network has {outputs} outputs; "
        f"expected labels 0 to {outputs - 1}, one for each output",
    )


def digest_of(networks: Sequence[PyTree]) -> str:
    """SHA-256 over all numbers of networks and the names they have in their trees.

    Example:
        >>> digest_of([{"kernel": np.zeros(2)}])[:8]
        'a93ee108'
    """
    total = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(list(networks)):
        array = np.ascontiguousarray(leaf)
        named = jax.tree_util.keystr(path), array.dtype.str, array.shape
        total.update(repr(named).encode() + array.tobytes())
    return total.hexdigest()
