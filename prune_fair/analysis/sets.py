"""Sets of networks: those of one technique and level, one a seed."""

import xarray as xr

from prune_fair.analysis.per_network import SPARSITY, failed
from prune_fair.errors import unknown


def of_technique(results: xr.Dataset, technique: str | None) -> xr.Dataset:
    """The results of one technique only, where it is asked for.

    Raises:
        InputError: for an unknown technique.
    """
    techniques = results["technique"].values.tolist()
    if technique is None:
        return results
    if technique not in techniques:
        raise unknown("technique", technique, techniques)
    return results.isel(technique=[techniques.index(technique)])


def networks_of_sets(results: xr.Dataset) -> dict[str, xr.DataArray]:
    """By technique and level: finished `networks`, `failures` among them, mean `sparsity`.

    And `control`: whether none of them is pruned though the level is not 0.
    """
    sparsity, known = results[SPARSITY], results[SPARSITY].notnull()
    return {
        "networks": known.sum("seed"),
        "failures": (failed(results) & known).sum("seed"),
        "control": (sparsity.max("seed") == 0) & (results["level"] > 0),
        "sparsity": sparsity.mean("seed"),
    }
