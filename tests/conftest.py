"""What every tier shares: the browser, the long runs, and a wall around this machine."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from studysmart.store import Store
from studysmart.store.migrations import migrate
from tests import builders, postgres

CI = os.environ.get("CI") == "true"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SOAK = 50  # times the examples of each property

# No deadline: machines are noisy. In CI the examples are the same each time, so that a red run is
# red for the change it tests; everywhere else they are new each time, to find something.
hypothesis.settings.register_profile("here", deadline=None, derandomize=CI, print_blob=True)
hypothesis.settings.load_profile("here")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--soak`."""
    parser.addoption("--soak", action="store_true", help="the long runs")


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


def pytest_configure(config: pytest.Config) -> None:
    """Name our marks."""
    config.addinivalue_line("markers", "both_databases: runs on SQLite and on PostgreSQL")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `both_databases` run once on each."""
    if metafunc.definition.get_closest_marker("both_databases"):
        metafunc.parametrize("_database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Postgres]:
    """A PostgreSQL server with a migrated, empty database `migrated` to copy.

    Without PostgreSQL the test is skipped and says so; in CI it fails, because nothing would be
    tested.
    """
    missing = postgres.missing()
    if missing and CI:
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    server = postgres.Postgres()
    try:
        store = Store(server.url(server.create(name="migrated")))
        migrate(store)
        store.close()
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def _database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Which database `builders.new_store` makes."""
    on_postgres = getattr(request, "param", "sqlite") == "postgresql"
    made: list[str] = []
    if on_postgres:
        server: postgres.Postgres = request.getfixturevalue("postgres_server")

        def fresh() -> str:
            made.append(server.create(template="migrated"))
            return server.url(made[-1])

        monkeypatch.setattr(builders, "fresh_postgres", fresh)
    yield
    while builders.opened:
        builders.opened.pop().close()
    for name in made:
        server.drop(name)


def installed_browser() -> str | None:
    """The path of the system's Chromium, or of the one that STUDYSMART_CHROMIUM names."""
    named = os.environ.get("STUDYSMART_CHROMIUM")
    return next(filter(None, map(shutil.which, [named] if named else BROWSERS)), None)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The system's Chromium.

    Without one the test is skipped and says so; in CI it fails, because nothing would be tested.
    """
    found = installed_browser()
    if found is None:
        missing = f"no Chromium: looked for {', '.join(BROWSERS)}; STUDYSMART_CHROMIUM names one"
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
