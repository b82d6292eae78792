"""Build hook: wheel and source distribution carry the built page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent / "tools"))
from setup import STATIC, build_page


class PageHook(BuildHookInterface[Any]):
    """Builds the page before anything is packed; an editable install leaves that to `make`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and name the folder that git ignores."""
        if version == "editable":
            return
        build_page()
        if STATIC.exists():
            build_data["artifacts"].append("/src/studysmart/web/static")
