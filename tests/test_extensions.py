"""One file and a few lines: what the guide adds is there in every place at once.

A criterion is the same, and has its test in tests/pruning/test_criteria.py.
"""

import dataclasses
import importlib
import json
import re
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from prune_fair import cli, run_study
from prune_fair.engine.statistics import STATISTICS
from prune_fair.fairness import METRICS
from prune_fair.losses import LOSSES

GUIDE = Path(__file__).parent.parent / "docs/guides/own-criterion.md"
ADDED = {  # by the file that a recipe is of: the registry, and the row
    "prune_fair/losses/rows.py": (LOSSES, "generalised"),
    "prune_fair/engine/statistics.py": (STATISTICS, "confidence"),
    "prune_fair/fairness/metrics.py": (METRICS, "recall_median"),
}
MOST_LINES = 15


def recipe(file: str) -> str:
    """The guide's block of that file."""
    text = GUIDE.read_text()
    [block] = re.findall(rf'^```python title="{file}"\n(.*?)^```', text, re.DOTALL | re.MULTILINE)
    return block


@pytest.fixture
def added(monkeypatch):
    """Every recipe carried out at the end of its file; taken back afterwards."""
    for file, (registry, name) in ADDED.items():
        assert len([line for line in recipe(file).splitlines() if line.strip()]) <= MOST_LINES
        monkeypatch.setitem(registry, name, None)
        module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
        exec(recipe(file), dict(vars(module)))
    plain = STATISTICS["confidence"]
    halves = plain._replace(
        of_batch=lambda batch: jnp.stack([plain.of_batch(batch)] * 2),
        axes=("half", "true"),
        labels={"half": ("upper", "lower")},
        finish=lambda total, images: total / images[None],
    )
    monkeypatch.setitem(STATISTICS, "of_halves", halves)


@pytest.fixture
def results(added, toy_config, tmp_path):
    techniques = "magnitude-global-finetune", "magnitude-global-finetune+generalised"
    config = dataclasses.replace(toy_config, techniques=techniques, seeds=2, seeds_per_piece=2)
    return run_study(config, tmp_path / "study")["digits/mlp"].to_dataset()


@pytest.mark.usefixtures("added")
def test_each_is_in_the_list(capsys):
    cli.main(["list", "--json"])
    listed = json.loads(capsys.readouterr().out)
    kinds = {"losses": "generalised", "statistics": "confidence", "metrics": "recall_median"}
    for kind, name in kinds.items():
        assert name in listed[kind]
    assert "arXiv 1805.07836" in listed["losses"]["generalised"]["source"]
    assert "|group_constrained|generalised)[@SETTING,...]" in next(iter(listed["techniques"]))


def test_each_is_in_the_results(results, tmp_path, capsys):
    share = results.confidence
    assert results.of_halves.half.values.tolist() == ["upper", "lower"]
    np.testing.assert_allclose(results.of_halves.sel(half="lower"), share, rtol=1e-5)
    assert results.confidence.dims == ("technique", "seed", "level", "split", "true")
    assert ((share > 0.1) & (share <= 1 + 1e-6)).all()
    assert results.confidence.attrs["units"] == "probability"
    plain, other = results.confusion
    assert (plain.sel(level=0) == other.sel(level=0)).all()
    assert not (plain.sel(level=1) == other.sel(level=1)).all()
    cli.main(["metrics", str(tmp_path / "study"), "--names", "recall_median", "--json"])
    points = json.loads(capsys.readouterr().out)["tasks"]["digits/mlp"]
    tested = results.sel(split="test").confusion.values
    recall = np.einsum("tslcc->tslc", tested) / tested.sum(axis=-1)
    expected = np.median(recall, axis=-1).mean(axis=1)
    found = json.dumps(points)
    assert f"{expected[0, 0]:.4f}"[:5] in found
