"""What helps the classes that pruning hurts? Losses and criteria, each against the plain one.

Purpose   compare mitigations at matched sparsity, paired over seeds and test images
Command   python experiments/mitigation.py [--of losses | criteria] [--out DIR] [--seeds N] [--help]
Hardware  2 CPU cores, 3 GiB of memory
Time      three minutes: 32 dense and 3,456 pruned networks on two data sets; criteria, too
Expected  the recall of the class that is worst off rises with inverse_frequency, balanced_softmax
          and constrained at every sparsity; docs/findings.md has the table
"""

from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

from prune_fair.cli import hear_signals

if __name__ == "__main__":  # the imports below take seconds, in which a signal may come
    hear_signals()

import tyro
import xarray as xr

from prune_fair import (
    DataConfig,
    ModelConfig,
    RecipeConfig,
    Schedule,
    StudyConfig,
    TaskConfig,
    Technique,
    analysis,
    console,
    run_study,
)
from prune_fair.cli.endings import one_line_errors
from prune_fair.words.numbers import change, estimate

MITIGATIONS = (
    "inverse_frequency",
    "class_balanced@0.99",
    "balanced_softmax",
    "ldam",
    "focal",
    "class_dro",
    "distillation",
    "constrained",
)
PLAIN = ("magnitude-global-rewind", "undecayed-global-rewind")
CRITERIA = (
    "undecayed",
    "fisher",
    "balanced_saliency",
    "worst_class_saliency",
    "class_share",
    "class_quota",
    "fisher_difference",
)
LONG_TAIL = TaskConfig(
    DataConfig("fashion14", imbalance_factor=100.0),
    ModelConfig("mlp", widths=(64, 32)),
    RecipeConfig(epochs=60, batch_size=64, learning_rate=0.05),
    name="fashion14/long-tail",
)
DIGITS = TaskConfig(
    DataConfig("digits", keep={"3": 0.2, "8": 0.1}),
    ModelConfig("mlp", widths=(64, 32)),
    RecipeConfig(epochs=25, batch_size=64, learning_rate=0.1),
    name="digits/rare",
)


class Line(NamedTuple):
    """A row of the printed table: a mitigation at a level, against the plain technique."""

    technique: str
    sparsity: str
    accuracy: str
    worst_class: str
    calibration_error: str


def mitigation(
    of: Literal["losses", "criteria"] = "losses",
    out: Path | None = None,
    seeds: int = 16,
    epochs: int = 0,
) -> None:
    """Runs the study and prints what each loss changes against cross-entropy, or each criterion.

    Args:
        of: losses against cross-entropy, or criteria against magnitude.
        out: the study's directory; studies/mitigation-losses, or -criteria, if not given.
        seeds: networks trained of each task, each pruned with every technique.
        epochs: of each training; 0 for 60 on the long tail and 25 on digits.
    """
    with one_line_errors():
        config, out = study(seeds, epochs, of), out or Path(f"studies/mitigation-{of}")
        with console.progress(config.networks) as progress:
            results = run_study(config, out, progress=progress)
        screen = console.make_console()
        for name, node in ((leaf.path.strip("/"), leaf.to_dataset()) for leaf in results.leaves):
            lines = _lines(node)
            title = f"{name}: change against {AGAINST[of]} at the same sparsity, in points"
            console.print_rows(screen, title, Line._fields, lines)
        console.print_lines(screen, [CAPTION])


AGAINST = {"losses": "cross-entropy", "criteria": "magnitude"}
CAPTION = (
    "Accuracy; the recall of the class that is worst off on average over seeds; expected "
    "calibration error. In brackets: 95 % interval over seeds and test images, of the last over "
    "seeds; * where Holm's p over all rows of a column of a task is below 0.05."
)


def study(seeds: int, epochs: int = 0, of: str = "losses") -> StudyConfig:
    """The config: two tasks, six sparsities; two criteria by nine losses, or eight by two ends."""
    tasks = LONG_TAIL, DIGITS
    if epochs:
        tasks = tuple(replace(task, recipe=replace(task.recipe, epochs=epochs)) for task in tasks)
    techniques = PLAIN + tuple(f"{plain}+{loss}" for plain in PLAIN for loss in MITIGATIONS)
    if of == "criteria":
        criteria, ends = ("magnitude", *CRITERIA), ("none", "rewind")
        techniques = tuple(f"{each}-global-{end}" for end in ends for each in criteria)
    schedule = Schedule("one-shot", sparsities=(0.5, 0.8, 0.9, 0.95, 0.97, 0.98))
    return StudyConfig(
        tasks, techniques, schedule, seeds, seeds, predictions=True, calibration=True
    )


def changes(results: xr.Dataset) -> xr.Dataset:
    """What each technique changes against its plain one, as `analysis.against` gives it."""
    names = [str(name) for name in results["technique"].values]
    losses = any(Technique.parse(name).loss for name in names)
    plain = {name: _plain(Technique.parse(name), losses) for name in names}
    plain = {name: other for name, other in plain.items() if name != other}
    errors = {"ece": analysis.network_calibration(results)["ece"]}
    return analysis.against(results, plain, more=xr.Dataset(errors))


def _plain(technique: Technique, losses: bool) -> str:
    """The same technique with cross-entropy, or by magnitude."""
    changed = {"loss": ""} if losses else {"criterion": "magnitude"}
    return replace(technique, **changed).name


def _lines(results: xr.Dataset) -> list[Line]:
    table, sparsity = changes(results), results["sparsity"].isel(technique=0).mean("seed")
    return [
        Line(
            str(technique),
            f"{100 * sparsity.sel(level=level).item():.1f} %",
            *(
                _cell(table.sel(metric=metric, technique=technique, level=level))
                for metric in ("accuracy", "worst_class_recall", "ece")
            ),
        )
        for technique in table["technique"].values
        for level in table["level"].values
    ]


def _cell(found: xr.Dataset) -> str:
    return f"{change(estimate(found['difference']))}{'*' if found['p_holm'] < 0.05 else ''}"


if __name__ == "__main__":
    tyro.cli(mitigation)
