"""Studies to write cards of: the toy study with what study.json says of it changed."""

from dataclasses import replace

import pytest

import prune_fair
from prune_fair.report import make_card
from prune_fair.report.render import as_html, as_markdown


@pytest.fixture(scope="session")
def toy_card(toy_study):
    return make_card(toy_study)


@pytest.fixture(scope="session")
def toy_page(toy_card):
    return as_html(toy_card)


@pytest.fixture(scope="session")
def toy_text(toy_card):
    return as_markdown(toy_card)


@pytest.fixture(scope="session")
def one_seed(toy_config, tmp_path_factory):
    """The directory of a study of one seed, with predictions."""
    path = tmp_path_factory.mktemp("studies") / "one-seed"
    prune_fair.run_study(replace(toy_config, seeds=1), path)
    return path


@pytest.fixture(scope="session")
def edited(toy_study, copy_study, tmp_path_factory):
    """Makes a study of the toy study's results, with a study.json that a function has changed."""

    def edit(change, name="edited", finished=lambda first, level: True, source=toy_study):
        path = tmp_path_factory.mktemp("studies") / name
        return copy_study(source, path, change, finished)

    return edit


HOSTILE = {"8": "<script>alert(1)</script>", "3": "a|b `c` *é* [x](http://evil.example) $5$"}


@pytest.fixture(scope="session")
def hostile(edited):
    """A study whose names are meant to do harm."""

    def rename(study):
        labels = study["tasks"]["digits/mlp"]["labels"]
        for axis in ("true", "predicted"):
            labels[axis] = [HOSTILE.get(name, name) for name in labels[axis]]
        study["runs"][0]["command"] = ["x.py", "</pre><script>alert(2)</script>", "```"]
        study["config"]["tasks"][0]["data"]["groups"] = "<b>bold</b>"

    return edited(rename, "<i>name<")


@pytest.fixture(scope="session")
def hostile_card(hostile):
    return make_card(hostile)


@pytest.fixture(scope="session")
def hostile_page(hostile_card):
    return as_html(hostile_card)
