"""Studies whose counts are drawn: a task of two classes, written without training."""

import itertools
from contextlib import contextmanager

import numpy as np

from prune_fair.store import MEMBERS, Layout, Variable, writing


def layout(seeds=1, levels=2, block=1, techniques=("m",), **options):
    """A small task: confusions of two classes, predictions of three images, and labels of these."""
    return Layout(
        {"technique": list(techniques), "true": ["a", "b"], "predicted": ["a", "b"]},
        {"seed": seeds, "level": levels, "image": 3},
        block,
        {
            "confusion": Variable((*MEMBERS, "true", "predicted"), "int32", 0, "images", "counts"),
            "margin": Variable((*MEMBERS, "true"), "float32", np.nan, "probability", "means"),
            "predictions": Variable((*MEMBERS, "image"), "uint8", 255, "position", "classes"),
            "image_label": Variable(("image",), "int32", -1, "position", "of each image"),
        },
        {"data_sha256": "d"} | options,
    )  # fmt: skip


def drawn(like, seed, level, rng=None):
    """A piece of it: arrays by name, that depend on the piece alone."""
    rng = rng or np.random.default_rng((seed, level))
    rows = 1 if level == 0 else len(like.labels["technique"])
    seeds = min(like.seeds_per_piece, like.sizes["seed"] - seed)
    return {
        "confusion": rng.integers(0, 9, (rows, seeds, 2, 2), dtype=np.int32),
        "margin": rng.uniform(size=(rows, seeds, 2)).astype(np.float32),
        "predictions": rng.integers(0, 2, (rows, seeds, 3), dtype=np.uint8),
    }


def write(store, task, seed, level, values=None):
    like = store.layouts[task]
    names = ["dense"] if level == 0 else like.labels["technique"]
    seeds = range(seed, min(seed + like.seeds_per_piece, like.sizes["seed"]))
    store.write_piece(task, level, names, list(seeds), values or drawn(like, seed, level))


@contextmanager
def drawn_study(path, like):
    """A store with that task, described and empty."""
    with writing(path, {"seeds": like.sizes["seed"], "tasks": [{}]}, "f") as store:
        store.describe({"d/m": like}, {"d/m": {"image_label": lambda: np.array([0, 1, 1])}})
        yield store


def write_all(store):
    like = store.layouts["d/m"]
    for seed, level in itertools.product(like.blocks, like.levels):
        write(store, "d/m", seed, level)
