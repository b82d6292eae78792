"""What operators did, and why: append-only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert, select

from studysmart.errors import BadInput
from studysmart.store.database import Tx
from studysmart.store.tables import audit

LONGEST_REASON = 1_000


def because(reason: str) -> str:
    """A reason as it is kept; asked for before anything is done.

    Raises:
        BadInput: it is empty, or endless.
    """
    reason = reason.replace("\0", "").strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        msg = f"say why, in 1 to {LONGEST_REASON} characters; found {len(reason)}"
        raise BadInput(msg, code="no_reason")
    return reason


def add(
    tx: Tx, *, now: float, actor: str, action: str, subject: str, reason: str, **details: Any
) -> None:
    """Somebody did something.

    Args:
        tx: the transaction in which it was done.
        now: Unix seconds.
        actor: the account's e-mail address, or where there are none: "local", "command line".
        action: what, e.g. "promote".
        subject: with what, e.g. "version 7".
        reason: in the actor's words.
        **details: JSON-able facts.

    Raises:
        BadInput: as in `because`.
    """
    reason = because(reason)
    tx.execute(
        insert(audit).values(
            at=now, actor=actor, action=action, subject=subject, reason=reason, details=details
        )
    )


def newest(tx: Tx, *, limit: int) -> list[Row[Any]]:
    """The last acts, newest first."""
    return list(tx.execute(select(audit).order_by(audit.c.id.desc()).limit(limit)))
