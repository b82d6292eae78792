"""What every request passes first, as one small ASGI layer.

Host and origin checks (a page of another site must not act as the person at this machine), a bound
on the body, a request id, security headers, and one log line.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studysmart.web import metrics

LARGEST_BODY = 1024 * 1024
BINARY = "application/octet-stream"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

# KaTeX and the component library set style attributes; everything else comes from here alone.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}

log = structlog.get_logger("web")


class Guard:
    """Refuses what must not reach the application, and signs what leaves it.

    Args:
        app: the application.
        hosts: names, besides loopback ones, under which browsers may reach this server; "*" for
            any.
        secure: the page is reached over https.
        files: paths that take a file instead of JSON, and its largest size, bytes. Such a route
            reads its body itself, after it knows who asks.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: frozenset[str], secure: bool, files: dict[str, int]
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._files = files
        extra = {"strict-transport-security": "max-age=31536000"} if secure else {}
        self._headers = [(k.encode(), v.encode()) for k, v in (HEADERS | extra).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        request_id = uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 500

        async def signed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", []),
                    *self._headers,
                    (b"x-request-id", request_id.encode()),
                ]
                if scope["path"].startswith("/api"):
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        path = scope["path"]
        refusal = self._refusal(scope["method"], path, headers)
        if refusal is not None:
            await _answer(signed, *refusal, request_id=request_id)
        else:
            largest = self._files.get(path, LARGEST_BODY)
            await self._app(scope, _bounded(receive, largest), signed)
        seconds = time.perf_counter() - started
        metrics.observe(
            method=scope["method"],
            route=getattr(scope.get("route"), "path", "other"),
            status=status,
            seconds=seconds,
        )
        log.debug(
            "request",
            id=request_id,
            method=scope["method"],
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 1),
        )

    def _refusal(
        self, method: str, path: str, headers: dict[str, str]
    ) -> tuple[int, str, str] | None:
        host = headers.get("host", "")
        if not self._known(host):
            # A name that an attacker points at this machine would make it act for its owner.
            return (
                421,
                "unknown_host",
                f"this server does not answer to the name '{host}'; "
                "an operator can allow it with STUDYSMART_ALLOWED_HOSTS",
            )
        length = headers.get("content-length", "0")
        largest = self._files.get(path, LARGEST_BODY)
        if not length.isdigit() or int(length) > largest:
            return 413, "body_too_large", f"a body may have at most {largest} bytes"
        if method in SAFE_METHODS:
            return None
        # Browsers say where a request comes from; programs say nothing, and carry no cookies by
        # accident.
        site = headers.get("sec-fetch-site")
        origin = headers.get("origin")
        if site is not None:
            foreign = site not in {"same-origin", "none"}
        else:
            foreign = origin is not None and urlsplit(origin).netloc != host
        if foreign:
            return 403, "cross_site", "a page of another site may not do this"
        if length != "0" or "transfer-encoding" in headers:
            content_type = headers.get("content-type", "").split(";")[0].strip().lower()
            # Neither is a type that a form of another site can send.
            wanted = BINARY if path in self._files else "application/json"
            if content_type != wanted:
                return 415, "wrong_type", f"send {wanted}, not '{content_type}'"
        return None

    def _known(self, host: str) -> bool:
        name = urlsplit(f"//{host}").hostname or ""
        if "*" in self._hosts or name in self._hosts or name == "localhost":
            return True
        try:
            return ip_address(name).is_loopback
        except ValueError:
            return False


def _bounded(receive: Receive, largest: int) -> Callable[[], Any]:
    """Cut off bodies without a length once they grow too large."""
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > largest:
            return {"type": "http.disconnect"}
        return message

    return bounded


async def _answer(send: Send, status: int, code: str, detail: str, *, request_id: str) -> None:
    body = json.dumps({"detail": detail, "code": code, "request_id": request_id, "errors": []})
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", b"application/json")],
        }
    )
    await send({"type": "http.response.body", "body": body.encode()})
