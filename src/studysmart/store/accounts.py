"""Accounts, sign-ins (cookies and tokens, by their digest) and failed guesses."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, delete, func, insert, select, update

from studysmart.store.database import Tx
from studysmart.store.tables import account, login, login_failure


def count(tx: Tx) -> int:
    """How many accounts there are."""
    return tx.execute(select(func.count()).select_from(account)).scalar_one()


def operators(tx: Tx) -> int:
    """How many of them are operators."""
    return tx.execute(
        select(func.count()).select_from(account).where(account.c.role == "operator")
    ).scalar_one()


def add(tx: Tx, *, learner_id: UUID, email: str, password_hash: str, role: str, now: float) -> UUID:
    """A new account; the e-mail address must be in lower case and free."""
    new = uuid4()
    tx.execute(
        insert(account).values(
            id=new,
            learner_id=learner_id,
            email=email,
            password_hash=password_hash,
            role=role,
            created_at=now,
        )
    )
    return new


def by_email(tx: Tx, email: str) -> Row[Any] | None:
    """The account of an e-mail address in lower case."""
    return tx.execute(select(account).where(account.c.email == email)).one_or_none()


def set_password_hash(tx: Tx, account_id: UUID, password_hash: str) -> None:
    """Replace the hash."""
    tx.execute(
        update(account).where(account.c.id == account_id).values(password_hash=password_hash)
    )


def add_login(
    tx: Tx,
    *,
    token_sha256: str,
    account_id: UUID,
    kind: str,
    name: str,
    now: float,
    expires_at: float,
) -> None:
    """Somebody signed in, or made a token."""
    tx.execute(
        insert(login).values(
            token_sha256=token_sha256,
            account_id=account_id,
            kind=kind,
            name=name,
            created_at=now,
            used_at=now,
            expires_at=expires_at,
        )
    )


def by_token(tx: Tx, token_sha256: str, *, kind: str, now: float) -> Row[Any] | None:
    """The account that a living cookie or token stands for, with the login's `used_at`."""
    return tx.execute(
        select(account, login.c.used_at)
        .join(login, login.c.account_id == account.c.id)
        .where(login.c.token_sha256 == token_sha256, login.c.kind == kind, login.c.expires_at > now)
    ).one_or_none()


def end_login(tx: Tx, token_sha256: str) -> None:
    """Sign out."""
    tx.execute(delete(login).where(login.c.token_sha256 == token_sha256))


def end_expired(tx: Tx, *, now: float) -> None:
    """Forget sign-ins that are over and guesses older than a day."""
    tx.execute(delete(login).where(login.c.expires_at <= now))
    tx.execute(delete(login_failure).where(login_failure.c.at <= now - 86_400))


def add_failure(tx: Tx, email: str, *, now: float) -> None:
    """A guess at this address failed, whether an account has it or not."""
    tx.execute(insert(login_failure).values(email=email, at=now))


def failures(tx: Tx, email: str, *, since: float) -> list[float]:
    """When guesses at this address failed, oldest first."""
    return list(
        tx.execute(
            select(login_failure.c.at)
            .where(login_failure.c.email == email, login_failure.c.at > since)
            .order_by(login_failure.c.at)
        ).scalars()
    )


def clear_failures(tx: Tx, email: str) -> None:
    """The right password was given."""
    tx.execute(delete(login_failure).where(login_failure.c.email == email))
