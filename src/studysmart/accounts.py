"""Who is asking: accounts, sign-ins, and the one local learner of a system without accounts."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from studysmart.errors import BadInput, Conflict, NotAllowed, NotSignedIn, TooMany
from studysmart.store import Row, Tx, learners
from studysmart.store import accounts as rows

COOKIE_DAYS = 60
TOKEN_DAYS = 365
GUESSES = 10
GUESS_WINDOW_S = 15 * 60.0
SHORTEST_PASSWORD = 8

# OWASP's floor for Argon2id; a few long-lived sign-ins instead of many short ones pay for it.
_hasher = PasswordHash((Argon2Hasher(memory_cost=19 * 1024, time_cost=2, parallelism=1),))
# Each hash takes 19 MiB: a crowd at the door must not take the memory of those inside.
_hashing = BoundedSemaphore(2)
# Verified for addresses nobody has, so that they take as long as the others.
_nobodys_hash = _hasher.hash(secrets.token_hex(16))

# The first of every list of guesses. Context words (address, name) are refused separately.
_COMMON = frozenset(
    """
    password passw0rd password1 password123 12345678 123456789 1234567890 11111111 00000000
    qwertyui qwerty123 qwertyuiop iloveyou sunshine princess football baseball superman
    trustno1 letmein1 welcome1 welcome123 admin123 administrator changeme abcd1234 abc12345
    1q2w3e4r 1qaz2wsx studysmart
    """.split()  # noqa: SIM905 - a list of words is easier to read and to add to
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, for one request."""

    learner_id: UUID
    name: str
    email: str | None
    role: str
    account_id: UUID | None

    @property
    def local(self) -> bool:
        """The one person of a system without accounts."""
        return self.account_id is None

    @property
    def actor(self) -> str:
        """Whom the audit names."""
        return self.email or "local"

    def require_operator(self) -> None:
        """Refuse everybody else.

        Raises:
            NotAllowed: the caller is not an operator.
        """
        if self.role != "operator":
            msg = "only an operator may do this; sign in with an operator account"
            raise NotAllowed(msg)


