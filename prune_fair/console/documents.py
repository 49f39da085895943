"""JSON documents, for other programs."""

import json
import math
import sys
from typing import Any

import xarray as xr


def print_json(document: Any) -> None:
    """One JSON document on standard output; what is not a number is null."""
    json.dump(_without_nan(document), sys.stdout, indent=1, allow_nan=False)
    sys.stdout.write("\n")


def point_rows(points: xr.Dataset) -> list[dict[str, Any]]:
    """Operating points as JSON types; what has classes or estimates is keyed by their names."""
    return [
        {
            str(name): keyed(point[name])
            for name in (*point.coords, *point.data_vars)
            if name not in point.dims
        }
        for point in (points.isel(point=index) for index in range(points.sizes["point"]))
    ]


def keyed(values: xr.DataArray) -> Any:
    """An array as JSON types, keyed by the names of its dimensions in turn."""
    if not values.dims:
        return values.item()
    dim = values.dims[0]
    return {str(key): keyed(values.sel({dim: key})) for key in values[dim].values}


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
