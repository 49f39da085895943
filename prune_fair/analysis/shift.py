"""Who loses under distribution shift and sparsity together."""

import xarray as xr

from prune_fair.analysis.per_network import SPARSITY, check_dense, class_recall
from prune_fair.analysis.resampling import Results, as_dataset, shifts_of
from prune_fair.analysis.tables import CONFIDENCE, check_confidence, over_seeds
from prune_fair.data import TEST, shift_of
from prune_fair.errors import check


def under_shift(results: Results, confidence: float = CONFIDENCE) -> xr.Dataset:
    """What each class loses to pruning on test images under each shift, and beyond clean ones.

    A change is a network's recall minus that of the dense network of the same seed, on the same
    shifted images. The interaction is that change minus the change of the same networks on the
    clean test images: below 0 where pruning costs the class more under the shift.

    Args:
        results: one task's results, of a study with shifts.
        confidence: in (0, 1), of intervals over seeds: of a class's numbers for all classes of a
            technique, level and split together (Bonferroni), of others one by one.

    Returns:
        By technique, level, split (and true, estimate), where the splits are `test` and each shift:
        `recall`, `change` and `interaction` of each class; `mean_change` and `mean_interaction`,
        means over the classes; `worst_recall`, the mean over networks of the recall of each one's
        worst class; `worst_class`, the name of the class whose mean change is lowest. Also
        `dense_recall` (technique, split), the dense networks' mean over seeds and classes;
        `sparsity` (technique, level); and of each split `corruption` and `severity`, which is 0 for
        `test`. Interactions are 0 there. A class without images is NaN, and no mean counts it.

    Raises:
        InputError: for results without shifts or level 0, or a confidence outside (0, 1).

    Example:
        >>> from prune_fair import open_example
        >>> under_shift(open_example()["digits/mlp"])
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: no shift of the test images was counted: run the study with \
--data.shift, such as --data.shift noise blur@3
    """
    check_confidence(confidence)
    shifts = shifts_of(results)
    check(
        bool(shifts),
        "no shift of the test images was counted: run the study with --data.shift, such as "
        "--data.shift noise blur@3",
    )
    splits = [TEST, *shifts]
    tables = [as_dataset(results, split) for split in splits]
    check_dense(tables[0])
    by_split = xr.Variable("split", splits)
    recall = xr.concat([class_recall(each) for each in tables], by_split)
    change = recall - recall.isel(level=0, drop=True)
    interaction = change - change.sel(split=TEST, drop=True)
    each = 1 - (1 - confidence) / recall.sizes["true"]
    found = {
        "recall": over_seeds(recall, each),
        "change": over_seeds(change, each),
        "interaction": over_seeds(interaction, each),
        "mean_change": over_seeds(change.mean("true"), confidence),
        "mean_interaction": over_seeds(interaction.mean("true"), confidence),
        "worst_recall": over_seeds(recall.min("true"), confidence),
        "dense_recall": recall.isel(level=0, drop=True).mean(("true", "seed")),
        SPARSITY: tables[0][SPARSITY].mean("seed"),
    }
    order = "technique", "level", "split", "true", "estimate"
    table = xr.Dataset(found).drop_attrs().transpose(*order)
    lowest = table["change"].sel(estimate="mean", drop=True).fillna(2)  # more than any change
    named = [shift_of(split) for split in splits]
    worst = lowest.argmin("true")
    worst = worst.copy(data=table["true"].values[worst.values])
    return table.assign(worst_class=worst).assign_coords(
        corruption=("split", [corruption for corruption, _ in named]),
        severity=("split", [severity for _, severity in named]),
    )
