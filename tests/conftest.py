"""What every tier shares: the browser, the long runs, and a wall around this machine."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

CI = os.environ.get("CI") == "true"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SOAK = 50  # times the examples of each property

# No deadline: machines are noisy. In CI the examples are the same each time, so that a red run is
# red for the change it tests; everywhere else they are new each time, to find something.
hypothesis.settings.register_profile("here", deadline=None, derandomize=CI, print_blob=True)
hypothesis.settings.load_profile("here")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--soak`."""
    parser.addoption("--soak", action="store_true", help="fifty times the examples a property")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--soak`, more examples for each property, without its own limit of time."""
    if not config.getoption("--soak"):
        return
    for item in items:
        test = getattr(item, "function", None)
        if test is not None and getattr(test, "is_hypothesis_test", False):
            given = getattr(test, "_hypothesis_internal_use_settings", hypothesis.settings())
            test._hypothesis_internal_use_settings = hypothesis.settings(
                given, max_examples=given.max_examples * SOAK, derandomize=False
            )
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The system's Chromium.

    Without one the test is skipped and says so; in CI it fails, because nothing would be tested.
    """
    named = os.environ.get("STUDYSMART_CHROMIUM")
    found = next(filter(None, map(shutil.which, [named] if named else BROWSERS)), None)
    if found is None:
        missing = f"no Chromium: looked for {named or ', '.join(BROWSERS)} (STUDYSMART_CHROMIUM)"
        if CI:
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@pytest.fixture(autouse=True, scope="session")
def _only_this_machine() -> Iterator[None]:
    """A test that reaches for the network fails, wherever it runs."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            pytest.fail(f"a test reached for the network: {address}")
        real(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        yield
