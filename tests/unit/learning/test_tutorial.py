"""The tutorial does what it says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "tutorial" / "library.md"


def test_every_block_of_the_tutorial_runs_and_prints_what_it_shows():
    """In order, in one namespace, as a reader would."""
    blocks = re.findall(r"```(python|text)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 14
    names: dict[str, object] = {}
    printed = ""
    for language, text in blocks:
        if language == "text":
            assert text == printed
        else:
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(text, str(PAGE), "exec"), names)  # noqa: S102 - our own page
            printed = out.getvalue()
