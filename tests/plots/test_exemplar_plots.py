"""The grid of exemplars: which images, and what is written above them."""

import numpy as np
import pytest

from prune_fair import InputError, analysis, plots


def test_images_and_their_labels(make_results, panel):
    results = make_results()
    images = np.arange(60, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    axes = plots.exemplars(results, images, "m1", 2, count=5, axes=panel())
    found = analysis.exemplar_images(results, "m1", 2, 5)
    assert [int(image.get_array()[0, 0, 0]) for image in axes.images] == found.image.values.tolist()
    first = found.isel(exemplar=0)
    assert axes.texts[0].get_text() == (
        f"{first.true.item()}: {first.dense.item()} → {first.pruned.item()}"
    )
    assert len(axes.texts) == len(axes.images) == 5
    assert axes.get_title("left").startswith("m1 at 75.0 % sparsity")


def test_where_there_are_none_it_says_so(make_results, panel):
    axes = plots.exemplars(make_results(), np.zeros((60, 4, 4, 1), np.uint8), level=0, axes=panel())
    assert not axes.images
    assert [text.get_text() for text in axes.texts] == ["no image changes its modal label here"]


def test_refusals(make_results):
    results, images = make_results(), np.zeros((60, 4, 4, 1), np.uint8)
    for call, message in (
        (lambda: plots.exemplars(results.drop_vars("predictions"), images), "no predictions"),
        (lambda: plots.exemplars(results, images[1:]), r"expected the 60 test images"),
        (lambda: plots.exemplars(results, images, count=0), "count 0: expected at least 1"),
        (lambda: plots.exemplars(results, images, level=9), "level 9: expected 0 to 3"),
    ):
        with pytest.raises(InputError, match=message):
            call()
