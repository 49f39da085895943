"""Exemplars of a study: numbers worked by hand, and refusals."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError, analysis
from prune_fair.store import MEMBERS

LABELS = [0, 0, 1, 1]  # images 0 and 1 are of class c0


@pytest.fixture
def voted(results_of) -> xr.Dataset:
    """Two even and two odd seeds, a technique of two levels, four images of two classes.

    Dense networks are right on all, but odd ones have image 3 wrong; at level 1 all are wrong on
    image 2, at level 2 nothing is finished.
    """
    results = results_of(np.full((2, 4, 3, 2), 0.5))
    said = np.tile(np.array(LABELS, np.uint8), (2, 4, 3, 1))
    said[:, 1::2, 0, 3] = 0
    said[:, :, 1, 2] = 0
    said[:, :, 2] = 255
    return results.assign(
        predictions=((*MEMBERS, "image"), said), image_label=("image", np.array(LABELS))
    ).assign_coords(seed=range(4), image=range(4))


def test_exemplars_by_hand(voted):
    table = analysis.exemplars(voted).isel(technique=0)
    assert table.seeds.values.tolist() == [4, 4, 0]
    assert table.number.values.tolist()[:2] == [0, 1]  # image 3: dense votes tie
    assert table.share.values.tolist()[:2] == [0, 0.25]
    assert table.taxicab.values.tolist()[:2] == [0, pytest.approx((2 + 1) / 4)]
    assert table.distant.values.tolist()[:2] == [0, 2]
    # dense even against dense odd: image 3. pruned even against dense odd: 2 and 3; odd: 2
    assert table.across.values.tolist()[:2] == [1, 1.5]
    assert table.taxicab_across.values.tolist()[:2] == [0.5, 0.75]
    assert np.isnan(table.number[2])
    assert np.isnan(table.across[2])
    assert table.dense_accuracy.values[1] == 1
    assert table.pruned_accuracy.values[1] == 0
    assert table.class_images.values.tolist() == [2, 2]
    assert table.class_number.values[1].tolist() == [0, 1]
    assert table.over_index.sel(estimate="mean").values[1].tolist() == [0, 2]
    assert np.isnan(table.over_index[0]).all()
    assert table.sparsity.values.tolist() == [0, 0.5, 0.75]


def test_distance_from_which_an_image_is_distant(voted):
    near, far = (analysis.exemplars(voted, distance=d).distant[0, 1] for d in (0.5, 1.5))
    assert (near, far) == (2, 1)


def test_one_technique_only(voted):
    one, both = analysis.exemplars(voted, "m1"), analysis.exemplars(voted)
    assert one.equals(both.isel(technique=[1]))


def test_images_by_hand(voted):
    images = analysis.exemplar_images(voted, "m0", 1)
    assert images.sizes == {"exemplar": 1}
    row = images.isel(exemplar=0)
    found = {name: row[name].item() for name in images}
    assert found == {"image": 2, "true": "c1", "dense": "c1", "pruned": "c0", "taxicab": 2.0}
    assert analysis.exemplar_images(voted, "m0", 2).sizes == {"exemplar": 0}


def test_farthest_first_and_then_in_order(voted):
    said = voted.predictions.copy()
    said[0, :, 1, 0] = 1
    said[0, 1:, 1, 1] = 1
    images = analysis.exemplar_images(voted.assign(predictions=said), "m0", 1)
    assert images.image.values.tolist() == [0, 2, 1]
    assert analysis.exemplar_images(voted.assign(predictions=said), "m0", 1, 2).image.size == 2


def test_of_a_study(toy_results):
    table = analysis.exemplars(toy_results)
    assert (table.class_number.sum("true") == table.number).all()
    assert (table.number[:, 1:] > 0).all()
    assert (table.number[:, 0] == 0).all()
    assert len({*table.across[:, 0].values.tolist()}) == 1
    assert ((table.taxicab >= 0) & (table.taxicab <= 2)).all()
    by_class = (table.over_index.sel(estimate="mean") * table.class_images / 540).sum("true")
    assert np.allclose(by_class[:, 1:], 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: analysis.exemplars(r.drop_vars("predictions")), "run it with --predictions"),
        (lambda r: analysis.exemplars(r, "m2"), "unknown technique 'm2': did you mean"),
        (lambda r: analysis.exemplars(r, distance=0.0), "distance 0.0: expected in"),
        (lambda r: analysis.exemplars(r, confidence=1.0), "confidence 1.0: expected in"),
        (lambda r: analysis.exemplar_images(r, "m", 1), "unknown technique 'm'"),
        (lambda r: analysis.exemplar_images(r, "m0", 3), "level 3: expected 0 to 2"),
        (lambda r: analysis.exemplar_images(r, "m0", 1, 0), "top 0: expected at least 1"),
    ],
)
def test_refusals(voted, call, message):
    with pytest.raises(InputError, match=message):
        call(voted)
