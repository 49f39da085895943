"""`prune-fair audit`: a checkpoint and a module become a card, and mistakes one line."""

import jax
import numpy as np
import orbax.checkpoint
import pytest
from flax import nnx

from prune_fair import cli
from prune_fair.datasets import load
from prune_fair.store import load_tree

NETWORK = """
import jax.numpy as jnp
from flax import nnx

def plain():
    return lambda layers, images: jnp.dot(
        jnp.tanh(images.reshape(len(images), -1) @ layers[0]["w"]), layers[1]["w"]
    )

class Module(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Linear(64, 6, use_bias=False, rngs=rngs)
        self.last = nnx.Linear(6, 10, use_bias=False, rngs=rngs)

    def __call__(self, images):
        return self.last(self.first(images.reshape(len(images), -1)))

def in_nnx():
    graph, state = nnx.split(Module(nnx.Rngs(0)))
    return (lambda variables, images: nnx.merge(graph, variables)(images)), state

def broken():
    return "no function"

number = 3

def raises():
    return {}["weights"]

def leaves():
    raise SystemExit(0)

def triple():
    return plain(), 1, 2
"""
BROKEN = {
    "raising": "import math\n\nmath.sqrt(-1)\n",
    "leaving": "import sys\nsys.exit()\n",
    "lacking": "import not_there_at_all\n",
    "misspelt": "x = 1\nx = = 2\n",
    "of_a_kind": "raise AttributeError('a bug of its own')\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A directory with a module, checkpoints of two networks and an NNX state, and images."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "my_network.py").write_text(NETWORK)
    for name, text in BROKEN.items():
        (folder / f"{name}.py").write_text(text)
    for name, text in {"_METADATA": "{}", "manifest.ocdbt": "none", "_sharding": "["}.items():
        (folder / "foreign").mkdir(exist_ok=True)
        (folder / "foreign" / name).write_text(text)
    rng, digits = np.random.default_rng(0), load("digits")
    layers = [{"w": rng.normal(size=shape).astype(np.float32)} for shape in ((64, 12), (12, 10))]
    parts = {"x_train": digits.train_images[:200], "y_train": digits.train_labels[:200]}
    parts |= {"x_test": digits.test_images[:200], "y_test": digits.test_labels[:200]}
    np.savez(folder / "digits.npz", **parts)
    names: dict = {}
    exec(NETWORK, names)
    module = names["Module"](nnx.Rngs(1))
    with orbax.checkpoint.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder / "trained", {"state": {"layers": layers}, "step": 7})
        checkpointer.save(folder / "bare", layers)
        checkpointer.save(folder / "nnx", jax.tree.map(np.asarray, nnx.split(module)[1]))
    return folder


@pytest.fixture
def audit(folder, tmp_path, monkeypatch, capsys):
    """Runs the command in that directory; gives its exit status, output and error."""

    def run(network="plain", checkpoint="bare", *words):
        monkeypatch.chdir(folder)
        asked = ["audit", "--network", f"my_network:{network}" if ":" not in network else network]
        asked += ["--checkpoints", checkpoint, "--data.name", "npz:digits.npz"]
        asked += ["--out", str(tmp_path / "study"), "--schedule.sparsities", "0.5", "0.9"]
        asked += ["--techniques", "magnitude-global-none", *words]
        try:
            cli.main(asked)
            status = 0
        except SystemExit as stopped:
            status = stopped.code
        return status, *capsys.readouterr()

    return run


def test_a_checkpoints_entry_becomes_a_card_and_a_pruned_checkpoint(audit, folder, tmp_path):
    chosen = tmp_path / "chosen"
    words = "--entry", "state/layers", "--require", "sparsity>=0.4", "--export", str(chosen)
    status, out, _ = audit("plain", "trained", *words, "--maximise", "accuracy")
    assert status == 0
    assert "interval over 200 test images of one network" in out
    card = (tmp_path / "study/report.html").read_text()
    assert "1 trained network handed over" in card
    assert "were handed over trained, and were not trained again" in card
    kept, dense = load_tree(chosen), load_tree(folder / "bare")
    for kernel, mask, whole in zip(kept["variables"], kept["mask"], dense, strict=True):
        np.testing.assert_array_equal(kernel["w"], np.where(mask["w"], whole["w"], 0))
    assert kept["mask"][0]["w"].mean() in (
        pytest.approx(0.5, abs=0.01),
        pytest.approx(0.1, abs=0.01),
    )
    assert kept["mask"][1]["w"].all()  # the output layer


