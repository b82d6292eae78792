"""Published models. A model is one row: bytes, checksum, manifest; exactly one is live."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert, select, update

from studysmart.store.database import Tx
from studysmart.store.tables import model_version

_FACTS = [c for c in model_version.c if c.name != "data"]


def live_version(tx: Tx) -> int | None:
    """The number of the live model."""
    return tx.execute(
        select(model_version.c.version).where(model_version.c.status == "live")
    ).scalar_one_or_none()


def live(tx: Tx) -> Row[Any] | None:
    """The live model without its bytes."""
    return tx.execute(select(*_FACTS).where(model_version.c.status == "live")).one_or_none()


def get(tx: Tx, version: int) -> Row[Any] | None:
    """One version with its bytes."""
    return tx.execute(select(model_version).where(model_version.c.version == version)).one_or_none()


def older(tx: Tx, version: int) -> list[int]:
    """Numbers of the versions before this one that still have their bytes, newest first."""
    return list(
        tx.execute(
            select(model_version.c.version)
            .where(model_version.c.version < version, model_version.c.data.is_not(None))
            .order_by(model_version.c.version.desc())
        ).scalars()
    )


def publish(tx: Tx, **values: Any) -> int:
    """Retire the live model and add this one, live; returns its number."""
    tx.execute(
        update(model_version).where(model_version.c.status == "live").values(status="retired")
    )
    return add(tx, status="live", **values)


def add(tx: Tx, *, status: str, source: str = "trained", **values: Any) -> int:
    """Add a version; returns its number. Columns: `tables.model_version`."""
    return int(
        tx.execute(
            insert(model_version)
            .values(status=status, source=source, **values)
            .returning(model_version.c.version)
        ).scalar_one()
    )


def forget_bytes(tx: Tx, *, keep: int) -> None:
    """Keep the bytes of the newest `keep` versions (and of the live one) only."""
    newest = select(model_version.c.version).order_by(model_version.c.version.desc()).limit(keep)
    tx.execute(
        update(model_version)
        .where(
            model_version.c.status == "retired",
            model_version.c.data.is_not(None),
            model_version.c.version.not_in(newest),
        )
        .values(data=None)
    )
