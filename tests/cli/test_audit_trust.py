"""Audits destroy nothing of their user's, and recommend nothing that is broken."""

import re
from pathlib import Path

import numpy as np
import orbax.checkpoint
import pytest

from prune_fair import analysis, cli, open_study
from prune_fair.datasets import load
from prune_fair.outputs import FOLDER_MARK
from prune_fair.store import load_tree

NETWORK = """
import jax.numpy as jnp

def plain():
    return lambda layers, images: images.reshape(len(images), -1) @ layers[0]["w"]

def overflows():
    return lambda layers, images: jnp.exp(1e3 * images.reshape(len(images), -1) @ layers[0]["w"])
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a module, a checkpoint, images, and a thesis."""
    (folder := tmp_path / "work").mkdir()
    (folder / "own_network.py").write_text(NETWORK)
    (folder / "thesis").mkdir()
    (folder / "thesis/chapter.tex").write_text("ten years")
    digits = load("digits")
    means = [digits.train_images[digits.train_labels == c].mean(0).ravel() for c in range(10)]
    centres = (np.stack(means, axis=-1) - np.mean(means)).astype(np.float32) / 255
    parts = {"x_train": digits.train_images[:300], "y_train": digits.train_labels[:300]}
    parts |= {"x_test": digits.test_images[:300], "y_test": digits.test_labels[:300]}
    np.savez(folder / "digits.npz", **parts)
    save(folder / "trained", centres)
    monkeypatch.chdir(folder)
    return folder


def save(folder, kernel):
    with orbax.checkpoint.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder, [{"w": kernel}])


@pytest.fixture
def audit(capsys):
    """Runs the command in that directory; gives its exit status, output and error."""

    def run(*words, checkpoint="trained", network="plain", out="study"):
        asked = ["audit", "--network", f"own_network:{network}", "--checkpoints", checkpoint]
        asked += ["--data.name", "npz:digits.npz", "--out", out]
        asked += ["--schedule.sparsities", "0.3", "0.6"]
        asked += ["--techniques", "magnitude-global-none-output", *words]
        try:
            cli.main(asked)
            status = 0
        except SystemExit as stopped:
            status = stopped.code
        return status, *capsys.readouterr()

    return run


def everything(folder: Path) -> dict[str, bytes]:
    found = {str(f.relative_to(folder)): f for f in folder.rglob("*") if f.is_file()}
    return {name: file.read_bytes() for name, file in found.items() if "__pycache__" not in name}


@pytest.mark.parametrize("force", [(), ("--force",)])
@pytest.mark.parametrize(
    "target",
    [
        "thesis", ".", "..", "trained", "own_network.py", "digits.npz", "thesis/../trained",
        "trained/sub", "trained/deep/sub", "study", "study/sub", "link/sub",
    ],
)  # fmt: skip
def test_an_export_destroys_nothing(folder, audit, target, force):
    (folder / "link").symlink_to("trained")
    before = everything(folder)
    status, out, error = audit("--require", "sparsity>=0", "--export", target, *force)
    assert (status, out) == (2, "")
    assert re.match(f"error: {re.escape(target)}: ", error)
    assert error.count("\n") == 1
    assert everything(folder) == before  # and no study was begun


def test_an_export_replaces_an_earlier_one_where_it_is_told_to(folder, audit, no_pictures):
    asked = "--require", "sparsity>=0.2", "--export", "chosen"
    assert audit(*asked)[0] == 0
    first = load_tree(folder / "chosen")
    status, _, error = audit(*asked)
    assert status == 2
    assert "an earlier export of the same networks; give --force to replace it" in error
    other = "--require", "sparsity<=0.4", "--require", "sparsity>=0.2", "--export", "chosen"
    assert audit(*other, "--force")[0] == 0
    kept = load_tree(folder / "chosen")
    assert kept["mask"][0]["w"].mean() > first["mask"][0]["w"].mean()
    (folder / "chosen/notes.txt").write_text("mine")
    status, _, error = audit(*asked, "--force")
    assert status == 2
    assert "holds 'notes.txt', which prune_fair did not write" in error
    assert (folder / "chosen/notes.txt").read_text() == "mine"
    assert (folder / "chosen" / FOLDER_MARK).exists()


