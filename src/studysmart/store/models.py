"""Published models. A model is one row: bytes, checksum, manifest; exactly one is live.

`live_seq` counts up whenever a version goes live. Going back follows it downwards, and takes the
version that is left out of it, so that going back twice goes back further.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row, Select, func, insert, null, select, update

from studysmart.store.database import Tx
from studysmart.store.tables import experiment, model_version, training_job

CHALLENGERS_KEPT = 3  # of each source

_FACTS = [c for c in model_version.c if c.name != "data"]
_HAS_DATA = model_version.c.data.is_not(None)


def statuses(tx: Tx) -> dict[str, int]:
    """How many versions have which status."""
    query = select(model_version.c.status, func.count().label("n"))
    query = query.group_by(model_version.c.status)
    return {row.status: row.n for row in tx.execute(query)}


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


def newest(tx: Tx) -> list[Row[Any]]:
    """All versions without their bytes, newest first; `has_data`: they are still there."""
    query = select(*_FACTS, _HAS_DATA.label("has_data"))
    return list(tx.execute(query.order_by(model_version.c.version.desc())))


def by_sha256(tx: Tx, sha256: str) -> int | None:
    """The first version with these bytes, kept or forgotten."""
    return tx.execute(
        select(model_version.c.version)
        .where(model_version.c.sha256 == sha256)
        .order_by(model_version.c.version)
        .limit(1)
    ).scalar_one_or_none()


def earlier(tx: Tx) -> list[int]:
    """Numbers of the versions that were live before the live one, the last first.

    Only those that still have their bytes.
    """
    now = select(model_version.c.live_seq).where(model_version.c.status == "live").scalar_subquery()
    return list(
        tx.execute(
            select(model_version.c.version)
            .where(model_version.c.live_seq < now, _HAS_DATA)
            .order_by(model_version.c.live_seq.desc())
        ).scalars()
    )


def publish(tx: Tx, **values: Any) -> int:
    """Retire the live model and add this one, live; returns its number."""
    _retire(tx)
    return add(tx, status="live", live_seq=_next_seq(tx), **values)


def promote(tx: Tx, version: int) -> None:
    """Retire the live model and make this one live."""
    _retire(tx)
    _set(tx, version, status="live", live_seq=_next_seq(tx))


def go_back(tx: Tx, version: int) -> None:
    """Make one of `earlier` live again; the live model is out of the way back."""
    _retire(tx, live_seq=null())
    _set(tx, version, status="live")


def add(tx: Tx, *, status: str, source: str = "trained", **values: Any) -> int:
    """Add a version; returns its number. Columns: `tables.model_version`."""
    return int(
        tx.execute(
            insert(model_version)
            .values(status=status, source=source, **values)
            .returning(model_version.c.version)
        ).scalar_one()
    )


def restore_bytes(tx: Tx, version: int, data: bytes) -> None:
    """Give a version its bytes back."""
    _set(tx, version, data=data)


def forget_bytes(tx: Tx, *, keep: int, sound: Callable[[Row[Any]], bool]) -> None:
    """Keep the bytes of what is used, or may be gone back to; forget the others'.

    Kept are the live version, the pinned one, those of running experiments, the newest challengers
    of each source, the newest `keep` of those that were live, and as many that are sound: however
    many damaged ones came after them, there is always something to go back to.

    Args:
        tx: a writing transaction.
        keep: versions that were live.
        sound: whether a version's bytes would be served.
    """
    retired = select(model_version.c.version).where(model_version.c.status == "retired", _HAS_DATA)
    newest_first = model_version.c.version.desc()
    used = set(tx.execute(select(training_job.c.pinned_version)).scalars())
    for arms in tx.execute(select(experiment.c.arms).where(experiment.c.stopped_at.is_(None))):
        used |= {arm.get("version") for arm in arms[0]}
    used |= _numbers(tx, retired.order_by(newest_first).limit(keep))
    for source in ("trained", "imported"):
        challengers = select(model_version.c.version).where(
            model_version.c.status == "challenger", model_version.c.source == source, _HAS_DATA
        )
        used |= _numbers(tx, challengers.order_by(newest_first).limit(CHALLENGERS_KEPT))
    found = 0
    last_first = retired.order_by(model_version.c.live_seq.desc().nulls_last(), newest_first)
    for version in tx.execute(last_first).scalars().all():
        if found == keep:
            break
        row = get(tx, version)
        if row is not None and sound(row):
            used.add(version)
            found += 1
    tx.execute(
        update(model_version)
        .where(
            model_version.c.status != "live",
            _HAS_DATA,
            model_version.c.version.not_in(used - {None}),
        )
        .values(data=None)
    )


def _numbers(tx: Tx, query: Select[int]) -> set[int]:
    return set(tx.execute(query).scalars())


def _retire(tx: Tx, **values: Any) -> None:
    tx.execute(
        update(model_version)
        .where(model_version.c.status == "live")
        .values(status="retired", **values)
    )


def _set(tx: Tx, version: int, **values: Any) -> None:
    tx.execute(update(model_version).where(model_version.c.version == version).values(**values))


def _next_seq(tx: Tx) -> int:
    return (
        int(tx.execute(select(func.coalesce(func.max(model_version.c.live_seq), 0))).scalar_one())
        + 1
    )
