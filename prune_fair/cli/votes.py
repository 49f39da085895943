"""`prune-fair exemplars`."""

from typing import Annotated

import numpy as np
import tyro
import xarray as xr

from prune_fair import analysis, console
from prune_fair.cli.flags import StudyPath, by_task, opened, tasks_of
from prune_fair.data import TEST


def exemplars(
    study: StudyPath,
    technique: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None,
    level: int | None = None,
    top: int = 10,
    json: bool = False,
    distance: float = analysis.DISTANCE,
    confidence: float = analysis.CONFIDENCE,
    split: str = TEST,
) -> None:
    """Test images on which pruned networks and dense ones disagree, of a study with --predictions.

    Args:
        study: directory that an experiment wrote.
        technique: this technique only.
        level: whose images to show; the last finished one where it is not given.
        top: images to show of each technique.
        json: print one JSON document, with every class.
        distance: taxicab distance, in (0, 2], from which an image counts as distant.
        confidence: of the intervals of the over-index, in (0, 1), all classes together.
        split: whose images numbers are of: test, validation, or a shift such as noise@3.
    """
    results = opened(study, split)
    tables = by_task(
        results, lambda node: analysis.exemplars(node, technique, distance, confidence)
    )
    images = {name: _images(node, tables[name], level, top) for name, node in tasks_of(results)}
    if json:
        asked = {"distance": distance, "confidence": confidence}
        tasks = {
            name: {
                **console.exemplar_rows(table),
                "images": {
                    technique: {"level": level, "exemplars": console.image_rows(part)}
                    for technique, (level, part) in images[name].items()
                },
            }
            for name, table in tables.items()
        }
        return console.print_answer(results, {**asked, "tasks": tasks})
    screen = console.make_console()
    for name, table in tables.items():
        console.print_exemplars(screen, name, table)
        console.print_exemplar_images(screen, images[name])
    return console.print_exemplar_caveats(screen, results, confidence)


def _images(
    results: xr.Dataset, table: xr.Dataset, level: int | None, top: int
) -> dict[str, tuple[int, xr.Dataset]]:
    """The farthest exemplars of each technique, at the level asked for or its last finished one."""
    chosen = {}
    for row, name in enumerate(table["technique"].values.tolist()):
        finished = np.flatnonzero(table["seeds"].values[row])
        at = (int(finished[-1]) if len(finished) else 0) if level is None else level
        chosen[name] = at, analysis.exemplar_images(results, name, at, top)
    return chosen
