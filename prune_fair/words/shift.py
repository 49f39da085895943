"""Who loses under distribution shift and sparsity together: cells of tables, and what they say."""

import xarray as xr

from prune_fair.data import TEST
from prune_fair.words.numbers import change, counted, estimate, fixed, of_confidence

COLUMNS = (
    "test images", "dense recall,\nmean, in %", "mean change,\nin points",
    "beyond clean ones,\nin points", "worst class", "its change,\nin points",
    "beyond clean ones,\nin points",
)  # fmt: skip


def shift_cells(row: xr.Dataset) -> tuple[str, ...]:
    """A technique's level on one split, as `analysis.under_shift` has it: `COLUMNS`."""
    split, worst = str(row["split"].item()), str(row["worst_class"].item())
    own = row.sel(true=worst)
    clean = split == TEST
    told = row["mean_change"], row["mean_interaction"], own["change"], own["interaction"]
    all_by, beyond, its, its_beyond = (change(estimate(each)) for each in told)
    dense = fixed(100 * row["dense_recall"].item(), 1)
    return (
        "clean" if clean else split,
        dense,
        all_by,
        "" if clean else beyond,
        worst,
        its,
        "" if clean else its_beyond,
    )


def legend(seeds: int, classes: int, confidence: float) -> str:
    """What the numbers of these tables are.

    Example:
        >>> print(legend(2, 10, 0.95).partition(". ")[0])
        Changes are of recall, since the dense network of the same seed on the same images
    """
    said = (
        "Changes are of recall, since the dense network of the same seed on the same images. "
        "Beyond clean ones: minus the change of the same networks on the clean test images, below "
        "0 where pruning costs more under the shift. Where the dense networks have little right, "
        "there is little to lose."
    )
    if seeds < 3:
        return f"{said} There are no intervals: {counted(seeds, 'seed')}, at least 3 are needed."
    return (
        f"{said} [low, high]: {of_confidence(confidence)} intervals over {seeds} seeds; those of a "
        f"class hold for all {classes} classes of a row together. They are not over images."
    )
