"""An audit: a network that somebody else trained, pruned and judged as a study's networks are."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr
from jaxtyping import PyTree

from prune_fair.config import DataConfig, ModelConfig, RecipeConfig, StudyConfig, TaskConfig
from prune_fair.datasets import from_arrays
from prune_fair.errors import check, lookup, unknown
from prune_fair.models import Apply, ApplyTrain, Given, check_alike, given
from prune_fair.pruning import FROM_INITIAL, TREATMENTS, Method, Schedule
from prune_fair.store import DENSE, checkpoint_folder, load_tree, open_study, read_study, save_tree
from prune_fair.study import Progress, Subject, carry_out, silent
from prune_fair.training import network
from prune_fair.training.images import Pixels
from prune_fair.training.plan import Plan, PlanConfig, use_every_core
from prune_fair.types import GIVEN, Dataset, Variables

Data = DataConfig | Dataset | Mapping[str, np.ndarray]
PIXELS = ("unit", "standardised")
METHODS = (
    "magnitude-global-none",
    "magnitude-layerwise-none",
    "saliency-global-none",
)
SPARSITIES = (0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98)
SCHEDULE = Schedule("one-shot", sparsities=SPARSITIES)


@dataclass(frozen=True)
class AuditConfig(StudyConfig):
    """A study of networks that were handed over; its seeds are these networks.

    Attributes:
        pixels: how bytes reach the network: `unit`, from 0 to 1, or `standardised`, with mean 0 and
            deviation 1 by channel over the training images, as studies train. Floats stay as they
            are.
        networks_sha256: of all numbers of the networks, so that a directory holds one audit.
        retrains: whether a recipe was given.

    Raises:
        InputError: as `StudyConfig`, and for methods that need what only training here would know.
    """

    pixels: str = "unit"
    networks_sha256: str = ""
    retrains: bool = False

    def __post_init__(self) -> None:
        lookup(dict.fromkeys(PIXELS), self.pixels, "pixels")
        for method in map(Method.parse, self.methods):
            self._check_method(method)
        for task in self.tasks:
            images = task.recipe.recalibrate_images
            check(images == 0, f"recalibrate_images {images}: a handed-over network cannot; use 0")
        super().__post_init__()

    def _check_method(self, method: Method) -> None:
        refused, treatment = f"method {method.name!r}: ", TREATMENTS[method.treatment]
        check(
            method.criterion not in FROM_INITIAL,
            f"{refused}{method.criterion} looks at the initialisation, which an audit does not "
            "have; use another criterion",
        )
        check(
            not treatment.rewinds and method.treatment != "reinit",
            f"{refused}{method.treatment} starts from an initialisation, which an audit does not "
            "have; use none, finetune, lr_rewind or gradual",
        )
        check(
            self.retrains or not treatment.trains,
            f"{refused}{method.treatment} trains, and no recipe is given; give one, or use none",
        )
        check(
            method.granularity == "unstructured",
            f"{refused}{method.granularity} needs to know which way a kernel lies and what reads "
            "its channels; an audit prunes single weights",
        )


def audit(
    apply: Apply,
    networks: PyTree,
    data: Data,
    path: str | Path,
    *,
    name: str = "network",
    methods: Sequence[str] = METHODS,
    schedule: Schedule = SCHEDULE,
    recipe: RecipeConfig | None = None,
    pixels: str = "unit",
    apply_train: ApplyTrain | None = None,
    plan: PlanConfig = PlanConfig(),
    progress: Progress = silent,
) -> xr.DataTree:
    """Prunes trained networks of your own with many methods to many sparsities, and counts.

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
        methods: as `Method.parse` takes them; with the treatment `none` where no recipe is given.
        schedule: the sparsities; one-shot, each from the dense network, unless said otherwise.
        recipe: how pruned networks are trained on, where a method's treatment trains.
        pixels: `unit` or `standardised`, how bytes reach `apply`.
        apply_train: as `apply`, giving logits and new variables, in training; without it training
            runs `apply`, and BatchNorm's running statistics stay as they are.
        plan: what is asked of the plan that lays networks over the machine.
        progress: told of networks as they are finished.

    Returns:
        The results, as `open_study` gives them.

    Raises:
        InputError: for networks that do not fit `apply` or each other, images of a wrong shape,
            labels without an output, methods that an audit cannot do, or a directory that cannot
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
        >>> asked = {"methods": ["magnitude-global-none-output"], "schedule": schedule}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     results = audit(nearest, [{"kernel": centres}], digits, folder, **asked)
        >>> results["arrays/network"].sparsity.values.round(2).tolist()
        [[[0.0, 0.5, 0.9]]]
    """
    use_every_core()
    dataset, architecture = prepare(apply, networks, data, apply_train)
    standardise = pixels == "standardised"
    scaled = Pixels.of(dataset) if standardise else Pixels.as_they_are(dataset[0].shape[-1])
    check(
        plan.dtype == "float32",
        f"plan's dtype {plan.dtype}: an audited network computes in its own; leave it out",
    )
    data = data if isinstance(data, DataConfig) else DataConfig(f"{GIVEN}arrays")
    task = TaskConfig(data, ModelConfig(f"{GIVEN}{name}"), recipe or RecipeConfig())
    config = AuditConfig(
        tasks=(task,),
        methods=tuple(methods),
        schedule=schedule,
        seeds=len(networks),
        seeds_per_piece=len(networks),
        votes=True,
        pixels=pixels,
        networks_sha256=_digest(networks),
        retrains=recipe is not None,
    )
    lowered = partial(given, apply, networks[0], dataset[0].shape[1:], apply_train)
    taken = [architecture.take(variables) for variables in networks]
    dense = jax.tree.map(lambda *leaves: np.stack(list(map(np.asarray, leaves))), *taken)

    def made(plan: Plan) -> network.Task:
        """As a study's, of the network that was handed over."""
        model, classes = lowered(plan.lowering).model, len(dataset.class_names)
        shared = task.recipe, len(dataset.train_labels), classes, plan.shuffling
        return network.Task(model, scaled, *shared, len(dataset.group_names), votes=True)

    subject = Subject(dataset, architecture.model, made, dense)
    return carry_out(config, path, lambda: {task.name: subject}, _for_audits(plan), progress)


