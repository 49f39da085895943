"""JSON documents, for other programs."""

import json
import math
from collections.abc import Mapping
from typing import Any

import xarray as xr


def print_json(document: Any) -> None:
    """One JSON document on standard output; what is not a number is null."""
    # In one go and on one line: json's fast encoder knows no indent.
    print(json.dumps(_without_nan(document), allow_nan=False))


def print_answer(results: xr.DataTree, answer: Mapping[str, Any]) -> None:
    """An answer about a study as one JSON document, after what says which study it is.

    And which split, where it is another than the test split.
    """
    told = "path", "fingerprint", "complete", "split"
    head = {key: results.attrs[key] for key in told if key in results.attrs}
    print_json({**head, **answer})


def point_rows(points: xr.Dataset) -> list[dict[str, Any]]:
    """Operating points as JSON types; what has classes or estimates is keyed by their names."""
    names = [
        str(name)
        for name in (*points.coords, *points.data_vars)
        if name not in points.dims and "point" in points[name].dims
    ]
    columns = {name: keyed(points[name].transpose("point", ...), 1) for name in names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def keyed(values: xr.DataArray, listed: int = 0) -> Any:
    """An array as nested dicts by the names on its axes, the first ones as lists."""
    names = [list(map(str, values[dim].values)) for dim in values.dims[listed:]]

    def nested(part: Any, depth: int) -> Any:
        if depth == values.ndim:
            return part
        inner = [nested(each, depth + 1) for each in part]
        return inner if depth < listed else dict(zip(names[depth - listed], inner, strict=True))

    return nested(values.values.tolist(), 0)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
