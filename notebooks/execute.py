"""Runs the notebooks of this folder and keeps what they show; `make notebooks` calls it.

What a notebook says is in its script, NAME.py, in cells as Jupytext reads them. From it comes
NAME.ipynb, with outputs and nothing of the machine it ran on.

    python notebooks/execute.py [SCRIPT ...]
"""

import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def execute(script: Path) -> Path:
    """Runs a script's cells from top to bottom, and writes its notebook."""
    notebook = jupytext.read(script, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{number:02}", nbformat.NotebookNode()
    client = NotebookClient(notebook, record_timing=False, coalesce_streams=True)
    client.execute(cwd=str(FOLDER))
    notebook.metadata = nbformat.from_dict(METADATA)
    target = script.with_suffix(".ipynb")
    nbformat.write(notebook, target)
    return target


if __name__ == "__main__":
    for each in map(Path, sys.argv[1:] or sorted(map(str, FOLDER.glob("[0-9]*.py")))):
        print(execute(each))
