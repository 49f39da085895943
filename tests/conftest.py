"""The floor of every test: no rank promotion, shapes checked at trace time, two CPU devices.

Strict dtype promotion is not asked for: the learning-rate schedules of Optax break it.
"""

import dataclasses
import gzip
import importlib
import itertools
import os
import pkgutil
import shutil
import struct
import tempfile
import zlib
from pathlib import Path

import jax
import jax.numpy as jnp
import memory
import numpy as np
import pytest
import xarray as xr
from jaxtyping import install_import_hook

jax.config.update("jax_num_cpu_devices", 2)
jax.config.update("jax_numpy_rank_promotion", "raise")

# Most of the tests' time is compiling. What trains at full size asks for optimised programs.
jax.config.update("jax_disable_most_optimizations", True)

with install_import_hook("prune_fair", "beartype.beartype"):
    import prune_fair

    for found in pkgutil.walk_packages(prune_fair.__path__, "prune_fair."):
        if found.name != "prune_fair.__main__":
            importlib.import_module(found.name)
    import stub_engine

    from prune_fair import (  # noqa: F401
        DataConfig,
        ModelConfig,
        RecipeConfig,
        Schedule,
        StudyConfig,
        TaskConfig,
        cli,
        console,
        store,
    )
    from prune_fair.engine import machine
    from prune_fair.report.pictures import Picture
    from prune_fair.store.files import sealed
    from prune_fair.store.studies import layouts_of, run_files

# The tests compile the same small programs over and over; compiled once, they are read from here,
# by every worker and by the commands that tests run. Another processor, or XLA told otherwise,
# computes with other programs.
ASKED = zlib.crc32(os.environ.get("XLA_FLAGS", "").encode())
CACHE = f"prune_fair-tests-{os.getuid()}-jax-{jax.__version__}-{machine.processor()}-{ASKED:08x}"
CACHE = str(Path(tempfile.gettempdir()) / CACHE)
os.environ["JAX_COMPILATION_CACHE_DIR"] = CACHE
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
jax.config.update("jax_compilation_cache_dir", CACHE)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)

TOY_TECHNIQUES = ("magnitude-global-rewind", "random-layerwise-channel-finetune")


def pytest_configure(config):
    config.pluginmanager.register(memory)


def pytest_collection_modifyitems(items):
    """The longest first, so that the workers end together."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def toy_config() -> StudyConfig:
    """A whole study in seconds: 5 seeds in two pieces, two techniques, three levels."""
    task = TaskConfig(
        DataConfig("digits", keep={"3": 0.35, "8": 0.2}),
        ModelConfig("mlp", widths=(20, 10)),
        RecipeConfig(epochs=3, learning_rate=0.2),
    )
    schedule = Schedule("geometric", rate=0.6, levels=2)
    seeds = {"seeds": 5, "seeds_per_piece": 3}
    return StudyConfig((task,), TOY_TECHNIQUES, schedule, **seeds, predictions=True)


@pytest.fixture(scope="session")
def toy_study(toy_config, tmp_path_factory):
    """The directory of a finished toy study."""
    path = tmp_path_factory.mktemp("studies") / "toy"
    prune_fair.run_study(toy_config, path)
    return path


@pytest.fixture(scope="session")
def calibrated_study(toy_config, tmp_path_factory):
    """The directory of a finished study with calibration: 4 seeds, one technique, two levels."""
    path = tmp_path_factory.mktemp("studies") / "calibrated"
    schedule, one = Schedule("geometric", rate=0.8, levels=1), TOY_TECHNIQUES[:1]
    asked = {"techniques": one, "schedule": schedule, "seeds": 4, "calibration": True}
    prune_fair.run_study(dataclasses.replace(toy_config, **asked, controls=True), path)
    return path


@pytest.fixture(name="stub_engine")
def stub_engine_fixture():
    """Studies of this test are computed by `stub_engine`."""
    with stub_engine.stubbed():
        yield


@pytest.fixture(scope="session")
def stub_config(toy_config) -> StudyConfig:
    """What the stub engine computes in less than a second: few images, 3 seeds in two pieces."""
    data = DataConfig("digits", keep=dict.fromkeys("0123456789", 0.1))
    task = dataclasses.replace(toy_config.tasks[0], data=data)
    return dataclasses.replace(toy_config, tasks=(task,), seeds=3, seeds_per_piece=2)


@pytest.fixture(scope="session")
def stub_study(stub_config, tmp_path_factory):
    """The directory of that study, as the stub engine computed it."""
    path = tmp_path_factory.mktemp("studies") / "stub"
    with stub_engine.stubbed():
        prune_fair.run_study(stub_config, path)
    return path


def copy_study(source, path, change=lambda study: None, finished=lambda first, level: True):
    """A copy of a study, without its networks, for a test to change.

    Args:
        source: the study.
        path: of the copy.
        change: changes what `read_study` gives; it is sealed again.
        finished: of a piece's first seed and level, whether it stays finished.
    """
    shutil.copytree(source, path, ignore=shutil.ignore_patterns("checkpoints", "claims", ".lock"))
    study = store.read_study(path)
    folders = list(study["tasks"])
    change(study)
    study.pop("complete")
    for file, run in zip(run_files(path), study.pop("runs"), strict=True):
        file.write_bytes(sealed(run))
    (path / "study.json").write_bytes(sealed(study))
    for task, layout in layouts_of(study).items():
        if task not in folders:
            shutil.copytree(path / folders[0], path / task)
        for (block, first), level in itertools.product(enumerate(layout.blocks), layout.levels):
            if not finished(first, level):
                (path / task / layout.chunk("finished", block, level)).unlink()
    return path


@pytest.fixture(scope="session", name="copy_study")
def copy_study_fixture():
    """`copy_study`, for the tests."""
    return copy_study


@pytest.fixture(scope="session")
def toy_results(toy_study):
    """The node of the toy study's one task."""
    return prune_fair.open_study(toy_study)["digits/mlp"].to_dataset()


