"""The mixed model of classes: what statsmodels gives for all networks, and failures told."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from prune_fair.analysis.mixed import CLASSES, REMAINDER, fit_mixed

CLASS_COUNT, SEEDS, TASKS = 10, 6, 3


def drawn(rng, tasks):
    """Changes of every network and class, with effects of classes, networks and both."""
    task, seed, unit = (each.ravel() for each in np.indices((tasks, SEEDS, CLASS_COUNT)))
    share = rng.normal(size=(tasks, CLASS_COUNT))[task, unit]
    change = 1.5 * share + 2 * rng.normal(size=CLASS_COUNT)[unit]
    change += rng.normal(size=(tasks, SEEDS))[task, seed] + rng.normal(size=len(task))
    return pd.DataFrame(
        {"change": change, "task": task, "seed": seed, "unit": unit, "share": share}
    )


def means(frame):
    cells = frame.groupby(["task", "unit"], as_index=False).mean()
    fixed = np.column_stack([pd.get_dummies(cells.task).to_numpy(float), cells.share])
    return cells, fixed


@pytest.mark.parametrize("tasks", [1, TASKS])
def test_means_say_what_all_networks_say(rng, tasks):
    """With as many networks in each task, random effects of networks leave estimates alone."""
    frame = drawn(rng, tasks)
    cells, fixed = means(frame)
    found = fit_mixed(cells.change.to_numpy(), fixed, cells.unit.to_numpy(), {})
    frame["network"] = frame.task * SEEDS + frame.seed
    components = {"class": "0 + C(unit)", "network": "0 + C(network)"}
    components |= {"cell": "0 + C(unit):C(task)"} if tasks > 1 else {}
    whole = MixedLM.from_formula(
        "change ~ 0 + C(task) + share", frame, groups=np.ones(len(frame)), vc_formula=components
    ).fit(method=["lbfgs", "powell"])
    assert found.estimate[-1] == pytest.approx(whole.fe_params["share"], rel=0.03)
    assert found.error[-1] == pytest.approx(whole.bse_fe["share"], rel=0.06)
    assert found.failure == ""


def test_slopes_are_those_of_statsmodels_formulas(rng):
    frame = drawn(rng, TASKS)
    frame["change"] += rng.normal(size=CLASS_COUNT)[frame.unit] * frame.share
    cells, fixed = means(frame)
    shuffled = rng.permutation(len(cells))
    found = fit_mixed(
        cells.change.to_numpy()[shuffled],
        fixed[shuffled],
        cells.unit.to_numpy()[shuffled],
        {"share": cells.share.to_numpy()[shuffled]},
    )
    plain = MixedLM.from_formula(
        "change ~ 0 + C(task) + share",
        cells,
        groups="unit",
        vc_formula={"a_class": "1", "share": "0 + share"},
        re_formula="0",
    ).fit()
    assert found.estimate == pytest.approx(plain.fe_params.to_numpy(), rel=1e-3, abs=1e-3)
    assert found.error == pytest.approx(plain.bse_fe.to_numpy(), rel=0.1)  # of the observed Hessian
    assert found.components[CLASSES] ** 2 == pytest.approx(plain.vcomp[0], rel=1e-2)
    assert found.components[REMAINDER] ** 2 == pytest.approx(plain.scale, rel=1e-2)


def test_what_does_not_converge_is_told(rng, monkeypatch):
    cells, fixed = means(drawn(rng, TASKS))
    arguments = cells.change.to_numpy(), fixed, cells.unit.to_numpy(), {}
    whole = MixedLM.fit

    def stopped(self, **options):
        fitted = whole(self, **options)
        fitted.converged = False
        return fitted

    monkeypatch.setattr(MixedLM, "fit", stopped)
    assert fit_mixed(*arguments).failure == "no reason given"

    def singular(self, **options):
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(MixedLM, "fit", singular)
    found = fit_mixed(*arguments)
    assert found.failure == "Singular matrix"
    assert np.isfinite(found.estimate).all()
