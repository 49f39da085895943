"""Results made for pictures: of any size, with everything that a plot may ask for."""

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure

from prune_fair.fairness import BINS
from prune_fair.plots.labels import Label


@pytest.fixture
def make_results(results_of):
    """Results of so many techniques, seeds, levels and classes; later classes lose more.

    Predictions are of other, fewer images than the counts: for pictures of classes leave them out.
    """

    def make(techniques=2, seeds=4, levels=4, classes=10, images=60):
        rng = np.random.default_rng(0)
        lost = np.linspace(0, 0.3, levels)[:, None] * np.linspace(0, 1, classes) ** 3
        noise = rng.normal(0, 0.01, (techniques, seeds, 1, classes))
        worse = 1 + 0.3 * np.arange(techniques)[:, None, None, None]
        results = results_of(np.clip(0.9 + noise - worse * lost, 0, 1))
        labels = np.arange(images) % classes
        said = rng.integers(0, classes, (techniques, levels, images))
        said = np.where(rng.random(said.shape) < 0.3, said, labels)
        said[:, 0] = labels
        said = np.repeat(said[:, None], seeds, axis=1).astype(np.uint8)
        binned = _binned(results, rng)
        layers = results.sparsity.values[..., None] * [1.0, 0.9]
        return results.assign(
            train_count=("true", np.geomspace(500, 20, classes).astype(int)),
            complexity=(("measure", "true"), rng.random((1, classes))),
            layer_sparsity=(("technique", "seed", "level", "layer"), layers),
            predictions=(("technique", "seed", "level", "image"), said),
            image_label=("image", labels),
            finished=results.sparsity.notnull(),
            **binned,
        ).assign_coords(
            seed=range(seeds), layer=["dense_0", "output"], measure=["spread"], image=range(images)
        )

    return make


def _binned(results, rng):
    """Sums by bin that go with a study's counts: 100 images a class, all classes alike."""
    members, classes = results.sparsity.shape, results.sizes["true"]
    promised = (np.arange(BINS) + 0.5) / BINS
    images = rng.multinomial(100, np.full(BINS, 1 / BINS), (*members, classes)).astype(float)
    hits = rng.binomial(images.astype(int), promised)
    sums = np.stack([images, hits, images * promised], axis=-1)
    scores = np.stack([images.sum(-1), 30 + rng.random(images.shape[:-1]), 50 + hits.sum(-1)], -1)
    members = "technique", "seed", "level"
    return {
        "reliability": ((*members, "true", "bin", "total"), sums),
        "class_reliability": ((*members, "predicted", "bin", "total"), sums),
        "scores": ((*members, "true", "score"), scores),
        "bin": ("bin", np.arange(BINS).astype(str)),
        "total": ("total", ["images", "hits", "probability"]),
        "score": ("score", ["images", "brier", "nll"]),
    }


@pytest.fixture
def panel():
    """Gives new Axes of a width in inches, of no window."""
    return lambda width=5.2, height=3.6: Figure((width, height), layout="constrained").subplots()


@pytest.fixture
def labels_of():
    """The texts of the labels that are shown once a figure is drawn; none covers another."""

    def labels(axes):
        figure = axes.figure
        figure.draw_without_rendering()
        shown = [text for text in axes.texts if isinstance(text, Label) and text.get_visible()]
        boxes = [label.text_box() for label in shown]
        for one, other in itertools.combinations(boxes, 2):
            assert not one.overlaps(other), (one, other)
        assert all(box.y0 >= 0 and box.y1 <= figure.bbox.y1 + 1 for box in boxes)
        assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 + 1 for box in boxes)
        return [label.get_text() for label in shown]

    return labels