def test_an_export_into_the_study_itself_is_refused(folder, audit, no_pictures):
    assert audit("--require", "sparsity>=0")[0] == 0
    before = everything(folder)
    for target, words in (
        ("study", "is the study's directory"),
        ("study/results", "is in the study's directory"),
        ("study/sub", "is in the study's directory"),
    ):
        status, _, error = audit("--require", "sparsity>=0", "--export", target, "--force")
        assert status == 2
        assert words in error
    assert everything(folder) == before


def test_a_card_that_was_changed_is_left_alone_before_anything_is_computed(folder, audit):
    assert audit("--require", "sparsity>=0")[0] == 0
    card = folder / "study/report.md"
    card.write_text(card.read_text() + "\nSigned: me\n")
    before = everything(folder)
    status, _, error = audit("--require", "sparsity>=0")
    assert status == 2
    assert (
        "report.md: was not written by this version of prune_fair, or has been changed since"
        in error
    )
    assert everything(folder) == before


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_network_that_is_not_finite_is_refused(folder, audit, value):
    kernel = np.array(load_tree(folder / "trained")[0]["w"])
    kernel[3, 4] = value
    save(folder / "ill", kernel)
    status, out, error = audit("--require", "sparsity>=0", checkpoint="ill")
    assert (status, out) == (2, "")
    assert "network 0: 1 numbers are NaN or infinite, the first in '0/w'" in error
    assert error.count("\n") == 1
    assert not (folder / "study").exists()


def test_outputs_that_are_not_finite_are_refused(folder, audit):
    status, out, error = audit("--require", "sparsity>=0", network="overflows")
    assert (status, out) == (2, "")
    *progress, line = error.splitlines()
    assert "1 of 1 dense networks (seeds 0) have parameters or outputs that are not" in line
    assert all("models/min" in each for each in progress)


def test_networks_that_diverge_are_never_recommended(folder, audit, no_pictures):
    """Trained on at an absurd rate; the terminal and the card count the same networks."""
    words = "--techniques", "magnitude-global-finetune-output", "magnitude-global-none-output"
    recipe = "--recipe.learning-rate", "1e30", "--recipe.weight-decay", "1"
    for require in ("sparsity>=0", "recall_difference<=0.9", "mean_recall_change_min>=-1"):
        status, out, _ = audit("--require", require, *words, *recipe)
        assert status == 0
        assert "Prune with magnitude-global-none-output" in out
        results = open_study("study").leaves[0]
        lost = analysis.diverged(results).sel(technique="magnitude-global-finetune-output")
        assert lost.isel(level=slice(1, None)).all()
        assert "2 networks diverged and are counted as failures of every class" in out
        card = (folder / "study/report.md").read_text()
        assert "2 networks diverged" in card
        assert "Prune with magnitude-global-none-output" in card
    status, out, _ = audit(
        "--require", "sparsity>=0.1", "--techniques", "magnitude-global-finetune-output", *recipe,
        out="alone",
    )  # fmt: skip
    assert status == 1
    assert "No operating point holds what was asked" in out
    assert cli.main(["metrics", "alone"]) is None


def test_diverged_networks_are_counted_in_every_table(folder, audit, capsys):
    words = "--techniques", "magnitude-global-finetune-output"
    recipe = "--recipe.learning-rate", "1e30", "--recipe.weight-decay", "1"
    audit("--require", "sparsity>=0", *words, *recipe)
    for command in ("metrics", "frontier", "select", "classes", "exemplars"):
        cli.main([command, "study"])
        assert "2 networks diverged" in capsys.readouterr().out
    cli.main(["metrics", "study"])
    assert "1 (1 diverged)" in capsys.readouterr().out
