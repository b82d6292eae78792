"""Who may use a route, declared where the route is."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer

from studysmart import accounts
from studysmart.accounts import Caller
from studysmart.web.live import Live

COOKIE = "studysmart_session"

cookie_of = APIKeyCookie(name=COOKIE, auto_error=False, description="set by POST /api/auth/login")
_bearer = HTTPBearer(auto_error=False, description="made by POST /api/auth/tokens")


def _live(request: Request) -> Live:
    return request.app.state.live  # type: ignore[no-any-return]


Warm = Annotated[Live, Depends(_live)]


def anyone() -> None:
    """Policy: no sign-in needed; the route shows nothing personal."""


def signed(
    live: Warm,
    cookie: Annotated[str | None, Depends(cookie_of)],
    bearer: Annotated[Any, Depends(_bearer)],
) -> Caller:
    """Policy: whoever is signed in, for their own data."""
    with live.store.read() as tx:
        return accounts.who(
            tx,
            cookie=cookie,
            bearer=bearer.credentials if bearer else None,
            loopback=live.settings.loopback,
            now=time.time(),
        )


Signed = Annotated[Caller, Depends(signed)]


def operator(caller: Signed) -> Caller:
    """Policy: operators only."""
    caller.require_operator()
    return caller


Anyone = Depends(anyone)
Operator = Annotated[Caller, Depends(operator)]