@pytest.fixture
def no_pictures(monkeypatch):
    """Cards of this test have empty pictures: drawing takes most of their time.

    Those of `tests/report` and of every kind of study in `tests/cli` are drawn.
    """
    names = "frontier", "who_is_hurt", "recall_change", "recall", "layer_sparsities"
    names += ("multiplicity",)
    empty = {name: Picture("data:,", name) for name in names}
    monkeypatch.setattr("prune_fair.report.render.draw", lambda task: empty)


def idx_bytes(array: np.ndarray) -> bytes:
    """An array of unsigned bytes as an IDX file."""
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes((0, 0, 8, array.ndim)) + shape + array.tobytes()


@pytest.fixture
def write_idx_folder(rng):
    """Writes a small dataset of random images as the four files of the MNIST family."""

    def write(folder: Path, image: tuple[int, int], sizes: tuple[int, int], classes: int) -> None:
        folder.mkdir(exist_ok=True)
        for part, size in zip(("train", "t10k"), sizes, strict=True):
            images = rng.integers(0, 256, (size, *image), dtype=np.uint8)
            labels = (np.arange(size) % classes).astype(np.uint8)
            compressed = gzip.compress(idx_bytes(images))
            (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(compressed)
            (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))

    return write


@pytest.fixture
def wide():
    """Computes in float64, and casts the floats of a tree to it: for claims that are algebra.

    Rounding is then 1e-16. Trainings of 50 steps and BatchNorm amplify it to 1e-11, on any
    processor; another batch, mask, seed or moment changes parameters by 1e-3 and more. Bounds of
    1e-8 lie between, with three orders of magnitude and more to either side.
    """

    def cast(leaf):
        return np.asarray(leaf, np.float64) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    with jax.enable_x64(True):
        yield lambda tree: jax.tree.map(cast, tree)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def results_of(recalls: np.ndarray, images: int = 1000) -> xr.Dataset:
    """Results whose networks have these recalls (technique, seed, level, class)."""
    right = np.round(recalls * images).astype(np.int32)
    classes = recalls.shape[-1]
    confusion = np.zeros((*recalls.shape, classes), np.int32)
    for c in range(classes):
        confusion[..., c, c] = right[..., c]
        confusion[..., c, (c + 1) % classes] = images - right[..., c]
    members = ("technique", "seed", "level")
    levels = recalls.shape[2]
    sparsity = np.broadcast_to(1 - 0.5 ** np.arange(levels), recalls.shape[:3])
    names = [f"c{c}" for c in range(classes)]
    return xr.Dataset(
        {
            "confusion": ((*members, "true", "predicted"), confusion),
            "sparsity": (members, sparsity),
        },
        {
            "technique": [f"m{i}" for i in range(len(recalls))],
            "level": range(levels),
            "true": names,
            "predicted": names,
        },
    )


@pytest.fixture(name="results_of")
def results_of_fixture():
    """`results_of`, for the tests."""
    return results_of


def with_predictions(results: xr.Dataset, nested: bool = True) -> xr.Dataset:
    """The results with predictions of single images that give their counts.

    Args:
        results: whose classes have as many images in every finished network.
        nested: whether the images of a class that a network has right are the first ones, so that
            all networks have the same ones wrong; else each network has its own.
    """
    counts = results["confusion"].values
    classes = counts.shape[-1]
    images = counts.sum(axis=-1).reshape(-1, classes).max(axis=0)
    labels = np.repeat(np.arange(classes), images)
    said = np.full((*counts.shape[:3], len(labels)), 255, np.uint8)
    rng = np.random.default_rng(0)
    for place in np.ndindex(counts.shape[:3]):
        for true in range(classes):
            order = np.roll(np.arange(classes), -true)
            own = np.repeat(order, counts[(*place, true, order)])
            if len(own):
                own = own if nested else rng.permutation(own)
                said[place][labels == true] = own
    return results.assign(
        predictions=(("technique", "seed", "level", "image"), said), image_label=("image", labels)
    ).assign_coords(image=range(len(labels)))


@pytest.fixture(name="with_predictions")
def with_predictions_fixture():
    """`with_predictions`, for the tests."""
    return with_predictions


@pytest.fixture
def by_hand():
    """Two techniques, four seeds, three levels, two classes; class c1 falls, c0 rises a little."""
    recall = np.array(
        [
            [[0.9, 0.8], [0.905, 0.79], [0.9, 0.70]],
            [[0.9, 0.8], [0.90, 0.77], [0.5, 0.3]],
        ]
    )
    noise = np.array([-0.01, 0.0, 0.0, 0.01])[None, :, None, None]
    return results_of(recall[:, None] + noise)
