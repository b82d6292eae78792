"""Accounts from the command line."""

from __future__ import annotations

import time

from studysmart import accounts
from studysmart.accounts import Caller
from studysmart.settings import Settings
from studysmart.store import Store
from studysmart.store.migrations import migrate


def add(settings: Settings, *, email: str, name: str, password: str, operator: bool) -> Caller:
    """Make an account.

    Raises:
        BadInput: the address or the password cannot be used.
        Conflict: the address has an account.
    """
    accounts.check_password(password, email=email, name=name)
    hashed = accounts.hash_password(password)
    store = Store(settings.where)
    migrate(store)
    with store.write() as tx:
        return accounts.register(
            tx, email=email, name=name, password_hash=hashed, now=time.time(), operator=operator
        )