def test_a_factory_may_say_what_the_variables_tree_is(audit, no_pictures, tmp_path):
    status, out, _ = audit("in_nnx", "nnx", "--name", "linear")
    assert status == 0
    assert "digits/linear" in out
    assert "layers first, last" in (tmp_path / "study/report.md").read_text()


def test_where_nothing_qualifies_the_card_says_so_and_nothing_is_exported(audit, tmp_path):
    words = "--require", "accuracy>=0.99", "--export", str(tmp_path / "chosen")
    assert audit("plain", "bare", *words)[0] == 1
    assert (tmp_path / "study/report.html").is_file()
    assert not (tmp_path / "chosen").exists()


@pytest.mark.parametrize(
    ("network", "checkpoint", "words", "message"),
    [
        ("elsewhere:plain", "bare", (), "no module 'elsewhere'; expected module:factory"),
        ("plain", "nowhere", (), "nowhere: no such checkpoint"),
        ("missing", "bare", (), "my_network has no 'missing'"),
        ("number", "bare", (), "number cannot be called"),
        ("broken", "bare", (), "broken() gives str; expected a function"),
        (":plain", "bare", (), "network ':plain': expected module:factory"),
        ("plain", "trained", ("--entry", "state/weights"), "no entry 'weights' at state; expected"),
        ("plain", "trained", ("--entry", "params"), "at its root; expected one of state, step"),
        ("plain", "nnx", (), "`apply` fails for these variables and images (n, 8, 8, 1)"),
        ("in_nnx", "bare", (), "expected the leaves of the tree that the factory gives"),
        ("plain", ".", (), "cannot be read as an Orbax checkpoint"),
        ("plain", "foreign", (), "cannot be read as an Orbax checkpoint"),
        ("plain", "my_network.py", (), "no such checkpoint"),
        ("my_network", "bare", (), "my_network has no 'my_network'"),
        ("..:plain", "bare", (), "network '..:plain': expected module:factory"),
        ("a/b:plain", "bare", (), "network 'a/b:plain': expected module:factory"),
        ("my_network:a:b", "bare", (), "network 'my_network:a:b': expected module:factory"),
        ("my_network.deeper:plain", "bare", (), "no module 'my_network.deeper'"),
        ("raising:plain", "bare", (), "importing raising raises ValueError: math domain error ("),
        ("raising:plain", "bare", (), "raising.py, line 3); correct it there"),
        ("leaving:plain", "bare", (), "leaving.py, line 2)"),
        ("lacking:plain", "bare", (), "ModuleNotFoundError: No module named 'not_there_at_all'"),
        ("misspelt:plain", "bare", (), "misspelt.py, line 2)"),
        ("of_a_kind:plain", "bare", (), "AttributeError: a bug of its own"),
        ("raises", "bare", (), "raises() raises KeyError: 'weights' ("),
        ("leaves", "bare", (), "leaves() raises SystemExit: 0 ("),
        ("triple", "bare", (), "triple() gives tuple; expected a function"),
        ("plain", "bare", ("--name", "../../x"), "network '../../x': expected 1 to 100 printable"),
        ("plain", "bare", ("--confidence", "1"), "confidence 1.0: expected"),
        ("plain", "bare", ("--require", "accuracy"), "accuracy"),
        ("plain", "bare", ("--require", "acuracy>=0.5"), "did you mean 'accuracy'"),
        ("plain", "bare", ("--maximise", "speed"), "unknown objective 'speed'"),
        ("plain", "bare", ("--require", "by_group_accuracy_ratio>=1"), "have no groups"),
        ("plain", "bare", ("--certify", "--checkpoints", "bare", "bare"), "certify: 2 networks"),
        ("plain", "bare", ("--name", ""), "network '': expected 1 to 100 printable"),
        ("plain", "bare", ("--name", "/tmp/x"), "network '/tmp/x': expected 1 to 100 printable"),
    ],
)
def test_mistakes_are_one_line(audit, tmp_path, network, checkpoint, words, message):
    status, _, error = audit(network, checkpoint, *words)
    assert status == 2
    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert not (tmp_path / "study").exists()
