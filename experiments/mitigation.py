"""What helps the classes that pruning hurts? Eight losses against cross-entropy, at one sparsity.

Purpose   compare mitigations at matched sparsity, paired over seeds and test images
Command   python experiments/mitigation.py [--out DIR] [--seeds N] [--help]
Hardware  2 CPU cores, 3 GiB of memory
Time      three minutes: 32 dense and 3,456 pruned networks on two data sets
Expected  the recall of the class that is worst off rises with inverse_frequency, balanced_softmax
          and constrained at every sparsity; docs/findings.md has the table
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

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
    """A row of the printed table: a mitigation at a level, against cross-entropy."""

    technique: str
    sparsity: str
    accuracy: str
    worst_class: str
    calibration_error: str


def mitigation(out: Path = Path("studies/mitigation"), seeds: int = 16, epochs: int = 0) -> None:
    """Runs the study and prints what each loss changes against cross-entropy.

    Args:
        out: the study's directory.
        seeds: networks trained of each task, each pruned with every technique.
        epochs: of each training; 0 for 60 on the long tail and 25 on digits.
    """
    with one_line_errors():
        config = study(seeds, epochs)
        with console.progress(config.networks) as progress:
            results = run_study(config, out, progress=progress)
        screen = console.make_console()
        for name, node in ((leaf.path.strip("/"), leaf.to_dataset()) for leaf in results.leaves):
            lines = _lines(node)
            title = f"{name}: change against cross-entropy at the same sparsity, in points"
            console.print_rows(screen, title, Line._fields, lines)
        console.print_lines(screen, [CAPTION])


CAPTION = (
    "Accuracy; the recall of the class that is worst off on average over seeds; expected "
    "calibration error. In brackets: 95 % interval over seeds and test images, of the last over "
    "seeds; * where Holm's p over all rows of a column of a task is below 0.05."
)


def study(seeds: int, epochs: int = 0) -> StudyConfig:
    """The config: two tasks, two criteria, eight losses beside cross-entropy, six sparsities."""
    tasks = LONG_TAIL, DIGITS
    if epochs:
        tasks = tuple(replace(task, recipe=replace(task.recipe, epochs=epochs)) for task in tasks)
    techniques = PLAIN + tuple(f"{plain}+{loss}" for plain in PLAIN for loss in MITIGATIONS)
    schedule = Schedule("one-shot", sparsities=(0.5, 0.8, 0.9, 0.95, 0.97, 0.98))
    return StudyConfig(
        tasks, techniques, schedule, seeds, seeds, predictions=True, calibration=True
    )


def changes(results: xr.Dataset) -> xr.Dataset:
    """What each loss changes against cross-entropy, as `analysis.against` gives it."""
    names = [str(name) for name in results["technique"].values]
    plain = {name: name.partition("+")[0] for name in names if Technique.parse(name).loss}
    errors = {"ece": analysis.network_calibration(results)["ece"]}
    return analysis.against(results, plain, more=xr.Dataset(errors))


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
