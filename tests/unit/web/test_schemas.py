"""What the API can say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from studysmart.learning.engine import KINDS
from studysmart.web.schemas import Forecast

PAGE = Path(__file__).parents[3] / "frontend" / "src"


def test_every_model_can_be_named_by_the_api_and_by_the_page():
    """A kind that trains but cannot be told would turn every forecast into an error."""
    kinds = {*KINDS, "constant"}
    assert kinds == set(get_args(Forecast.model_fields["model"].annotation))
    told = (PAGE / "api" / "types.ts").read_text()
    page = re.search(r"model: ((?:'\w+' ?\|? ?)+);", told)
    assert page is not None
    assert kinds == set(re.findall(r"'(\w+)'", page[1]))
