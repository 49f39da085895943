"""The benchmarks run; what they measure on a small machine in a second is not looked at."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from prune_fair.engine.task import total_steps

pytestmark = pytest.mark.whole

FOLDER = Path(__file__).parent.parent / "experiments" / "benchmarks"


def run(script: str, *words: str) -> dict:
    done = subprocess.run(
        [sys.executable, FOLDER / script, *words],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},
    )
    return json.loads(done.stdout)


def test_engine_against_a_peer():
    flags = ("--rounds", "2", "--seconds", "0.01", "--members", "4", "--json")
    peers = "JAX, a step at a time", "JAX, as JaxPruner's example"
    result = run("engine.py", "--workloads", "digits-mlp", "--peers", *peers, *flags)["digits-mlp"]
    assert {*result["peers"]} == {"prune_fair", *peers}
    for peer in peers:
        faster = result["peers"][peer]["engine_is_faster"]
        assert 0 < faster["min"] <= faster["median"] <= faster["max"]
    assert result["peers"]["prune_fair"]["engine_is_faster"]["median"] == 1
    assert result["share_of_matmul_peak"]["median"] > 0
    assert all(peer["peak_memory_mib"] > 0 for peer in result["peers"].values())


def test_whole_study_and_where_its_time_goes():
    results = run("study.py", "--rounds", "1", "--seeds", "2", "--levels", "1", "--epochs", "1")
    for result in results.values():
        assert result["networks"] == 10
        assert 0 < result["share_not_training"]["median"] < 1
        assert {"train", "compile train", "prune", "evaluate"} <= {*result["seconds"]}
        assert all(part["min"] >= 0 for part in result["seconds"].values())
    first, again = (results[name]["seconds"]["compile train"] for name in ("first", "again"))
    assert again["median"] < first["median"]


@pytest.fixture
def jax_peers(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import jax_peers

    return jax_peers


def test_peers_train_under_the_sparsity_that_is_stated(jax_peers):
    from workloads import SPARSITY, WORKLOADS

    workload = WORKLOADS["digits-mlp"]
    task = jax_peers.make_task(workload.task, workload.load(), jax_peers.Plan(1, 1, 1, "native"))
    assert task.train_size == workload.images
    assert total_steps(task) == workload.steps
    kept = jax_peers.weights_kept(task)
    assert kept.tolist() == [11_400 - round(SPARSITY * 11_400)]
    rows = list(jax_peers.batches(np.random.default_rng(0), workload))
    assert len(rows) == workload.steps
    assert len(np.unique(np.concatenate(rows[:18]))) == 18 * 64


def test_cost_as_studies_grow(tmp_path):
    picture = tmp_path / "scaling.png"
    result = run(
        "scaling.py", "--axes", "devices", "--rounds", "1", "--out", str(picture), "--json"
    )
    assert {*result["devices"]} >= {"1"}
    assert all(row["milliseconds_per_network"]["median"] > 0 for row in result["devices"].values())
    assert picture.stat().st_size > 10_000


def said(*cells: str) -> list[str]:
    """The rest of the row of a table of docs/method.md that begins with these cells."""
    text = (FOLDER.parent.parent / "docs" / "method.md").read_text()
    begins = re.escape(f"| {' | '.join(cells)} |")
    (row,) = re.findall(rf"^{begins} (.*) \|$", text, re.MULTILINE)
    return row.split(" | ")


def as_said(found: float, text: str, draws: int) -> bool:
    """Whether a share of so many draws is what a text says, within 4 standard errors."""
    share = min(max(float(text), 1 / draws), 1 - 1 / draws)
    return abs(found - float(text)) <= 4 * (share * (1 - share) / draws) ** 0.5


def test_coverage_of_intervals():
    """Of 150 studies a share of 0.95 is 0.90 or more, and one of 0.6 is 0.75 or less, by far."""
    flags = ("--studies", "150", "--seeds", "16", "--images", "50", "--truth-pairs", "400000")
    result = run("coverage.py", *flags, "--processes", "1", "--json")["16 x 50"]
    for name, covered in result.items():
        for over, share in covered.items():
            assert as_said(share, said(name, over)[4], 150), (name, over)
    *of_means, (_, wrong) = result.items()
    assert wrong["both"] <= 0.05
    for name, covered in of_means:
        assert covered["both"] >= (0.84 if name == "hypervolume" else 0.9)
    assert result["recall change, class that loses most"]["seeds"] <= 0.75
    assert result["mean_recall_change_min"]["seeds"] <= 0.8


def test_what_loses_more_is_not_certified():
    """Truly at most 0.05, of 40 studies and networks each."""
    flags = ("--studies", "40", "--images", "200", "--truth-pairs", "200000", "--json")
    result = run("certification.py", *flags)
    for world, true in result["true smallest mean changes"].items():
        assert sum(change >= -0.05 for change in true) == 4
        rules = result[world]["200"]
        for name, found in rules.items():
            cell = said(name)[2 * (world == "one class loses") + 1]
            for share, text in zip(found.values(), cell.split(", ")[:2], strict=False):
                assert as_said(share, text, 40), (world, name)
        for name in ("all bounds at once", "in order", "select --certify"):
            assert rules[name]["wrong"] <= 0.15
        assert rules["in order"]["wrong"] < rules["mean"]["wrong"]
        shared, own = rules["select --certify"], rules["in order, of all techniques"]
        assert shared["mean point"] <= own["mean point"]
    for images, passes in result["one network"].items():
        assert passes["score and exact bound"]["passes"] <= (0.01 if images == "20" else 0.15)


def test_what_one_half_of_the_images_certifies_holds_on_the_other():
    """Of the example study, of which docs/method.md tells 200 splits; these are the first 25."""
    study = str(FOLDER.parent.parent / "prune_fair" / "store" / "example")
    result = run("half_split.py", study, "--splits", "25", "--tolerance", "0.2", "--json")
    assert result["certified"]["breaks"] <= 0.05
    assert 0 < result["certified"]["sparsity, mean"] < result["by the mean"]["sparsity, mean"]
    for rule, found in result.items():
        assert as_said(found["breaks"], said("the package's example, 20 points", rule)[0], 25)


def test_coverage_over_tasks():
    """Of 100 studies: 0.95 is 0.87 or more, 0.05 is 0.14 or less."""
    flags = ("--studies", "100", "--tasks", "5", "--seeds", "8", "--json")
    result = run("task_coverage.py", *flags)
    assert min(result["coverage"]["5 x 8"].values()) >= 0.87
    assert max(result["told apart"]["5 x 8"].values()) <= 0.14


def test_calibration_of_the_probability_of_being_on_the_frontier():
    """Of 40 studies: of the same images by seeds as told, within 5 standard errors of some 100."""
    result = run("frontier_calibration.py", "--studies", "40", "--sizes", "16x50", "--json")
    for way, rows in result["16x50"].items():
        assert sum(row["points"] for row in rows.values()) == 40 * 12
        for row in rows.values():
            told, error = row["told"], 0.5 / row["points"] ** 0.5
            assert abs(row["same images"] - told) <= 5 * error + 0.1 * (way == "both")
    rows = [*result["16x50"]["seeds"].values()]
    assert rows[0]["same images"] <= 0.1
    assert rows[-1]["same images"] >= 0.85
    sure = sum(row["points"] for row in (rows[0], rows[-1]))
    both = [*result["16x50"]["both"].values()]
    assert sum(row["points"] for row in (both[0], both[-1])) < sure


def test_coverage_of_multiplicity():
    flags = ("--studies", "60", "--sizes", "16x50", "--truth-studies", "400", "--json")
    for name, covered in run("multiplicity_coverage.py", *flags)["16x50"].items():
        assert covered >= (0.9 if "by class" in name else 0.85)


def test_coverage_of_one_networks_intervals():
    result = run("image_coverage.py", "--studies", "60", "--images", "2000", "--json")
    assert {*result["2000"]} >= {"accuracy", "recall_change_min"}
    assert all(0.75 <= share <= 1 for share in result["2000"].values())


def test_answers_to_drawn_studies():
    rows = run("answers.py", "--networks", "150", "--commands", "select", "--json")
    assert [row["seeds"] for row in rows] == [3, 3]
    assert all(row["seconds"] > 0 and row["MiB"] > 50 for row in rows)


def test_a_p_over_classes_holds_its_level():
    """Truly 0.05, of 60 studies each, and as docs/method.md says, by 4 standard errors."""
    flags = ("--studies", "60", "--permutations", "500", "--json")
    worlds = "fixed, nothing", "rotated, 0 on average"
    result = run("attribution.py", "--worlds", *worlds, *flags)
    text = (FOLDER.parent.parent / "docs" / "method.md").read_text()
    for world in worlds:
        for covariate, rates in result[world].items():
            assert rates["permutation over classes"] <= 0.17
            (row,) = re.findall(rf"^\| {world} \| {covariate} \| (.*) \|$", text, re.MULTILINE)
            for found, said in zip(rates.values(), map(float, row.split(" | ")), strict=True):
                assert found == pytest.approx(said, abs=4 * (said * (1 - said) / 60) ** 0.5)


def test_what_constrained_retraining_keeps_and_costs():
    result = run("constrained.py", "--seeds", "2", "--epochs", "1", "--rounds", "1", "--json")
    assert result["cost"]["cross_entropy"] == 1
    assert set(result["cost"]) == {"cross_entropy", "constrained", "distillation", "class_dro"}
    for rows in result["kept"].values():
        assert all(0 <= share <= 1 for shares in rows.values() for share in shares)
