"""The bytes of a published model, which nobody believes before every check is passed.

Whoever serves, compares, promotes, exports or takes in a version asks here first.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from threading import Lock
from typing import Any

from studysmart.errors import ArtefactRejected
from studysmart.learning import Engine
from studysmart.store import Row

REMEMBERED = 64

_verdicts: OrderedDict[str, str | None] = OrderedDict()
_lock = Lock()


def verified(row: Row[Any]) -> Engine:
    """The engine of a version, after its checksum, schema, shapes and numbers were checked.

    Args:
        row: of `model_version`, with its bytes.

    Raises:
        ArtefactRejected: it must not be served; says why.
    """
    _check_sum(row)
    try:
        return Engine.from_bytes(row.data)
    except ArtefactRejected as error:
        msg = f"version {row.version}: {error}"
        raise ArtefactRejected(msg) from error


def fault(row: Row[Any]) -> str | None:
    """Why a version must not be served; None when it may.

    The same bytes are read once, and known again by their checksum.

    Args:
        row: as in `verified`.
    """
    try:
        verdict = _verdict(row.data, _check_sum(row))
    except ArtefactRejected as error:
        return str(error)
    return f"version {row.version}: {verdict}" if verdict is not None else None


def sound(row: Row[Any]) -> bool:
    """Whether a version may be served."""
    return fault(row) is None


def _verdict(data: bytes, digest: str) -> str | None:
    with _lock:
        if digest in _verdicts:
            return _verdicts[digest]
    verdict = None
    try:
        Engine.from_bytes(data)
    except ArtefactRejected as error:
        verdict = str(error)
    with _lock:
        _verdicts[digest] = verdict
        while len(_verdicts) > REMEMBERED:
            _verdicts.popitem(last=False)
    return verdict


def _check_sum(row: Row[Any]) -> str:
    if row.data is None:
        msg = f"version {row.version}: its bytes are not kept any more; import them to use it"
        raise ArtefactRejected(msg)
    found = hashlib.sha256(row.data).hexdigest()
    if found != row.sha256:
        msg = (
            f"version {row.version}: damaged: the checksum of its bytes is {found[:12]}…, "
            f"published was {row.sha256[:12]}…"
        )
        raise ArtefactRejected(msg)
    return found
