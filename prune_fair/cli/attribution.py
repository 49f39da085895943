"""`prune-fair attribute`."""

from typing import Any

import xarray as xr

from prune_fair import analysis, console
from prune_fair.cli.flags import StudyPath, opened
from prune_fair.data import TEST
from prune_fair.words.attribution import attribution_in_words, term_rows

MODELS = {
    "known_before_training": analysis.BASELINE,
    "at_equal_dense_recall": tuple(analysis.COVARIATES),
}


def attribute(
    study: StudyPath,
    complexity: str = analysis.DEFAULT_COMPLEXITY,
    sparsity: float | None = None,
    confidence: float = analysis.CONFIDENCE,
    techniques: tuple[str, ...] = (),
    json: bool = False,
    split: str = TEST,
) -> None:
    """What the change of a class's recall goes with: its share, its complexity, its dense recall.

    Args:
        study: directory that an experiment wrote.
        complexity: a measure of the classes' images, or dense_margin.
        sparsity: where effects are given; the study's sparsest level up to 0.95 if not said.
        confidence: of the intervals, in (0, 1).
        techniques: whose networks to average; all of them if not said.
        json: print one JSON document.
        split: whose images numbers are of: test, validation, or a shift such as noise@3.
    """
    results = opened(study, split)
    tables = {
        name: analysis.attribute(results, complexity, sparsity, confidence, covariates, techniques)
        for name, covariates in MODELS.items()
    }
    if json:
        models = {name: _document(table) for name, table in tables.items()}
        return console.print_answer(results, {"models": models})
    screen = console.make_console()
    for name, table in tables.items():
        console.print_attribution(screen, name.replace("_", " "), table)
    return console.print_split(screen, results)


def _document(table: xr.Dataset) -> dict[str, Any]:
    terms, words = term_rows(table), attribution_in_words(table)
    return {**table.attrs, "terms": terms, "sentences": words}
