"""What tests of several layers build again and again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import update

from studysmart import learning
from studysmart.learning import Engine, LearnerModel, Lnirt, Prior, SequenceModel
from studysmart.store import Store, Tx, attempts, learners, models
from studysmart.store.migrations import migrate
from studysmart.store.tables import model_version

# Where `new_store` gets a PostgreSQL database from, while tests marked `both_databases` run on it.
fresh_postgres: Callable[[], str] | None = None
# Stores made in the running test; whoever runs tests closes them after each.
opened: list[Store] = []


@cache
def _migrated() -> bytes:
    """The file of an empty database: migrating takes longer than most tests."""
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "studysmart.sqlite3")
        migrate(store)
        store.close()
        return store.path.read_bytes()


def new_store(folder: Path) -> Store:
    """A migrated, empty database: a file in the folder, or a PostgreSQL database of its own."""
    if fresh_postgres is not None:
        opened.append(Store(fresh_postgres()))
    else:
        path = folder / "studysmart.sqlite3"
        path.write_bytes(_migrated())
        opened.append(Store(path))
    return opened[-1]


def add_learner(tx: Tx, name: str = "Ada", source: str = "account") -> UUID:
    """A learner."""
    return learners.add(tx, name=name, source=source, now=0.0)


def add_answer(tx: Tx, learner_id: UUID, **values: Any) -> UUID:
    """One counted answer from a log."""
    attempt_id = uuid4()
    defaults: dict[str, Any] = {
        "id": attempt_id,
        "learner_id": learner_id,
        "source": "import",
        "topic": "Waves",
        "skill": "waves.speed",
        "difficulty": "easy",
        "item": "waves.speed/easy",
        "is_correct": True,
        "self_marked": False,
        "response_time_s": 20.0,
        "time_plausible": True,
        "counts": True,
        "answered_at": 1_000.0,
        "received_at": 1_000.0,
        "body_sha256": "0" * 64,
    }
    attempts.add(tx, **defaults | values)
    return attempt_id


@cache
def small_engine(seed: int = 1, *, network: bool = False) -> Engine:
    """Prior and LNIRT fitted to a few simulated answers; with a network whose weights are drawn."""
    table = learning.simulate(learners=3, answers=60, seed=seed)
    prior = Prior.fit(table)
    fitted: list[LearnerModel] = [prior, Lnirt.fit(table, prior)]
    if network:
        tensors, rest = SequenceModel.fit(table[:0]).to_tensors()
        rng = np.random.default_rng(seed)
        drawn = {
            name: tensor + (0.1 * rng.normal(size=tensor.shape)).astype(tensor.dtype)
            if tensor.dtype == np.float32
            else tensor
            for name, tensor in tensors.items()
        }
        fitted.append(SequenceModel.from_tensors(drawn, rest, {"prior": prior}))
    manifest = learning.fit_prior_engine(table).manifest | {"seed": seed}
    return Engine({model.kind: model for model in fitted}, fitted[-1].kind, manifest)


def add_version(
    tx: Tx, data: bytes | None = None, *, status: str = "live", seed: int = 1, **values: Any
) -> int:
    """A version of these bytes, or of `small_engine(seed)`; live, or a challenger."""
    engine = small_engine(seed)
    data = engine.to_bytes() if data is None else data
    row: dict[str, Any] = {
        "kind": engine.serving,
        "samples": engine.manifest["samples"],
        "manifest": engine.manifest,
        "metrics": {"lnirt": {"n": 12.0, "log_loss": 0.6}, "serving": "lnirt"},
        "data": data,
        "sha256": hashlib.sha256(data).hexdigest(),
        "published_at": 1_000.0,
    } | values
    return models.publish(tx, **row) if status == "live" else models.add(tx, status=status, **row)


def write_bytes(tx: Tx, version: int, data: bytes | None, *, sha256: str | None = None) -> None:
    """Damage, or repair, what is stored of a version; sha256: also what was published of it."""
    values: dict[str, Any] = {"data": data} | ({"sha256": sha256} if sha256 else {})
    tx.execute(update(model_version).where(model_version.c.version == version).values(**values))