def _for_audits(plan: PlanConfig) -> PlanConfig:
    """The plan where networks are looked at more than trained.

    On CPU one at a time, whose convolutions XLA computes best itself; docs/performance.md has the
    measurements.
    """
    if jax.default_backend() != "cpu":
        return plan
    return replace(plan, lowering=plan.lowering or "mixed", chunk=plan.chunk or 1)


def prepare(
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
    if isinstance(data, Mapping):
        shape = np.shape(data.get("x_test", ()))[1:]
        shape = (*shape, 1) if len(shape) == 2 else shape
        check(len(shape) == 3, f"x_test has images of {shape}: expected arrays (n, h, w[, c])")
        architecture = given(apply, networks[0], shape, apply_train)
        dataset = from_arrays(data, classes=architecture.classes, as_they_are=True)
    else:
        dataset = data.load() if isinstance(data, DataConfig) else data
        shape = dataset.train_images.shape[1:]
        architecture = given(apply, networks[0], shape, apply_train)
    for number, variables in enumerate(networks[1:], 1):
        check_alike(variables, networks[0], f"network {number}")
    _check_outputs(dataset, architecture.classes)
    return dataset, architecture


def _check_outputs(dataset: Dataset, outputs: int) -> None:
    """Raises `InputError` unless a dataset's classes are the network's outputs."""
    last, classes = max(map(np.max, (dataset[1], dataset[3]))), len(dataset.class_names)
    check(
        last < outputs == classes,
        f"labels run up to {last} of {classes} classes, and the network has {outputs} outputs; "
        f"expected labels 0 to {outputs - 1}, one for each output",
    )


def _digest(networks: Sequence[PyTree]) -> str:
    """SHA-256 over all numbers of networks and the names they have in their trees."""
    total = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(list(networks)):
        array = np.ascontiguousarray(leaf)
        named = jax.tree_util.keystr(path), array.dtype.str, array.shape
        total.update(repr(named).encode() + array.tobytes())
    return total.hexdigest()


def export(
    path: str | Path,
    method: str,
    level: int,
    folder: str | Path,
    architecture: Given,
) -> list[Path]:
    """Writes the pruned networks of an audit's method and level as Orbax checkpoints.

    Each holds `variables`, a tree as it was handed over with the removed weights at zero, and
    `mask`, one like it that is True where a number remains.

    Args:
        path: the audit's directory.
        method: one of its methods, or `dense`.
        level: of its schedule.
        folder: for a single network's checkpoint; of several it holds one each, by seed.
        architecture: the second that `prepare` gives.

    Returns:
        The checkpoints.

    Raises:
        InputError: for a method or level that is not there, or a directory that is no audit.
    """
    results = open_study(path)
    config = read_study(path)["config"]
    check("networks_sha256" in config, f"{path}: no audit; expected one that `audit` wrote")
    node = results.leaves[0].to_dataset()
    task = results.leaves[0].path.strip("/")
    methods, levels = node["method"].values.tolist(), node["level"].values.tolist()
    if method not in (*methods, DENSE):
        raise unknown("method", method, [*methods, DENSE])
    check(level in levels, f"level {level}: expected 0 to {levels[-1]}")
    check((level == 0) == (method == DENSE), f"level {level} of {method}: level 0 is {DENSE}")
    saved = load_tree(checkpoint_folder(path, task, 0, level))[method]
    written = []
    for seed in range(node.sizes["seed"]):
        own = jax.tree.map(lambda leaf, seed=seed: leaf[seed], saved)
        target = Path(folder) / str(seed) if node.sizes["seed"] > 1 else Path(folder)
        save_tree(target, _as_handed_over(architecture, own))
        written.append(target)
    return written


def _as_handed_over(architecture: Given, saved: Mapping[str, Any]) -> dict[str, PyTree]:
    """A network's variables and mask as trees like those that `apply` takes."""
    state, mask = saved.get("state") or {}, saved["mask"]
    kept = jax.tree.map(lambda leaf: np.ones(np.shape(leaf), bool), state)
    params = jax.tree.map(lambda leaf, kept: np.where(kept, leaf, 0), saved["params"], mask)
    give = architecture.give
    return {"variables": give(Variables(params, state)), "mask": give(Variables(mask, kept))}
