"""`prune-fair audit`: from a trained network and its images to a pruning card."""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from typing import Any

from jaxtyping import PyTree

from prune_fair import analysis, console
from prune_fair.analysis.rules import check_asked
from prune_fair.auditing import SCHEDULE, TECHNIQUES, check_export, digest_of
from prune_fair.auditing import audit as run_audit
from prune_fair.auditing import export as export_networks
from prune_fair.cli.choice import NOTHING_QUALIFIES, Repeated
from prune_fair.config import DataConfig, RecipeConfig
from prune_fair.engine.machine import set_up_jax
from prune_fair.engine.plan import PlanConfig
from prune_fair.errors import InputError, check
from prune_fair.pruning import Schedule
from prune_fair.store import entry_of, load_tree, shaped_as

RECIPE = RecipeConfig()


def audit(
    network: str,
    checkpoints: tuple[Path, ...],
    out: Path,
    data: DataConfig,
    entry: str = "",
    name: str = "network",
    pixels: str = "unit",
    techniques: tuple[str, ...] = TECHNIQUES,
    schedule: Schedule = SCHEDULE,
    recipe: RecipeConfig = RECIPE,
    require: Repeated = (),
    maximise: str = analysis.SPARSITY,
    certify: bool = False,
    confidence: float = analysis.CONFIDENCE,
    export: Path | None = None,
    force: bool = False,
    plan: PlanConfig = PlanConfig(),
) -> None:
    """Prunes a trained network of your own, and writes its pruning card.

    The exit status is 1 where no operating point qualifies; nothing is exported then.

    Args:
        network: module:factory. The factory takes nothing and gives `apply(variables, images)`, or
            a pair of that and a tree like the variables, where the checkpoint holds containers
            other than dicts and lists (NNX states). Modules of the working directory are found.
        checkpoints: Orbax checkpoints of trained networks of one architecture; one is enough.
        out: the study's directory; an audit that is there half done goes on.
        data: the images.
        entry: where in a checkpoint the variables are, such as state/params; all of it if empty.
        name: what to call the network in the results.
        pixels: how bytes reach the network: unit (0 to 1), or standardised by channel.
        techniques: criterion-scope-treatment, with the treatment none for no training.
        schedule: the sparsities.
        recipe: how pruned networks are trained on, where a technique's treatment trains.
        require: a constraint, such as "recall_group_min>=0.8"; may be given again. Without any,
            no class's mean recall may fall by more than 5 points.
        maximise: the metric to be best in, in its better direction, or sparsity.
        certify: one-sided bounds over seeds and images hold the constraints, not only means, at
            that confidence for all classes, points and techniques together.
        confidence: of the intervals, in (0, 1).
        export: new directory for the chosen network, pruned, and its mask, as an Orbax checkpoint.
        force: replace an earlier export of the same networks that is there.
        plan: what is asked of the plan that lays networks over the machine.
    """
    from prune_fair.report import card_files, write_card  # brings matplotlib

    asked = require or analysis.DEFAULT_REQUIRE
    known = {"networks": len(checkpoints), "groups": bool(data.groups)}
    check_asked(asked, maximise, confidence, certify, **known)
    set_up_jax()  # before the user's module makes an array
    apply, like = _found(network)
    networks = [_loaded(each, entry, like) for each in checkpoints]
    card_files(out)
    if export is not None:
        apart_from = {out: "the study's directory", **dict.fromkeys(checkpoints, "the checkpoint")}
        check_export(export, digest_of(networks), force, apart_from)
    pruned = len(techniques) * (len(schedule.sparsity_by_level()) - 1)
    with console.progress((pruned + 1) * len(networks)) as progress:
        results = run_audit(
            apply,
            networks,
            data,
            out,
            name=name,
            techniques=techniques,
            schedule=schedule,
            recipe=recipe,
            pixels=pixels,
            plan=plan,
            progress=progress,
        )
    written = write_card(out, asked, maximise, confidence, certify=certify)
    (task,) = written.card.tasks
    screen, choice = console.make_console(), task.answers.choice
    console.print_choice(screen, task.name, choice, task.answers.cross_fit)
    if task.answers.groups is not None:
        console.print_groups(screen, choice, task.answers.groups)
    console.print_caveats(screen, results, confidence, choice.shown, True)
    screen.print(f"card     {written.html}", soft_wrap=True)
    if choice.chosen is None:
        raise SystemExit(NOTHING_QUALIFIES)
    if export is not None:
        point = choice.points.isel(point=choice.chosen)
        chosen = point["technique"].item(), point["level"].item()
        for folder in export_networks(out, *chosen, export, apply, networks[0], force=force):
            screen.print(f"network  {folder}", soft_wrap=True)


def _loaded(checkpoint: Path, entry: str, like: PyTree | None) -> PyTree:
    """The variables of a checkpoint, in the containers of a tree where there is one."""
    tree = entry_of(load_tree(checkpoint), entry, str(checkpoint))
    return tree if like is None else shaped_as(tree, like, str(checkpoint))


def _found(network: str) -> tuple[Callable[..., Any], PyTree | None]:
    """What a `module:factory` gives: a function, and the tree of its variables where it says so."""
    module, colon, factory = network.partition(":")
    expected = "expected module:factory, such as my_network:factory, in the working directory"
    check(bool(module and colon and factory), f"network {network!r}: {expected}")
    named = all(word.isidentifier() for word in (*module.split("."), factory))
    check(named, f"network {network!r}: {expected}")
    sys.path.insert(0, here := str(Path.cwd()))
    try:
        with _users_code(f"network {network!r}: importing {module} raises"):
            try:
                imported = importlib.import_module(module)
            except ModuleNotFoundError as error:
                if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                    raise  # the user's module is there and lacks another
                raise InputError(f"network {network!r}: no module {module!r}; {expected}") from None
        check(
            hasattr(imported, factory),
            f"network {network!r}: {module} has no {factory!r}; {expected}",
        )
        found = getattr(imported, factory)
        check(callable(found), f"network {network!r}: {factory} cannot be called; {expected}")
        with _users_code(f"network {network!r}: {factory}() raises"):
            made: Any = found()
    finally:
        sys.path.remove(here)
    apply: Any = made
    like: PyTree | None = None
    if isinstance(made, tuple) and len(made) == 2:
        apply, like = made
    check(
        callable(apply),
        f"network {network!r}: {factory}() gives {type(apply).__name__}; expected a function of "
        "variables and images, or a pair of one and a tree of variables",
    )
    return apply, like


@contextmanager
def _users_code(what: str) -> Iterator[None]:
    """Says in one line what a user's own code raises, and in which of its lines."""
    try:
        yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        frames = [
            frame for frame in extract_tb(error.__traceback__) if "importlib" not in frame.filename
        ]
        file, line = frames[-1].filename, frames[-1].lineno
        if isinstance(error, SyntaxError):
            file, line = error.filename, error.lineno
        text = " ".join(str(error).split())[:300]
        raise InputError(
            f"{what} {type(error).__name__}: {text} ({file}, line {line}); correct it there"
        ) from error