def digest(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def who(tx: Tx, *, cookie: str | None, bearer: str | None, loopback: bool, now: float) -> Caller:
    """The caller behind a cookie or a bearer token.

    Without any account, on a loopback bind, that is the local learner, who is also the operator.

    Raises:
        NotSignedIn: nobody is known to be asking.
    """
    # A program with a dead token must hear of it, and not act as somebody else.
    kind, token = ("token", bearer) if bearer else ("cookie", cookie)
    account = rows.by_token(tx, digest(token), kind=kind, now=now) if token else None
    if account is not None:
        return _caller(tx, account)
    if loopback and not bearer and rows.count(tx) == 0:
        local = learners.local(tx)
        if local is not None:
            return Caller(local.id, local.name, None, "operator", None)
    msg = "sign in first (POST /api/auth/login), or send a valid bearer token"
    raise NotSignedIn(msg)


def check_password(password: str, *, email: str, name: str) -> None:
    """Refuse passwords that are guessed first.

    Raises:
        BadInput: too short, among the commonest, or made of the address or the name.
    """
    lowered = password.casefold()
    if len(password) < SHORTEST_PASSWORD:
        msg = (
            f"the password has {len(password)} characters, at least {SHORTEST_PASSWORD} are needed"
        )
        raise BadInput(msg, code="weak_password")
    own = {email.casefold(), email.casefold().split("@")[0], name.casefold()}
    if lowered in _COMMON or lowered in own or len(set(password)) == 1:
        msg = "this password is among the first that are guessed; choose another"
        raise BadInput(msg, code="weak_password")


def hash_password(password: str) -> str:
    """Argon2id; takes some tens of milliseconds, so never inside a transaction."""
    with _hashing:
        return _hasher.hash(password)


def register(
    tx: Tx, *, email: str, name: str, password_hash: str, now: float, operator: bool = False
) -> Caller:
    """A new account. The first one is the operator's and takes over the local learner's history.

    Raises:
        BadInput: this is no e-mail address.
        Conflict: the address has an account.
    """
    email = email.strip().lower()
    local_part, at, domain = email.rpartition("@")
    if not (at and local_part and domain) or any(c.isspace() for c in email):
        msg = f"'{email}' is no e-mail address; expected name@host"
        raise BadInput(msg, code="bad_email")
    if rows.by_email(tx, email) is not None:
        msg = f"{email} has an account already; sign in instead"
        raise Conflict(msg, code="email_taken")
    first = rows.count(tx) == 0
    local = learners.local(tx) if first else None
    if local is not None:
        learner_id = local.id
        learners.claim(tx, learner_id, name=name)
    else:
        learner_id = learners.add(tx, name=name, source="account", now=now)
    role = "operator" if first or operator else "learner"
    account_id = rows.add(
        tx, learner_id=learner_id, email=email, password_hash=password_hash, role=role, now=now
    )
    return Caller(learner_id, name, email, role, account_id)


def check_guesses(tx: Tx, email: str, *, now: float) -> None:
    """Refuse to even look at another guess after ten wrong ones in a quarter of an hour.

    Raises:
        TooMany: with the seconds to wait.
    """
    failed = rows.failures(tx, email.strip().lower(), since=now - GUESS_WINDOW_S)
    if len(failed) >= GUESSES:
        wait = int(failed[-GUESSES] + GUESS_WINDOW_S - now) + 1
        msg = f"too many wrong passwords for this address; try again in {wait // 60 + 1} minutes"
        raise TooMany(msg, retry_after_s=wait)


def find(tx: Tx, email: str) -> Row[Any] | None:
    """The account of an address."""
    return rows.by_email(tx, email.strip().lower())


def verify(account: Row[Any] | None, password: str) -> tuple[bool, str | None]:
    """Whether the password is right, and a new hash when the stored one is outdated.

    Takes the same time for an address that nobody has. Never inside a transaction.
    """
    with _hashing:
        if account is None:
            _hasher.verify(password, _nobodys_hash)
            return False, None
        return _hasher.verify_and_update(password, account.password_hash)


def sign_in(
    tx: Tx,
    *,
    email: str,
    account: Row[Any],
    new_hash: str | None,
    now: float,
) -> tuple[Caller, str]:
    """The password was right: a caller, and the token for the cookie."""
    rows.clear_failures(tx, email.strip().lower())
    rows.end_expired(tx, now=now)
    if new_hash is not None:
        rows.set_password_hash(tx, account.id, new_hash)
    caller = _caller(tx, account)
    return caller, open_login(tx, account.id, kind="cookie", name="browser", now=now)


def wrong_guess(tx: Tx, email: str, *, now: float) -> None:
    """Remember a wrong guess."""
    rows.add_failure(tx, email.strip().lower(), now=now)


def open_login(tx: Tx, account_id: UUID, *, kind: str, name: str, now: float) -> str:
    """A new token of 256 random bits; only its digest is kept."""
    token = secrets.token_urlsafe(32)
    days = COOKIE_DAYS if kind == "cookie" else TOKEN_DAYS
    rows.add_login(
        tx,
        token_sha256=digest(token),
        account_id=account_id,
        kind=kind,
        name=name,
        now=now,
        expires_at=now + days * 86_400,
    )
    return token


def sign_out(tx: Tx, token: str) -> None:
    """End the sign-in of this cookie."""
    rows.end_login(tx, digest(token))


def _caller(tx: Tx, account: Row[Any]) -> Caller:
    learner = learners.get(tx, account.learner_id)
    if learner is None:  # a foreign key forbids it
        msg = f"account {account.id} has no learner"
        raise NotSignedIn(msg)
    return Caller(account.learner_id, learner.name, account.email, account.role, account.id)
