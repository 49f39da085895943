"""What every line of versions in constraints.txt must do: imports, a study and commands on it.

Run by the Python of an environment that has the package; the first failure ends it, and not with 0.
"""

import importlib
import json
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jax

import prune_fair

ROOT = Path(__file__).parent.parent
TOY = ["--seeds=2", "--recipe.epochs=1", "--schedule.levels=1"]
TECHNIQUE = "magnitude-global-rewind"


def run(*words: str | Path) -> str:
    """What a command prints."""
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


for module in pkgutil.walk_packages(prune_fair.__path__, "prune_fair."):
    if module.name != "prune_fair.__main__":  # importing it is running it
        importlib.import_module(module.name)

command = Path(sys.executable).with_name("prune-fair")
with tempfile.TemporaryDirectory() as folder:
    study = Path(folder) / "study"
    run(
        sys.executable,
        ROOT / "experiments" / "quickstart.py",
        "--out",
        study,
        *TOY,
        "--techniques",
        TECHNIQUE,
    )
    rows = json.loads(run(command, "metrics", study, "--json"))["tasks"]["fashion14/mlp"]
    assert [row["level"] for row in rows if not row["control"]] == [0, 1], rows
    assert all(0 < row["accuracy"]["mean"] <= 1 for row in rows), rows
    run(command, "report", study)
    assert (study / "report.html").is_file()
    every = Path(folder) / "every"
    kinds = "magnitude-global-finetune+distillation", "class_quota-global-rewind+constrained"
    counted = "--calibration", "--data.shift", "noise@3", "occlude@1"
    asked = "--techniques", *kinds, "random-erk-rigl@2", "magnitude-global-straight_through"
    run(command, "run", "--out", every, *TOY, *counted, *asked)
    for words in (["calibration"], ["shift"], ["metrics", "--split", "noise@3"]):
        run(command, words[0], every, *words[1:])
print(f"Python {sys.version.split()[0]}, JAX {jax.__version__}: imports, a study and its report")
