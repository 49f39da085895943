"""Notebooks are what their scripts say, short, and kept with what they show and nothing else.

That they run is tested by nbmake, see the Makefile.
"""

import ast
import base64
import re
from pathlib import Path

import jupytext
import nbformat
import pytest

pytestmark = pytest.mark.whole

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
MACHINE = re.compile(
    r"(?<![\w.:/<])/(tmp|home|root|work|usr|var|opt|Users|private)\b|0x[0-9a-f]{6,}"
)
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def notebook(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code(notebook) for output in cell.outputs]


def test_there_are_six_each_with_its_script():
    assert [name[:3] for name in NAMES] == ["01_", "02_", "03_", "04_", "05_", "06_"]
    assert sorted(path.stem for path in FOLDER.glob("[0-9]*.py")) == NAMES


def test_says_what_its_script_says(name, notebook):
    script = jupytext.read(FOLDER / f"{name}.py", fmt="py:percent")
    cells = [[(c.cell_type, c.source) for c in each.cells] for each in (script, notebook)]
    assert cells[0] == cells[1], "run `make notebooks`"


def test_is_short_without_functions_and_ends_in_words(notebook):
    assert len(notebook.cells) <= 15
    trees = [ast.parse(cell.source) for cell in code(notebook)]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    assert not [n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    last = notebook.cells[-1]
    assert last.cell_type == "markdown"
    assert "**Conclusion.**" in last.source


def test_is_kept_with_what_it_shows(name, notebook):
    assert [cell.execution_count for cell in code(notebook)] == [*range(1, len(code(notebook)) + 1)]
    pictures = [o.data["image/png"] for o in outputs(notebook) if "image/png" in o.get("data", {})]
    assert pictures
    assert all(base64.b64decode(each).startswith(b"\x89PNG") for each in pictures)
    assert (FOLDER / f"{name}.ipynb").stat().st_size < 400_000


def test_shows_nothing_of_the_machine_it_ran_on(notebook):
    assert notebook.metadata == METADATA
    assert not any(cell.metadata for cell in notebook.cells)
    for output in outputs(notebook):
        assert output.output_type != "error"
        assert output.get("name") != "stderr"
        assert not output.get("metadata")
        texts = [output.get("text", "")]
        texts += [text for kind, text in output.get("data", {}).items() if kind != "image/png"]
        for text in texts:
            assert not MACHINE.search(text)
            assert "Warning" not in text
