"""A study as a Zarr hierarchy: the metadata of its groups and arrays.

The metadata are made in memory, so that their digests are known before any of it is written, and
made again of the layouts where a file of them is damaged.
"""

import hashlib
import json
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.storage import MemoryStore

from prune_fair.store.layout import Layout

METADATA = "zarr.json"
TEXT = "string"
CODECS = (ZstdCodec(level=3), Crc32cCodec())


def metadata_files(
    layouts: Mapping[str, Layout], attributes: Mapping[str, Mapping[str, Any]]
) -> dict[str, bytes]:
    """Every `zarr.json` of a study, by its path from the study's directory.

    Those of all groups and arrays stand in the root's once more (consolidated), so that a reader
    lists no folders, which hold more than Zarr knows of.

    Args:
        layouts: of the tasks, by name.
        attributes: of the groups, by name; "" is the root.
    """
    written: dict[str, Any] = {}
    store = MemoryStore(written)
    root = zarr.create_group(store, zarr_format=3, attributes=dict(attributes.get("", {})))
    for task, layout in layouts.items():
        group = root.require_group(task)
        group.attrs.update(attributes.get(task, {}))
        for dim, labels in layout.coords().items():
            dtype = TEXT if labels.dtype.kind == "U" else "int64"
            _create(group, dim, dtype, (len(labels),), (max(1, len(labels)),), (dim,))
        for name, variable in layout.all_variables.items():
            array = _create(
                group,
                name,
                variable.dtype,
                layout.shape(variable),
                layout.chunks(variable),
                variable.dims,
                variable.missing,
            )
            array.attrs.update({"units": variable.unit, "description": variable.description})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Zarr warns that consolidated metadata are no standard yet
        zarr.consolidate_metadata(store)
    return {
        path: json.dumps(json.loads(text.to_bytes()), indent=1, sort_keys=True).encode()
        for path, text in sorted(written.items())
    }


def _create(
    group: zarr.Group,
    name: str,
    dtype: str,
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    dims: tuple[str, ...],
    missing: Any = None,
) -> zarr.Array:
    fill = {} if missing is None else {"fill_value": missing}
    return group.create_array(
        name,
        shape=shape,
        chunks=chunks,
        dtype=dtype,
        dimension_names=dims,
        compressors=CODECS,
        **fill,
    )


def as_written(values: np.ndarray) -> np.ndarray:
    """An array as Zarr takes it: text of any length."""
    return values.astype(np.dtypes.StringDType()) if values.dtype.kind == "U" else values


def digest_of(content: bytes) -> str:
    """SHA-256 of a file's content, as study.json has it of the metadata."""
    return hashlib.sha256(content).hexdigest()
