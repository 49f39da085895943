"""Every plot, drawn from one study: what the pictures look like, at the width of a column.

Purpose   look at all plots at once, after a change of one or of the study
Command   make gallery, or python experiments/gallery.py [--study DIR] [--out DIR] [--help]
Hardware  1 CPU core, 1 GiB of memory
Time      half a minute
Expected  studies/quickstart/figures/gallery: eleven pictures, one more of a study with calibration
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tyro
import xarray as xr

from prune_fair import DataConfig, analysis, open_study, plots
from prune_fair.config import from_json


def gallery(study: Path = Path("studies/quickstart"), out: Path | None = None) -> None:
    """Draws every plot of a study's first task.

    Args:
        study: directory that an experiment wrote, with predictions.
        out: where the pictures go; figures/gallery of the study if not given.
    """
    results = open_study(study).leaves[0].to_dataset()
    for name, picture in pictures(results):
        path = plots.save(picture, (out or study / "figures" / "gallery") / f"{name}.png")
        print(f"picture  {path}")


def pictures(results: xr.Dataset) -> Iterator[tuple[str, Any]]:
    """Every picture, by its name."""
    technique, last = str(results["technique"].values[0]), results.sizes["level"] - 1
    data = json.loads(results.attrs["config"])["data"]
    images = from_json(DataConfig, data).load().test_images
    chosen = analysis.select(results)
    yield "overview", plots.overview(results)
    yield "recalls", plots.recalls(results)
    yield "frontier", plots.frontier(results, chosen=chosen)
    yield "recall", plots.recall(results, technique)
    yield "recall_change", plots.recall_change(results, technique)
    yield "who_is_hurt", plots.who_is_hurt(results, technique)
    yield "layer_sparsities", plots.layer_sparsities(results, technique)
    yield "multiplicity", plots.multiplicity(results, technique)
    if "reliability" in results:
        yield "reliability", plots.reliability(results, technique)
    yield "exemplars", plots.exemplars(results, images, technique, last)
    if results.sizes["technique"] > 1:
        yield "ranking", plots.ranking(results)


if __name__ == "__main__":
    tyro.cli(gallery)
