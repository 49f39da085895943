"""The page and its Markdown twin: whole, the same numbers, and no text that does anything."""

import itertools
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from prune_fair import InputError, Schedule, audit, cli
from prune_fair.datasets import load
from prune_fair.report import make_card, render, write_card
from prune_fair.report.render import as_html, as_markdown, escape_markdown

FIGURE = re.compile(
    r"[+\N{MINUS SIGN}]?\d+\.\d+ \[[+\N{MINUS SIGN}]?[\d.]+, [+\N{MINUS SIGN}]?[\d.]+\]"
)


class Page(HTMLParser):
    """What a page consists of."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def words(self):
        return " ".join(" ".join(self.text).split())


def check_harmless(text):
    page = Page(text)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "iframe", "object", "embed", "form", "base", "svg", "i", "b"}
    for tag, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("src", "href"):
            assert attrs.get(name, "#").startswith(("data:", "#")), (tag, attrs)
        assert "style" not in attrs
    assert "url(" not in text
    assert "@import" not in text
    return page


def test_page_is_self_contained_and_accessible(toy_page):
    page = check_harmless(toy_page)
    tags = page.tags
    assert toy_page.startswith("<!doctype html>")
    assert ("html", {"lang": "en"}) in tags
    policy = next(a["content"] for t, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    pictures = [attrs for tag, attrs in tags if tag == "img"]
    assert len(pictures) == 8
    assert all(picture["alt"] for picture in pictures)
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(deeper <= level + 1 for level, deeper in itertools.pairwise(levels))
    assert len(toy_page) < 3_000_000


def test_both_have_the_same_numbers(toy_study):
    card = make_card(toy_study, ["recall_change_min>=-0.05"])  # accuracy alone chooses another
    words = Page(as_html(card)).words()
    figures = FIGURE.findall(as_markdown(card))
    assert len(figures) > 60
    assert sorted(figures) == sorted(FIGURE.findall(words))


def test_the_same_study_gives_the_same_page(toy_study, toy_page, toy_text):
    again = make_card(toy_study)
    assert as_html(again) == toy_page
    assert as_markdown(again) == toy_text


def test_harmful_names_are_shown_as_text(hostile_page):
    page = check_harmless(hostile_page)
    words = page.words()
    assert "<script>alert(1)</script>" in words
    assert "</pre><script>alert(2)</script>" in words
    assert "a|b `c` *é* [x](http://evil.example) $5$" in words
    assert "<i>name<" in words


def test_harmful_names_in_markdown(hostile_card):
    text = as_markdown(hostile_card)
    fence = re.compile(r"^(`{3,}).*?^\1$", re.DOTALL | re.MULTILINE)
    assert any("alert(2)" in block[0] for block in fence.finditer(text))
    outside = fence.sub("", text)
    assert "<" not in outside
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in outside
    assert r"a\|b \`c\` \*é\* \[x\](http://evil.example) $5$" in outside
    rows = [line for line in outside.splitlines() if line.startswith("|")]
    for line in rows:
        assert line.endswith("|")


def test_markdown_tables_have_as_many_cells_in_every_row(toy_text):
    cells = None
    for line in toy_text.splitlines():
        if not line.startswith("|"):
            cells = None
            continue
        found = len(re.findall(r"(?<!\\)\|", line))
        assert cells in (None, found), line
        cells = found


def test_two_tasks_each_have_their_decision(edited):
    def double(study):
        study["tasks"]["digits/other"] = study["tasks"]["digits/mlp"]
        study["config"]["tasks"] *= 2

    card = make_card(edited(double))
    for text in (as_html(card), as_markdown(card)):
        assert "Decisions" in text
        for name in ("digits/mlp", "digits/other"):
            assert name in text
        assert len(re.findall(r"Decision: \w+", text)) == 2


@pytest.mark.parametrize(
    "finished", [lambda first, level: level == 0, lambda first, level: first == 0]
)
def test_unfinished_studies_have_a_card(edited, finished):
    card = make_card(edited(lambda study: None, finished=finished))
    page = Page(as_html(card)).words()
    assert "still running" in page
    assert "nan" not in page.lower().split()
    assert "still running" in as_markdown(card)


def test_networks_that_were_handed_over(tmp_path):
    images, labels = load("digits")[:2]
    arrays = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    centres = np.stack([images[labels == c].mean(0).ravel() for c in range(10)], axis=-1) / 255

    def nearest(variables, images):
        kernel = variables["kernel"]
        return images.reshape(-1, 64) @ kernel - (kernel**2).sum(0, keepdims=True) / 2

    schedule = Schedule("one-shot", sparsities=(0.5, 0.9))
    techniques = ["magnitude-global-none-output"]
    networks = [{"kernel": centres.astype(np.float32)}]
    audit(nearest, networks, arrays, tmp_path / "audit", techniques=techniques, schedule=schedule)
    card = make_card(tmp_path / "audit")
    page = Page(as_html(card)).words()
    assert "Networks or images were handed over as they are" in page
    assert "handed over trained" in page
    assert "from Python" not in page
    assert "handed over trained" in as_markdown(card)


def test_nothing_qualifies_in_the_headline(toy_study, tmp_path, capsys, no_pictures):
    out = tmp_path / "new" / "card.html"
    with pytest.raises(SystemExit) as stop:
        cli.main(
            ["report", str(toy_study), "--require", "recall_group_min>=0.9999", "--out", str(out)]
        )
    assert stop.value.code == 1  # as of `select`: the answer is nothing, and the card says so
    printed = capsys.readouterr().out
    assert "digits/mlp: No operating point holds what was asked" in printed
    assert str(out) in printed
    assert str(out.with_suffix(".md")) in printed
    assert "Decision: Nothing qualifies" in out.read_text()
    assert "recall_group_min&gt;=0.9999" in out.read_text()
    assert "## Decision: Nothing qualifies" in out.with_suffix(".md").read_text()


def test_the_default_is_beside_the_results(edited, monkeypatch):
    monkeypatch.setattr(render, "as_html", lambda card: "page")
    path = edited(lambda study: None)
    written = write_card(path)
    assert written.html == path / "report.html"
    assert written.html.read_text().splitlines()[0] == "page"
    assert written.markdown.read_text().startswith("# Pruning card: edited")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "card.md"], "expected a name that ends in .html"),
        (["--require", "recal_group_min>=0"], "did you mean 'recall_group_min'"),
        (["--out", "/dev/null/card.html"], "cannot be written"),
    ],
)
def test_mistakes(capsys, toy_study, no_pictures, arguments, message):
    with pytest.raises(SystemExit) as stop:
        cli.main(["report", str(toy_study), *arguments])
    assert stop.value.code == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert message in printed


def test_nowhere(tmp_path):
    with pytest.raises(InputError, match="no study"):
        write_card(tmp_path)


def test_escape_markdown():
    assert escape_markdown("a\n# b") == r"a \# b"
    assert escape_markdown(3) == 3
    assert escape_markdown("4.8 [3.0, 6.9]") == "4.8 [3.0, 6.9]"
    assert escape_markdown("[1, 2](x) [1, 2][3]: [1, 2]: y [1]") == (
        r"\[1, 2\](x) \[1, 2\]\[3\]: \[1, 2\]: y \[1\]"
    )
