"""Networks that lost a layer, and with it their input: they fail every class, as diverged ones do.

A diverged network is counted so when the study is run. What is left of a network whose layer has no
weight depends on its architecture: where all goes through that layer it gives every image one
class, which is no success of that class; past a skip connection it may be as good as before.
"""

import numpy as np
import xarray as xr
from jaxtyping import Bool, Int

from prune_fair.fairness import all_wrong
from prune_fair.store import MEMBERS

COUNTED = ("confusion", "group_confusion")


def count_failures(table: xr.Dataset) -> xr.Dataset:
    """The results of one split, in which networks cut off from their input fail every class.

    Those are networks that lost a layer (`collapsed`) and give the images of all classes one class.
    Others keep their counts. Done twice it changes nothing more.
    """
    if "collapsed" not in table or not table["collapsed"].any():
        return table
    counts = table["confusion"].transpose(*MEMBERS, "true", "predicted")
    cut_off = table["collapsed"].transpose(*MEMBERS).values & _one_class(counts.values)
    changed = {name: _failing(table[name], cut_off) for name in COUNTED if name in table}
    return table.assign(changed) if cut_off.any() else table


def is_sound(table: xr.Dataset, name: str) -> xr.DataArray:
    """Where no network failed and a metric is defined for every finished network.

    Args:
        table: as `operating_points` gives it.
        name: one of its metrics, or `sparsity`.
    """
    lost = table["diverged"] + table["collapsed"]
    return (lost == 0) & (table["undefined"].sel(metric=name) == 0)


def _one_class(
    counts: Int[np.ndarray, "*networks classes classes"],
) -> Bool[np.ndarray, "*networks"]:
    """Which networks give images of several classes one and the same."""
    of, said = (np.count_nonzero(counts.sum(axis=axis), axis=-1) for axis in (-1, -2))
    return (of > 1) & (said == 1)


def _failing(counts: xr.DataArray, cut_off: Bool[np.ndarray, "*networks"]) -> xr.DataArray:
    counts = counts.transpose(*MEMBERS, ..., "true", "predicted")
    shown = cut_off.reshape(*cut_off.shape, *(1,) * (counts.ndim - 3))
    return counts.copy(data=np.where(shown, all_wrong(counts.values), counts.values))
