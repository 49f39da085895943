"""The images on which pruned networks and dense ones disagree."""

import numpy as np
import xarray as xr
from jaxtyping import UInt8
from matplotlib.axes import Axes

from prune_fair import analysis
from prune_fair.errors import check
from prune_fair.plots import densities, style
from prune_fair.words.numbers import sparsity as sparsity_in_percent

COLUMNS = 6
LINE = 1.3 * style.SMALL  # points


def exemplars(
    results: analysis.Results,
    images: UInt8[np.ndarray, "n h w c"],
    technique: str | None = None,
    level: int | None = None,
    *,
    count: int = 12,
    axes: Axes | None = None,
) -> Axes:
    """Test images that most pruned networks give another class than most dense ones.

    Those come first whose votes have moved farthest. Above each image is its class, and what dense
    and what pruned networks mostly say.

    Args:
        results: one task's results, of a study with predictions.
        images: the test images, in their order.
        technique: None for the first.
        level: None for the sparsest level at which mean accuracy is within 1 point of the dense
            networks', at least 1.
        count: the most images to show.
        axes: to draw into; None for a new picture.

    Returns:
        The Axes. Where there is no such image, they say so.

    Raises:
        InputError: for results without predictions, images that are not as many as voted on, an
            unknown technique, a level that is not there or not finished, or a count below 1.

    Example:
        >>> from prune_fair import DataConfig, open_example
        >>> images = DataConfig("digits").load().test_images
        >>> axes = exemplars(open_example()["digits/mlp"], images, level=6)
        >>> axes.get_title(loc="left").splitlines()[0]
        'magnitude-global-rewind at 97.2 % sparsity'
    """
    name, own = style.one_technique(results, technique)
    check(count >= 1, f"count {count}: expected at least 1")
    sparsity = densities.mean_sparsity(own)
    level = style.at_level(own, level)
    chosen = analysis.exemplar_images(own, name, level, count)
    at = float(sparsity.values[0, level])
    check(bool(np.isfinite(at)), f"level {level} of {name}: no network is finished there yet")
    voted = own.sizes["image"]
    check(
        images.ndim == 4 and len(images) == voted,
        f"images of shape {images.shape}: expected the {voted} test images that networks voted on",
    )
    shown = chosen.sizes["exemplar"]
    rows = max(1, -(-shown // COLUMNS))
    axes = style.canvas(axes, height=0.45 + 1.15 * rows)
    axes.grid(visible=False)
    axes.set_axis_off()
    axes.set_title(
        f"{name} at {sparsity_in_percent(at)} % sparsity\nclass: modal label, dense → pruned",
        fontsize=style.TEXT, loc="left",
    )  # fmt: skip
    if not shown:
        axes.text(0, 0.5, "no image changes its modal label here", fontsize=style.TEXT)
        return axes
    cell = style.width_of(axes) / COLUMNS
    texts = _texts(chosen, letters=int(cell / (0.55 * style.SMALL)))
    room = LINE * (1 + texts[0].count("\n")) / cell
    for place, text in enumerate(texts):
        row, column = divmod(place, COLUMNS)
        top = row * (1 + room) + room
        _draw(axes, images[chosen["image"].values[place]], column, top)
        axes.text(column + 0.5, top, text, ha="center", va="bottom", fontsize=style.SMALL)
    axes.set_xlim(-0.05, COLUMNS + 0.05)
    axes.set_ylim(rows * (1 + room), 0)
    axes.set_aspect("equal", anchor="NW")
    return axes


def _draw(axes: Axes, image: UInt8[np.ndarray, "h w c"], left: int, top: float) -> None:
    """One image, in a cell of size 1."""
    image = image if image.shape[-1] == 3 else image.mean(axis=-1)
    extent = (left + 0.04, left + 0.96, top + 0.96, top + 0.04)
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, extent=extent, interpolation="nearest")


def _texts(exemplars: xr.Dataset, letters: int) -> list[str]:
    """What stands above each image: in a line where all are short enough, else in three."""
    rows = list(zip(*(exemplars[key].values for key in ("true", "dense", "pruned")), strict=True))
    whole = [f"{true}: {dense} → {pruned}" for true, dense, pruned in rows]
    if max(map(len, whole)) <= letters:
        return [style.plain(text) for text in whole]
    short = [[style.plain(name, max(3, letters - 4)) for name in row] for row in rows]
    return [f"{true}:\n{dense}\n→ {pruned}" for true, dense, pruned in short]
