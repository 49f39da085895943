"""Wrong flags are one line, and what is refused of one task of several names it."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError, analysis, cli
from prune_fair.cli.flags import by_task


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("select study --confidence x", "--confidence: could not convert string to float: 'x'; "),
        ("select study --confidence x", "; expected --confidence FLOAT; for full helptext"),
        ("select", "Missing from prune-fair select: STUDY"),
        ("select study --confidenc 0.9", "Unrecognized options: --confidenc"),
        ("select study --confidenc 0.9", "; perhaps you meant: --confidence FLOAT"),
        ("metrics study --json twice", "Unrecognized options: twice"),
        ("metric study", "Unrecognized options: metric"),
        ("", "Expected one of {demo, run, list, metrics"),
        ("run --data.validation abc", "--data.validation: no type matching {None}|FLOAT could be"),
        ("run --data.validation abc", "['abc']; expected --data.validation {None}|FLOAT; for"),
        ("run --seed 3", "Unrecognized options: --seed, 3; perhaps you meant: "),
        ("run --seed 3", " --seeds INT "),
        ("demo --out", "Missing value for argument '--out'"),
    ],
)
def test_wrong_flags_are_one_line(words, message, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(words.split())
    out, error = capsys.readouterr()
    assert (stop.value.code, out) == (2, "")
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error


def test_help_is_printed_whole(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["select", "--help"])
    out, error = capsys.readouterr()
    assert (stop.value.code, error) == (0, "")
    assert "--confidence FLOAT" in out


@pytest.mark.parametrize(("tasks", "place"), [(("/cells/mlp",), ""), (("/a", "/b"), "a: ")])
def test_what_is_refused_of_one_of_several_tasks_names_it(tasks, place, results_of):
    tree = xr.DataTree.from_dict(dict.fromkeys(tasks, results_of(np.full((1, 3, 2, 2), 0.9))))
    asked = ["by_group_accuracy_ratio>=0.5"]
    with pytest.raises(InputError, match=f"^{place}metric 'by_group_accuracy_ratio': these"):
        by_task(tree, lambda node: analysis.select(node, asked))
    assert [*by_task(tree, analysis.diverged)] == [name[1:] for name in tasks]
