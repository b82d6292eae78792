"""The reports: complete, safe whatever the labels, and standing alone."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest

from studysmart.learning import Prior, Responses, simulate
from studysmart.learning.evaluation import Evaluation, evaluate
from studysmart.learning.evaluation_report import to_html, to_markdown
from studysmart.learning.reading import Log

EVIL = '<script>alert("1")</script>|<b>\n& name'


def broken(_):
    """Fails with markup."""
    raise ValueError(EVIL)


@cache
def evaluation(*, all_folds: bool = False) -> Evaluation:
    """Two models and one that fails, on a log with a strange name."""
    table = simulate(learners=10, answers=300)
    _, who = np.unique(table.learner, return_inverse=True)
    log = Log(table, (who % 3 + 1).astype(str))
    models = {"prior": Prior.fit, EVIL: Prior.fit, "broken": broken}
    return evaluate(log, models, name=EVIL, all_folds=all_folds, resamples=20)


class Tags(HTMLParser):
    """Every tag with its attributes, and that each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        """Remember."""
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Closed already."""
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        """In order."""
        assert tag == self.open.pop()


def test_the_page_stands_alone():
    """No script, nothing from anywhere; light and dark; every tag closed."""
    page = to_html([evaluation()])
    tags = Tags()
    tags.feed(page)
    assert [] == tags.open
    kinds = {tag for tag, _ in tags.seen}
    assert kinds.isdisjoint({"script", "link", "img", "iframe", "object", "b"})
    for _, attributes in tags.seen:
        assert attributes.keys().isdisjoint({"src", "href", "onload", "onclick"})
    assert "http" not in page.replace("http-equiv", "")
    assert "prefers-color-scheme: dark" in page


@pytest.mark.parametrize("all_folds", [False, True])
def test_the_page_has_a_plot_of_each_kind_for_each_model(all_folds):
    """Well-formed drawings, named for readers who don't see them."""
    page = to_html([evaluation(all_folds=all_folds)])
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert 2 * 2 == len(drawings)
    for drawing in drawings:
        assert ET.fromstring(drawing).get("aria-label")  # noqa: S314 - our own


def test_labels_are_text():
    """Whatever a file or a model is called; a failure's own words too."""
    page = to_html([evaluation()])
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_tables_for_the_screen_have_the_cells_of_their_header():
    """A pipe or a line break in a name ends no cell."""
    widths: set[int] = set()
    for line in [*to_markdown([evaluation()]).splitlines(), ""]:
        if line.startswith("|"):
            widths.add(len(re.findall(r"(?<!\\)\|", line)))
        else:
            assert len(widths) <= 1, line
            widths.clear()


def test_failures_and_means_are_said():
    """A model without scores has dashes, and its reason above the table."""
    text = to_markdown([evaluation(all_folds=True)])
    assert "No scores: broken, fold 1: ValueError: <script>" in text
    assert "| prior | mean |" in text
    assert "| broken | mean | – |" in text
    assert "| prior | fold 3 |" in text


def test_a_leak_is_shouted():
    """In the list above the tables, and beside the model's name."""

    class Peeking(Prior):
        def predict_all(self, responses):
            found = super().predict_all(responses)
            found.p_correct[:] = 0.4 + 0.2 * responses.correct
            return found

    found = evaluate(simulate(learners=10, answers=300), {"cheat": Peeking.fit})
    assert "LEAK, not to be compared: cheat" in to_markdown([found])
    assert "cheat (LEAKS)" in to_markdown([found])
    assert 'class="bad">LEAK' in to_html([found])


def test_without_times_there_is_nothing_about_times():
    """No empty tables or plots."""
    table = Responses.from_columns(
        learner=["a", "b"] * 20, correct=[k % 3 == 0 for k in range(40)], item=["x"] * 40
    )
    found = evaluate(table, ["prior"])
    assert "Response time" not in to_markdown([found])
    assert "Calibration of the times" not in to_html([found])
    assert "coverage" not in to_markdown([found])
