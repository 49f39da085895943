"""What a config refuses: names that are no names of folders, absurd and non-finite numbers."""

import dataclasses
import math
import subprocess
import sys
from pathlib import Path

import numpy as np  # noqa: F401, for the program
import pytest

from prune_fair import (
    DataConfig,
    InputError,
    ModelConfig,
    PlanConfig,
    RecipeConfig,
    Schedule,
    StudyConfig,
    TaskConfig,
    Technique,
)
from prune_fair.config import Rotation
from prune_fair.data import GIVEN
from prune_fair.pruning import TREATMENTS
from prune_fair.pruning.names import settings_of
from prune_fair.values import MOST, check_folder_name, check_whole

BAD_NAMES = [
    "", "..", ".", "../../x", "/etc", "a/b", "a\\b", ".hidden", " ", " a", "a\0b", "a\nb", "a\x7f",
    "\x1b[31m", "a\u202eb", "\udcff", "x" * 101, "é" * 51, None, 3,
]  # fmt: skip


def one_line(build) -> str:
    with pytest.raises(InputError) as refused:
        build()
    message = str(refused.value)
    assert message.isprintable()
    assert len(message) < 500
    return message


@pytest.mark.parametrize("name", BAD_NAMES)
def test_what_is_no_name_of_a_folder(name):
    assert "expected 1 to 100 printable characters" in one_line(
        lambda: check_folder_name(name, "network")
    )


@pytest.mark.parametrize("name", ["digits", "my net v2", "a..b", "x" * 100, "é" * 50, "T-shirt"])
def test_what_is_one(name):
    check_folder_name(name, "network")
    assert TaskConfig(model=ModelConfig(GIVEN + name)).node == f"digits/{name}"


@pytest.mark.parametrize("name", [name for name in BAD_NAMES if isinstance(name, str)])
def test_an_audited_network_is_not_called_so(name):
    assert "network " in one_line(lambda: ModelConfig(GIVEN + name))


@pytest.mark.parametrize(
    "name",
    [
        "npz:..", "npz:../..", "npz:a/..npz", "npz:a/.hidden.npz", "npz:x/" + "y" * 101, "idx:.",
        "idx:..", "idx:a/..", "idx:../", "idx:a\\b", f"{GIVEN}..", f"{GIVEN}a/..",
        "tfds:..", "tfds:../../etc", "tfds:/etc", "tfds:/etc/passwd", "tfds:a/../b", "tfds:a//b",
        "tfds:mnist:", "tfds:~/..",
    ],
)  # fmt: skip
def test_datasets_whose_names_leave_the_study(name):
    message = one_line(lambda: DataConfig(name))
    assert message.startswith("dataset ")
    assert "choose another name" in message


NO_NAMES_OF_TFDS = [
    "a/b/c", "x y", "3d", "a:1", "a:1.0", "a/b:x", "a/b/c=d", "huggingface:mnist", "\u00e9",
]  # fmt: skip


@pytest.mark.parametrize("name", NO_NAMES_OF_TFDS)
def test_what_tfds_has_no_name_for(name):
    message = one_line(lambda: DataConfig(f"tfds:{name}"))
    assert message.startswith(f"dataset 'tfds:{name}': expected tfds:NAME")


def test_it_is_refused_without_importing_tfds():
    program = (
        "import sys; from prune_fair import DataConfig, InputError\n"
        "try: DataConfig('tfds:x y')\n"
        "except InputError: sys.exit('tensorflow_datasets' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("idx:/", "data"),
        ("npz:../up.npz", "up"),
        ("idx:../kmnist", "kmnist"),
        ("tfds:emnist/letters", "letters"),
        ("tfds:emnist/letters:3.1.0", "3.1.0"),
    ],
)
def test_datasets_elsewhere_keep_their_names(name, label):
    assert DataConfig(name).label == label


def test_tasks_that_differ_by_case_alone():
    tasks = tuple(TaskConfig(DataConfig(f"npz:{name}.npz")) for name in ("cells", "Cells"))
    assert "differ by case alone" in one_line(lambda: StudyConfig(tasks))


def made(name: str, value):
    """A config with one number in it."""
    if name == "keep":
        return DataConfig(keep={"3": value})
    if name == "fewest_in_group":
        return DataConfig("npz:cells.npz", groups="g", fewest_in_group=value)
    if name == "sparsities":
        return Schedule("one-shot", sparsities=(0.5, value))
    if name in {field.name for field in dataclasses.fields(Rotation)}:
        return Rotation(rotate_rare=True, **{name: value})
    value = (value,) if name == "widths" else value
    for treatment in TREATMENTS:
        if name in settings_of("saliency", treatment)["treatment"]:
            return Technique(treatment=treatment, **{name: value})
    if name == "score_batches":
        return Technique("saliency", score_batches=value)
    for kind in (RecipeConfig, DataConfig, Schedule, PlanConfig, StudyConfig):
        if name in {field.name for field in dataclasses.fields(kind)}:
            return kind(**{name: value})
    return ModelConfig("vit" if name == "width" else "mlp", **{name: value})


@pytest.mark.parametrize("name", sorted({*MOST} - {"width"}))
def test_whole_numbers_are_bounded(name):
    made(name, MOST[name])
    for absurd in (MOST[name] + 1, 10**12, 10**5000, -1):
        message = one_line(lambda absurd=absurd: made(name, absurd))
        assert message.startswith(name)
        assert f"at most {MOST[name]:,}" in message


def test_a_large_machine_may_ask_for_a_lot():
    config = StudyConfig(seeds=10**6, seeds_per_piece=10**5)
    assert config.networks == 13 * 10**6


NUMBERS = [
    "learning_rate", "momentum", "weight_decay", "finetune_learning_rate", "gradual_share",
    "drop_share", "imbalance_factor", "label_noise", "rate", "sparsities", "keep", "width",
]  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e39])
def test_numbers_are_finite(name, value):
    assert "expected" in one_line(lambda: made(name, value))


def test_last_sparsity_is_finite():
    for name in ("linear", "cubic"):
        assert "sparsity nan" in one_line(lambda name=name: Schedule(name, sparsity=math.nan))


PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from test_values import *
for name in [*MOST, *NUMBERS]:
    for value in ("7", None, [1], 10**5000, True)[: 4 if name in NUMBERS else 5]:
        if value is not None or name not in ("devices", "chunk", "members"):
            assert "expected" in one_line(lambda: made(name, value)), (name, value)
for name in {{*MOST}} - {{"width"}}:
    assert "whole number" in one_line(lambda: made(name, 2.5)) or name == "widths"
recipe = RecipeConfig(epochs=np.int64(3), learning_rate=np.float32(0.25))
theirs = StudyConfig((TaskConfig(recipe=recipe),), seeds=np.int32(2))
ours = StudyConfig((TaskConfig(recipe=RecipeConfig(epochs=3, learning_rate=0.25)),), seeds=2)
assert theirs.as_json() == ours.as_json() and theirs.fingerprint() == ours.fingerprint()
"""


def test_what_is_no_number_is_refused_and_numbers_of_numpy_are_taken():
    """In a process of its own: here beartype refuses wrong types before the config can."""
    program = PROGRAM.format(tests=str(Path(__file__).parent))
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("value", [2.5, True, "7", None, math.nan])
def test_a_whole_number_is_no_other(value):
    assert "expected a whole number, at least 1" in one_line(lambda: check_whole("seeds", value))
