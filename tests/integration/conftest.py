"""An application over a database of its own, without a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from studysmart.settings import Settings
from studysmart.store import Store, learners
from studysmart.web.app import create_app
from tests.builders import new_store

ADDRESS = "http://127.0.0.1:4008"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """The database, with the local learner, as a first start leaves it."""
    store = new_store(tmp_path)
    with store.write() as tx:
        learners.ensure_local(tx, name="You", now=0.0)
    return store


@pytest.fixture
def open_client(store: Store, tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """Opens browsers: clients with cookies of their own, on one application."""
    opened: list[TestClient] = []
    app = create_app(store, Settings(data_dir=tmp_path, poll_s=0.05))
    with TestClient(app, base_url=ADDRESS):

        def another(**options: Any) -> TestClient:
            client = TestClient(app, base_url=ADDRESS, **options)
            opened.append(client)
            return client

        yield another
        for client in opened:
            client.close()


@pytest.fixture
def api(open_client: Callable[..., TestClient]) -> TestClient:
    """One browser."""
    return open_client()
