"""What was done and measured, and what the words mean with their sources; as text."""

import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from prune_fair import analysis
from prune_fair.data import GIVEN
from prune_fair.datasets import COMPLEXITY
from prune_fair.fairness import EVERY_CLASS, METRICS
from prune_fair.report.card import Card, TaskCard
from prune_fair.report.origin import spoken, without_marks
from prune_fair.words.metrics import described
from prune_fair.words.numbers import counted, percent, significant

EVERYWHERE = ("accuracy", "accuracy_change", "recall_group_min", EVERY_CLASS)


class Definition(NamedTuple):
    """A word, what it means here, and where that is from."""

    word: str
    meaning: str
    source: str


def study_in_words(card: Card) -> str:
    """A study in a line: its tasks, and how many networks of which kinds."""
    task = card.tasks[0]
    words = [task.name if len(card.tasks) == 1 else counted(len(card.tasks), "task")]
    controls = [*map(controls_of, card.tasks)]
    words.append(counted(len(task.techniques) - len(controls[0]), "technique"))
    words += [counted(len(names), "control") for names in controls[:1] if names]
    words.append(counted(task.levels, "pruned level"))
    words.append(networks_in_words(task))
    pruned = sum(
        (len(each.techniques) - len(names)) * each.levels * each.seeds
        for each, names in zip(card.tasks, controls, strict=True)
    )
    words.append(counted(pruned, "pruned network"))
    if not card.origin.complete:
        words.append("still running")
    return " \N{MIDDLE DOT} ".join(words)


def controls_of(task: TaskCard) -> list[str]:
    """The names of the controls among a task's techniques."""
    own = analysis.controls(task.answers.results)
    return [str(name) for name in own["technique"].values[own.values]]


def treated_in_words(task: TaskCard) -> str:
    """By how many techniques each network is pruned, and at how many levels; and the controls."""
    controls, levels = controls_of(task), counted(task.levels, "level")
    techniques = counted(len(task.techniques) - len(controls), "technique")
    line = f"each pruned by {techniques} at {levels}"
    if not controls:
        return line
    return f"{line}; of {', '.join(controls)}, which are controls, nothing is pruned"


def networks_in_words(task: TaskCard) -> str:
    """How many networks of each kind there are, and where the dense ones are from."""
    if task.model["name"].startswith(GIVEN):
        return f"{counted(task.seeds, 'trained network')} handed over"
    return counted(task.seeds, "seed")


def model_in_words(task: TaskCard) -> str:
    """The architecture and its layers in forward order."""
    name, layers = task.model["name"], f"layers {', '.join(task.layers)}"
    if name.startswith(GIVEN):
        return f"{name.removeprefix(GIVEN)}, handed over; {layers}"
    fields = "; ".join(f"{field} {value}" for field, value in settings(task.model))
    return f"{fields}; {layers}"


def complexity_in_words() -> str:
    """What the column of complexity is."""
    return spoken(COMPLEXITY[analysis.DEFAULT_COMPLEXITY])[0]


def report_command(card: Card) -> str:
    """The command that writes this card, the study's directory by its name."""
    words = ["prune-fair", "report", card.study]
    words += [word for stated in card.require for word in ("--require", stated)]
    if card.maximise != analysis.SPARSITY:
        words += ["--maximise", card.maximise]
    if card.certify:
        words.append("--certify")
    if card.confidence != analysis.CONFIDENCE:
        words += ["--confidence", f"{card.confidence:g}"]
    return shlex.join(words)


def data_in_words(data: Mapping[str, Any]) -> str:
    """A dataset and what was done to it before anything was trained."""
    words = [data["name"]]
    if data.get("classes"):
        words.append(f"classes {', '.join(data['classes'])} only")
    if data.get("downsample", 1) > 1:
        words.append(f"means of {data['downsample']}x{data['downsample']} pixels")
    if data.get("imbalance_factor", 1) > 1:
        words.append(f"cut to a long tail of factor {data['imbalance_factor']:g}")
    if data.get("keep"):
        kept = ", ".join(f"{name} at {significant(part)}" for name, part in data["keep"].items())
        words.append(f"training images kept by fraction: class {kept}")
    if data.get("label_noise"):
        words.append(
            f"{percent(data['label_noise'])} of the training labels replaced by wrong ones"
        )
    if data.get("groups"):
        words.append(f"test images grouped by {data['groups']}")
    return "; ".join(words)


