"""Every command on every kind of study: an answer or one line, and JSON that can be read."""

import json

import numpy as np
import pytest

import prune_fair
from prune_fair import DataConfig, Schedule, cli
from prune_fair.datasets import load

TECHNIQUES = ("magnitude-global-none-output", "random-global-none-output")
SCHEDULE = Schedule("one-shot", sparsities=(0.5, 0.95))
COMMANDS = {
    "metrics": (),
    "metrics all": ("--names", "all"),
    "metrics pooled": ("--pooled",),
    "frontier": (),
    "frontier of the rule": ("--objectives", "sparsity", "mean_recall_change_min"),
    "select": (),
    "select surely": ("--certify", "--confidence", "0.9"),
    "select by weights": ("--weigh", "sparsity=1", "--weigh", "accuracy=2"),
    "compare": (),
    "classes": (),
    "attribute": (),
    "exemplars": (),
    "multiplicity": (),
    "calibration": (),
}
REFUSED = {("attribute", "one network"), ("attribute", "one network, a class without images")}
REFUSED_EVERYWHERE = {"calibration"}  # none of these studies was asked to count it


def linear(variables, images):
    return images.reshape(len(images), 64) @ variables["kernel"]


def networks(count):
    digits, rng = load("digits"), np.random.default_rng(0)
    means = [digits.train_images[digits.train_labels == c].mean(0).ravel() for c in range(10)]
    centres = (np.stack(means, axis=-1) - np.mean(means)).astype(np.float32) / 255
    noise = rng.normal(0, 0.02, (count, 64, 10)).astype(np.float32)
    return [{"kernel": centres + each} for each in noise]


@pytest.fixture(scope="module", params=[
    "several seeds", "unfinished", "one network", "groups", "a class without images",
    "one network, a class without images",
])  # fmt: skip
def study(request, tmp_path_factory, toy_study, copy_study):
    """A kind of study, and its directory."""
    path = tmp_path_factory.mktemp("kinds") / "study"
    if request.param in ("several seeds", "unfinished"):
        last = 2 if request.param == "unfinished" else 3
        copy_study(toy_study, path, finished=lambda first, level: level < last)
        return request.param, path
    digits = load("digits")
    shown = digits.test_labels < (9 if "without" in request.param else 10)
    arrays = {"x_train": digits.train_images, "y_train": digits.train_labels}
    arrays |= {"x_test": digits.test_images[shown], "y_test": digits.test_labels[shown]}
    arrays |= {"class_names": np.array([f"digit {c}" for c in range(10)])}
    arrays |= {"half_test": np.arange(shown.sum()) % 2}
    file = path.parent / "digits.npz"
    np.savez(file, **arrays)
    data = DataConfig(f"npz:{file}", groups="half" if request.param == "groups" else "")
    count = 1 if "one network" in request.param else 4
    prune_fair.audit(linear, networks(count), data, path, techniques=TECHNIQUES, schedule=SCHEDULE)
    return request.param, path


def run(capsys, *words):
    try:
        cli.main([*map(str, words)])
        status = 0
    except SystemExit as stopped:
        status = stopped.code
    return status, *capsys.readouterr()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_answers(study, command, capsys):
    (kind, path), name = study, command.split()[0]
    refused = (name, kind) in REFUSED or name in REFUSED_EVERYWHERE
    asked = name, path, *COMMANDS[command]
    for words in (asked, (*asked, "--json")):
        status, out, error = run(capsys, *words)
        if refused:
            assert (status, out) == (2, "")
            assert error.startswith("error: ")
            assert error.count("\n") == 1
            continue
        assert status in ((0, 1) if name == "select" else (0,)), error
        assert error == ""
        assert "nan" not in out
        if "--json" not in words and "without" in kind and name not in ("attribute", "exemplars"):
            assert "Class digit 9 has no test image: nothing is known of its recall." in out
    if not refused:
        document = json.loads(out)
        assert document["path"] == str(path)
        if name == "multiplicity":
            (table,) = document["tasks"].values()
            assert ("group_flip_rate" in table["points"][-1]) == (kind == "groups")


def test_groups_of_images_are_those_that_were_counted(study):
    kind, path = study
    results = prune_fair.open_study(path).leaves[0].to_dataset()
    assert ("image_group" in results) == (kind == "groups")
    if kind == "groups":
        members, groups = ("technique", "seed", "level"), results.image_group.values
        right = (results.predictions == results.image_label).transpose(*members, "image").values
        counts = results.group_confusion.transpose(*members, "group", "true", "predicted").values
        for group in (0, 1):
            hits = np.trace(counts[:, :, :, group], axis1=-2, axis2=-1)
            assert np.array_equal(right[..., groups == group].sum(axis=-1), hits)


def test_every_card_can_be_written(study, capsys):
    kind, path = study
    status, _, error = run(capsys, "report", path)
    page = (path / "report.md").read_text()
    assert (status, error) == ("Decision: Nothing qualifies" in page, "")
    assert ("Class digit 9 has no test image" in page) == ("without" in kind)
    assert "nan" not in page.replace("resonance", "")
