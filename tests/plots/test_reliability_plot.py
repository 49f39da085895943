"""The reliability diagram: what its lines are of, and what it refuses."""

import numpy as np
import pytest

from prune_fair import InputError, open_study, plots


def test_lines_are_shares_of_all_networks_together(calibrated_study):
    results = open_study(calibrated_study)["digits/mlp"]
    axes = plots.reliability(results, level=1)
    diagonal, dense, pruned, *of_worst = axes.lines
    assert len(of_worst) == 2
    assert np.array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    for line, level in ((dense, 0), (pruned, 1)):
        sums = results["reliability"].sel(split="test").isel(technique=0, level=level)
        images, hits, probability = sums.sum(("seed", "true")).transpose("total", "bin").values
        shown = images >= 30
        np.testing.assert_allclose(line.get_ydata(), 100 * hits[shown] / images[shown], rtol=1e-5)
        expected = 100 * probability[shown] / images[shown]
        np.testing.assert_allclose(line.get_xdata(), expected, rtol=1e-5)
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts[:2] == ["dense", "level 1, 80.0 % sparse"]
    assert texts[2].startswith("worst class, ")
    assert texts[-1] == "band: 95 % interval over 4 seeds"


@pytest.mark.parametrize(
    ("asked", "message"),
    [({"level": 9}, "level 9: expected 0 to 1"), ({"technique": "none"}, "unknown technique")],
)
def test_what_is_not_there_is_refused(asked, message, calibrated_study):
    with pytest.raises(InputError, match=message):
        plots.reliability(open_study(calibrated_study)["digits/mlp"], **asked)


def test_a_study_without_calibration_is_refused(toy_results):
    with pytest.raises(InputError, match="run it with --calibration"):
        plots.reliability(toy_results)