def settings(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The fields of a config that say something, in words."""
    shown = {name: value for name, value in fields.items() if value not in ([], {}, "", None)}
    return [
        (
            name.replace("_", " "),
            ", ".join(map(str, value)) if isinstance(value, list) else str(value),
        )
        for name, value in shown.items()
    ]


def definitions(card: Card) -> list[Definition]:
    """The words that the card uses."""
    names = dict.fromkeys(EVERYWHERE)
    for task in card.tasks:
        names |= dict.fromkeys(task.decision.columns)
    rows = [
        Definition(
            "sparsity",
            "fraction of the prunable weights that are removed, counted from the masks; biases, "
            "and the output layer unless the technique says so, are not prunable",
            "",
        ),
        Definition("dense network", "a seed's network at level 0, before any pruning", ""),
    ]
    rows += [
        Definition(
            name,
            f"{described(name)}; of each network, then averaged",
            without_marks(METRICS[name].source),
        )
        for name in names
        if name != analysis.SPARSITY
    ]
    measure = analysis.DEFAULT_COMPLEXITY
    return [
        *rows,
        Definition("complexity", *spoken(COMPLEXITY[measure])),
        *WORDS,
    ]


WORDS = (
    Definition(
        "recall change",
        "recall of a class less that of the dense network of the same seed, in points of percent, "
        "averaged over seeds",
        "",
    ),
    Definition(
        "interval",
        "of classes, accuracy and the smallest of the classes' mean changes over seeds and test "
        "images, where it is known what each network says of each image; of other numbers a "
        "percentile bootstrap over seeds, paired: all techniques and levels see the same draws",
        "Owen 2007, for both; Clopper & Pearson 1934 and Newcombe 1998, where few images tell; "
        "Efron & Tibshirani 1993, chapters 6 and 13, for seeds",
    ),
    Definition(
        "noise floor",
        "what a control changes: a network of the same seed that is retrained as those of a "
        "technique are, as often, and of which nothing is pruned",
        "",
    ),
    Definition(
        "training steps",
        "batches that a network was trained on, with those of every network it comes from",
        "",
    ),
    Definition(
        "p (Holm)",
        "Welch's test that a class is hit otherwise than all classes together, corrected for all "
        "classes and levels of the technique",
        "Hooker et al. 2019, arXiv 1911.05248, who do not correct; Welch 1947; Holm 1979",
    ),
    Definition(
        "frontier",
        "the points that no other is at least as good as in every objective and better in one",
        "Deb 2001, section 2.4",
    ),
    Definition(
        "hypervolume",
        "the volume that a technique's points dominate above a reference point, corrected for the "
        "optimism of noisy frontiers",
        "Zitzler & Thiele 1999; Efron & Tibshirani 1993, chapter 10",
    ),
    Definition(
        "Kendall's tau",
        "how far two orders agree: 1 the same, -1 the reverse",
        "Kendall 1945, tau-b",
    ),
    Definition(
        "exemplar",
        "a test image whose modal label, the one that most networks give, differs between pruned "
        "and dense networks",
        "Hooker et al. 2019, arXiv 1911.05248",
    ),
    Definition(
        "churn",
        "the share of test images to which two networks give different classes, here the mean over "
        "all pairs of seeds",
        "Milani Fard et al. 2016",
    ),
    Definition(
        "ambiguity, discrepancy",
        "of the networks of one technique and level, one a seed: the share of test images on which "
        "not all agree, and the largest on which two of them differ",
        "Marx, Calmon & Ustun 2020",
    ),
    Definition(
        "rare class",
        "one with less than half as many training images as the median class",
        "",
    ),
)
