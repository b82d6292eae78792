"""The warm predictor of a process, while models come and go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studysmart.forecasting import Forecaster, response
from studysmart.store import Store, attempts
from tests.builders import add_answer, add_learner, add_version, new_store, small_engine


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty database."""
    return new_store(tmp_path)


def test_both_sides_of_an_answer_come_from_one_model(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Also when the first model goes live between them: neither carries the other's version."""
    with store.write() as tx:
        learner, model = add_learner(tx), Forecaster()
        add_answer(tx, learner)
        (row,) = attempts.everyones(tx)
        version, chosen = add_version(tx), model._serving

        def then_swapped(*asked: Any) -> Any:
            served = chosen(*asked)
            if model.version is None:
                model.swap(small_engine(), version, tx)
            return served

        monkeypatch.setattr(model, "_serving", then_swapped)
        before, after = model.moved(tx, learner, response(row), at=2_000.0)
    assert (None, None) == (before.version, after.version)
    assert ("prior", "prior") == (before.said.model, after.said.model)
