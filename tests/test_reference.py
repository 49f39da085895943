"""The reference: every public name is in it, with an example that runs."""

import importlib
import inspect
import re
from pathlib import Path
from types import GenericAlias

import pytest

from prune_fair import pruning
from prune_fair.losses import LOSSES

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "reference"
ROOMS = ("analysis", "datasets", "fairness", "models", "plots", "pruning", "report")
TYPES = {
    "prune_fair.types": ("Batch", "Model", "Network", "Variables", "leaves_by_path"),
    "prune_fair.data": ("Dataset",),
}


def public() -> list[tuple[str, str, str]]:
    """Module, name and page."""
    rooms = {"prune_fair": "index"} | {f"prune_fair.{room}": room for room in ROOMS}
    names = [
        (module, name, page)
        for module, page in rooms.items()
        for name in importlib.import_module(module).__all__
    ]
    return names + [(module, name, "types") for module, each in TYPES.items() for name in each]


@pytest.mark.parametrize(("module", "name", "page"), public())
def test_public_name_has_an_example_that_runs(module, name, page):
    """Of functions and classes in their docstring, of constants on their room's page."""
    thing = getattr(importlib.import_module(module), name)
    text = (PAGES / f"{page}.md").read_text()
    if inspect.ismodule(thing):
        assert f"`{module}.{name}`" in text
    elif callable(thing) and not isinstance(thing, GenericAlias):
        assert ">>> " in (thing.__doc__ or "")
        assert re.search(rf"^::: ({module}|{module}\.{name})$", text, re.MULTILINE)
    else:
        example = "".join(re.findall(r"^```pycon\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
        assert re.search(rf"\b{name}\b", example)
        assert f"`{name}`" in text


def test_nothing_in_the_site_is_loaded_from_elsewhere():
    settings = (ROOT / "mkdocs.yml").read_text()
    assert "font: false" in settings
    assert "http" not in settings


@pytest.mark.parametrize(
    ("registry", "heading"),
    [
        (pruning.CRITERIA, "Criteria"),
        (pruning.SCOPES, "Scopes"),
        (pruning.GRANULARITIES, "Granularities"),
        (pruning.SCHEDULES, "Schedules"),
        (pruning.TREATMENTS, "Treatments"),
        (LOSSES, "Losses"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_row_of_what_prunes_and_trains_is_defined(registry, heading):
    """One line of its section's table each, and no line of what is no row."""
    text = (ROOT / "docs" / "pruning-and-training.md").read_text()
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE) == list(registry)
