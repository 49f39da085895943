"""Results made by hand."""

import numpy as np
import pytest
import xarray as xr


def results_of(recalls: np.ndarray, images: int = 1000) -> xr.Dataset:
    """Results whose networks have these recalls (method, seed, level, class)."""
    right = np.round(recalls * images).astype(np.int32)
    classes = recalls.shape[-1]
    confusion = np.zeros((*recalls.shape, classes), np.int32)
    for c in range(classes):
        confusion[..., c, c] = right[..., c]
        confusion[..., c, (c + 1) % classes] = images - right[..., c]
    members = ("method", "seed", "level")
    levels = recalls.shape[2]
    sparsity = np.broadcast_to(1 - 0.5 ** np.arange(levels), recalls.shape[:3])
    names = [f"c{c}" for c in range(classes)]
    return xr.Dataset(
        {
            "confusion": ((*members, "true", "predicted"), confusion),
            "sparsity": (members, sparsity),
        },
        {
            "method": [f"m{i}" for i in range(len(recalls))],
            "level": range(levels),
            "true": names,
            "predicted": names,
        },
    )


@pytest.fixture(name="results_of")
def results_of_fixture():
    """`results_of`, for the tests."""
    return results_of


@pytest.fixture
def by_hand():
    """Two methods, four seeds, three levels, two classes; class c1 falls, c0 rises a little."""
    recall = np.array(
        [
            [[0.9, 0.8], [0.905, 0.79], [0.9, 0.70]],
            [[0.9, 0.8], [0.90, 0.77], [0.5, 0.3]],
        ]
    )
    noise = np.array([-0.01, 0.0, 0.0, 0.01])[None, :, None, None]
    return results_of(recall[:, None] + noise)
