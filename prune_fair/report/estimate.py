"""A figure over seeds with its interval, as plain numbers."""

import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from prune_fair.analysis import ESTIMATES


class Estimate(NamedTuple):
    """A mean and the bounds of its interval; bounds are NaN where there is no interval."""

    mean: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is a mean."""
        return not math.isnan(self.mean)

    @property
    def bounded(self) -> bool:
        """Whether there is an interval."""
        return not math.isnan(self.low)

    @property
    def falls(self) -> bool:
        """Whether it is below 0: all of its interval, or the mean where there is none."""
        return (self.high if self.bounded else self.mean) < 0


def estimate(values: xr.DataArray) -> Estimate:
    """The estimate that an array along `estimate` holds."""
    return Estimate(*values.sel(estimate=list(ESTIMATES)).values.tolist())


def estimates(values: xr.DataArray, dim: str) -> list[Estimate]:
    """The estimates of an array along another axis and `estimate`."""
    rows = values.sel(estimate=list(ESTIMATES)).transpose(dim, "estimate").values
    return [Estimate(*row) for row in np.asarray(rows, float).tolist()]
